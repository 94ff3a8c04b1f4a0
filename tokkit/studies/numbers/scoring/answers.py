"""Reading numbers in what a model said.

The reader is that of arXiv 2402.14903: an answer is valid only if it has exactly one number,
in which digits may be separated by any of the study's separators. The agnostic reader beside
it takes any short separator, so that answers are not lost to one that nobody foresaw.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from tokkit.studies.numbers.formats import SEPARATORS

KNOWN_SEPARATORS = tuple(SEPARATORS.values())
_MINUS = "-−"
_ANY_GAP = "[^0-9+*=/\n−-]{1,3}"
"""No operator, no new line, and shorter than the word `and` with its spaces."""
_MOST_DIGITS = 4000
"""Python turns about as many into an integer; no study has answers half as long."""


class Found(NamedTuple):
    """A number in a text.

    Attributes:
        text: How it is written there, with its sign.
        value: The number.
        start: Where it begins, in characters.
    """

    text: str
    value: int
    start: int


def written_numbers(text: str, separators: Sequence[str] = KNOWN_SEPARATORS) -> list[str]:
    """Return all numbers of a text as they are written there, without signs."""
    found = _number_pattern(tuple(separators)).findall(text)
    return [number.lstrip(_MINUS) for number in found]


class Parts(NamedTuple):
    """What a response is made of.

    Attributes:
        repeat: What comes before the equals sign, if the problem is said again; else None.
        answer: The rest.
    """

    repeat: str | None
    answer: str


def find_number(
    text: str,
    separators: Sequence[str] = KNOWN_SEPARATORS,
    *,
    units_first: bool = False,
) -> Found | None:
    """Return the only number of a text, or None if there is none or more than one.

    ``"1,234"`` is one number, ``"1 234.5"`` is too (12345, as the study reads it), and
    ``"12 and 34"`` are two.

    Args:
        text: What was said.
        separators: What may be between two digits of a number, any number of times.
        units_first: Whether its last digit is the first one written.
    """
    return _only(_number_pattern(tuple(separators)), text, units_first)


def find_any_number(text: str, *, units_first: bool = False) -> Found | None:
    """Return the only number of a text whatever its digits are separated by.

    Groups of digits may have up to three characters between them that are no operator and no
    new line, the same between all groups.
    """
    return _only(_ANY_NUMBER, text, units_first)


def split_response(response: str, *, repeats: bool, operation: str) -> Parts:
    """Part a response that says the problem again from its answer.

    Args:
        response: What was said.
        repeats: Whether the problem was to be said again. If not, all is the answer.
        operation: ``"+"``, ``"-"`` or ``"*"``; a response that has it but no equals sign says
            the problem and no answer, and is read as both.
    """
    if not repeats:
        return Parts(None, response)
    before, equals, after = response.partition("=")
    if equals:
        return Parts(before, after)
    return Parts(response if operation in response else None, response)


class Repeat(NamedTuple):
    """A problem as a model said it again.

    Attributes:
        numbers: Its operands; None where there is not just one number.
        texts: How they are written.
        padded: Whether there are spaces around them.
        extraneous: Whether there is anything but the two numbers.
    """

    numbers: tuple[int | None, int | None]
    texts: tuple[str, str]
    padded: bool
    extraneous: bool


def read_repeat(
    text: str,
    operation: str,
    separators: Sequence[str] = KNOWN_SEPARATORS,
    *,
    units_first: bool = False,
) -> Repeat | None:
    """Read a repeated problem, such as ``"1,234+5"``; None unless it has two operands."""
    pieces = text.split(operation)
    if len(pieces) != 2:
        return None
    stripped = [piece.strip() for piece in pieces]
    found = [find_number(piece, separators, units_first=units_first) for piece in stripped]
    first, second = ((each.value, each.text) if each else (None, "") for each in found)
    return Repeat(
        numbers=(first[0], second[0]),
        texts=(first[1], second[1]),
        padded=stripped != pieces,
        extraneous=stripped != [first[1], second[1]],
    )


@lru_cache(maxsize=256)
def _number_pattern(separators: tuple[str, ...]) -> re.Pattern[str]:
    between = "|".join(re.escape(each) for each in dict.fromkeys(separators) if each)
    gap = f"(?:{between})*" if between else ""
    return re.compile(f"[{_MINUS}]?[0-9](?:{gap}[0-9])*")


_ANY_NUMBER = re.compile(f"[{_MINUS}]?[0-9]+(?:({_ANY_GAP})[0-9]+(?:\\1[0-9]+)*)?")


def _only(pattern: re.Pattern[str], text: str, units_first: bool) -> Found | None:
    """Return the pattern's match if there is just one."""
    matches = pattern.finditer(text)
    match = next(matches, None)
    if match is None or next(matches, None) is not None:
        return None
    digits = re.sub("[^0-9]", "", match.group())
    if len(digits) > _MOST_DIGITS:
        return None
    sign = -1 if match.group()[0] in _MINUS else 1
    value = sign * int(digits[::-1] if units_first else digits)
    return Found(match.group(), value, match.start())
