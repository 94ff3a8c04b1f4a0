"""Options that are several values in one word: ranges, numbers and names."""

import re

from tokkit.errors import UsageError


def read_range(text: str, option: str) -> tuple[int, int]:
    """Read ``1-3``, or one number.

    Raises:
        UsageError: If it is neither, or the second number is the smaller.
    """
    found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text, re.ASCII)
    if found is None or int(found[2] or found[1]) < int(found[1]):
        raise UsageError(f"{option} {text!r}: write a number, or two such as 10-20")
    return int(found[1]), int(found[2] or found[1])


def read_numbers(text: str, option: str, *, least: int = 0) -> tuple[int, ...]:
    """Read ``1,2,4``; a number that is there twice is read once.

    Raises:
        UsageError: If something else is there, or a number below the least.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"\d{1,9}", part, re.ASCII) for part in parts):
        raise UsageError(f"{option} {text!r}: write numbers with commas, such as 1,2,4")
    numbers = tuple(dict.fromkeys(map(int, parts)))
    if min(numbers) < least:
        raise UsageError(f"{option} {text!r}: the least is {least}")
    return numbers


def read_names(text: str, what: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Read ``bpe,lzw``.

    Args:
        text: The names.
        what: One of them is called so.
        known: Those that there are.

    Raises:
        UsageError: If one is not known, or there twice.
    """
    names = tuple(part.strip() for part in text.split(","))
    for name in names:
        if name not in known:
            raise UsageError(f"{name!r} is no {what}: take one of {', '.join(known)}")
    if len(set(names)) < len(names):
        raise UsageError(f"a {what} is named twice in {text!r}")
    return names


def read_shares(text: str, option: str) -> tuple[float, ...]:
    """Read ``0,0.1,0.25``: shares below 1; one that is there twice is read once.

    Raises:
        UsageError: If something else is there.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"0(?:\.\d{1,9})?", part, re.ASCII) for part in parts):
        raise UsageError(f"{option} {text!r}: write shares from 0 to 1, such as 0.1,0.25")
    return tuple(dict.fromkeys(map(float, parts)))
