"""How fast and how patiently is asked: limits per minute, and waiting after failures."""

from dataclasses import dataclass
from typing import NamedTuple

from tokkit.errors import UsageError
from tokkit.studies.asking.database import Database
from tokkit.studies.asking.request import Request

MINUTE = 60.0
LEEWAY = 1 / 60
"""By which share of it a minute is taken longer: one request may be on its way for a second
more than another, and all have to lie in different minutes where they arrive."""
KEPT = 10
"""For how many minutes, and for how many requests at the pace, attempts are remembered."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast to ask, and how often.

    Attributes:
        rpm: How many requests may be sent in any 60 seconds, retries included; less than 1
            means one in more than 60 seconds. None: no limit.
        tpm: How many tokens, prompts and answers, any 60 seconds may have; None: no limit.
        tries: How often one request is sent before it counts as failed. Being refused because
            there are too many counts only as long as nobody is answered.
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

    def __post_init__(self) -> None:
        """Refuse a pace at which nothing is ever asked.

        Raises:
            UsageError: If it is one.
        """
        for name in ("rpm", "tpm", "tries"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UsageError(f"{name} is {value}: give more than 0")

    def wait(self, failures: int, after: float | None, draw: float) -> float:
        """Return how many seconds to wait before a request is sent again.

        Args:
            failures: How often it has failed, at least 1.
            after: How many seconds the server wants; a little is added, and ever more if that
                was not enough. None: it did not say.
            draw: A random number from 0 to 1.
        """
        doubled = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 100))
        if after is None:
            return draw * doubled
        more = doubled * (1 + draw) / 2 if failures > 1 else 0.0
        return after * (1 + draw / 10) + more


class Entry(NamedTuple):
    """What a gate says.

    Attributes:
        wait: In how many seconds to come again; 0: go.
        number: Of the attempt, if it may go.
    """

    wait: float
    number: int = -1


class Gate:
    """Lets attempts through as fast as a pace allows.

    When they were made is noted in the database, so that the limits also hold for several
    processes, and for a run that goes on where another was killed a moment ago. In any minute
    there are at most `Pace.rpm` attempts, and in each part of it about that part of them:
    servers look at parts of a minute too. The tokens of an attempt count as long as it is
    under way, as many as there can be, and a minute longer, as many as there were.

    Args:
        pace: The limits.
        database: Where attempts are noted.
        model: Whom the limits are for.
    """

    def __init__(self, pace: Pace, database: Database, model: str) -> None:
        self._pace = pace
        self._database = database
        self._model = model
        self._under_way: set[int] = set()
        self._is_open = pace.rpm is None and pace.tpm is None

    def enter(self, now: float, tokens: int) -> Entry:
        """Let an attempt through, or say when to come again.

        Args:
            now: The time, in seconds since 1970.
            tokens: The most it can use.
        """
        if self._is_open:
            return Entry(0.0)
        with self._database.transaction():
            self._tidy(now)
            wait = max(0.0, self._request_wait(now), self._token_wait(now, tokens))
            if wait > 0:
                return Entry(wait)
            self._database.execute(
                "INSERT INTO attempts (model, sent_at, ended_at, tokens) VALUES (?, ?, ?, ?)",
                (self._model, now, now, tokens),
            )
            [(number,)] = self._database.execute("SELECT last_insert_rowid()")
        self._under_way.add(number)
        return Entry(0.0, number)

    def leave(self, entry: Entry, now: float, tokens: int | None) -> None:
        """Note that an attempt has ended.

        Args:
            entry: What let it through.
            now: The time, in seconds since 1970.
            tokens: What it used; None: nobody knows.
        """
        if self._is_open:
            return
        self._under_way.discard(entry.number)
        self._database.execute(
            "UPDATE attempts SET ended_at = ?, tokens = coalesce(?, tokens) WHERE id = ?",
            (now, tokens, entry.number),
        )

    def _tidy(self, now: float) -> None:
        """Forget what is long past, or yet to come: then a clock has been set back."""
        kept = MINUTE * KEPT * max(1, 1 / (self._pace.rpm or 1))
        self._database.execute(
            "DELETE FROM attempts WHERE model = ? AND (sent_at < ? OR sent_at > ?)",
            (self._model, now - kept, now + 1),
        )
        for number in sorted(self._under_way):
            self._database.execute(
                "UPDATE attempts SET ended_at = ? WHERE id = ?", (now, number)
            )

    def _request_wait(self, now: float) -> float:
        """Return how long it takes until there may be another request."""
        rpm = self._pace.rpm
        if rpm is None:
            return 0.0
        return max(
            self._start(count) + MINUTE * (1 + LEEWAY) * count / rpm - now
            for count in {max(1, int(rpm / 60)), max(1, int(rpm))}
        )

    def _start(self, count: int) -> float:
        """Return when the attempt began before which there were `count` - 1 later ones."""
        found = self._database.execute(
            "SELECT sent_at FROM attempts WHERE model = ? "
            "ORDER BY sent_at DESC LIMIT 1 OFFSET ?",
            (self._model, count - 1),
        )
        return float(found[0][0]) if found else float("-inf")

    def _token_wait(self, now: float, tokens: int) -> float:
        """Return how long it takes until enough tokens of the past no longer count."""
        if self._pace.tpm is None:
            return 0.0
        minute = MINUTE * (1 + LEEWAY)
        past = self._database.execute(
            "SELECT ended_at, tokens FROM attempts WHERE model = ? AND ended_at > ? "
            "ORDER BY ended_at",
            (self._model, now - minute),
        )
        # A request with more tokens than the limit goes alone: it would never go otherwise.
        excess = sum(used for _, used in past) - max(0, self._pace.tpm - tokens)
        wait = 0.0
        for ended, used in past:
            if excess <= 0:
                break
            excess -= used
            wait = float(ended) + minute - now
        return wait


def most_tokens(request: Request) -> int:
    """Return how many tokens a request and its answer can have, in any byte-level vocabulary.

    A token is at least a byte; roles, separators and a template's own words are allowed for.
    """
    texts = [request.prompt or "", *(message.content for message in request.messages)]
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return size + 8 * len(texts) + 32 + request.decoding.max_tokens
