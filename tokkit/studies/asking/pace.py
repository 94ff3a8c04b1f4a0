"""How fast and how patiently is asked: limits per minute, and waiting after failures."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast to ask, and how often.

    Attributes:
        rpm: How many requests may be sent in any 60 seconds, retries included; None: no limit.
        tpm: How many tokens, prompts and answers, any 60 seconds may have; None: no limit.
        tries: How often one request is sent before it counts as failed.
        first_wait: The longest wait in seconds after a first failure, if the server does not
            say how long; it doubles with each further one. How much of it is waited is drawn
            ("full jitter"), so that many clients do not come back at once.
        longest_wait: Where the doubling ends.
        seed: Of these draws; None: other ones in each run.
    """

    rpm: float | None = None
    tpm: float | None = None
    tries: int = 8
    first_wait: float = 1.0
    longest_wait: float = 60.0
    seed: int | None = None
