"""How long a server says to wait."""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")


def requested_wait(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return how many seconds a server wants to be left alone; None if it does not say.

    Read are, in this order: ``retry-after-ms``; ``Retry-After``, in seconds or as a date (RFC
    9110, 10.2.3); and for each limit of which ``x-ratelimit-remaining-…`` says that nothing is
    left, ``x-ratelimit-reset-…``, such as ``6m0s``.

    Args:
        headers: Of the reply, in lower case or without regard to case.
        now: The time, in seconds since 1970; None: it is looked up.
    """
    with suppress(ValueError):
        return _positive(float(headers.get("retry-after-ms", "")) / 1000)
    after = headers.get("retry-after", "").strip()
    with suppress(ValueError):
        return _positive(float(after))
    with suppress(ValueError, TypeError, OverflowError):
        when = parsedate_to_datetime(after).timestamp()
        return _positive(when - (time.time() if now is None else now))
    waits = [
        _seconds(headers.get(f"x-ratelimit-reset-{limit}", ""))
        for limit in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{limit}") == "0"
    ]
    return max((wait for wait in waits if wait is not None), default=None)


def _positive(seconds: float) -> float:
    """Refuse what is not a number; what is past need not be waited for."""
    if seconds != seconds or seconds == float("inf"):
        raise ValueError
    return max(0.0, seconds)


def _seconds(duration: str) -> float | None:
    """Read a duration: ``1m30.5s`` is 90.5, a bare number is seconds."""
    if _DURATION.fullmatch(duration):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration))
    with suppress(ValueError):
        return _positive(float(duration))
    return None
