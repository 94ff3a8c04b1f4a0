"""What asking may cost, and what it did."""

from collections.abc import Callable
from dataclasses import dataclass

from tokkit.studies.asking.request import Answer, Request


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one run may cost, in dollars, and how that is known.

    Attributes:
        estimate: The most that one attempt at a request can cost.
        charge: What a request with this answer did cost.
        limit: What all requests that the run sends may cost together; what is in the cache
            costs nothing. None: there is no limit, but an account.
    """

    estimate: Callable[[Request], float]
    charge: Callable[[Request, Answer], float]
    limit: float | None = None
