"""How numbers are written in prompts and answers.

Names are those of arXiv 2402.14903, and a few more:

================== ======================= ===============================================
name               1234567                 what it means
================== ======================= ===============================================
``nosep``          ``1234567``             digits only
``comma_r2l``      ``1,234,567``           groups counted from the right
``comma_l2r``      ``123,456,7``           groups counted from the left
``space_r2l`` …    ``1 234 567``           also ``dec`` ``.``, ``hashtag`` ``#``,
                                           ``dollar`` ``$`` and ``foo`` ``foo``
``sep:_'_r2l``     ``1_'234_'567``         any other separator, here ``_'``
``spaces``         ``1 2 3 4 5 6 7``       every digit for itself
``reversed``       ``7654321``             units first
``padded:9``       ``001234567``           zeros before it, up to nine digits
================== ======================= ===============================================

A minus sign comes first in all of them: -123 is ``-321`` if reversed.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tokkit.errors import UsageError

Direction = Literal["l2r", "r2l"]
SEPARATORS: Mapping[str, str] = {
    "comma": ",",
    "space": " ",
    "dec": ".",
    "hashtag": "#",
    "dollar": "$",
    "foo": "foo",
}
"""The separators of the study (`SEPARATOR_NAMES` in its `main.py`), by name."""
_DIRECTIONS: Mapping[str, Direction] = {"l2r": "l2r", "r2l": "r2l"}
_CUSTOM = "sep:"
_PADDED = "padded"
_NOT_IN_SEPARATORS = set("0123456789-/\n")
"""Digits and signs would be read as the number's, a slash as the end of a format's name."""


@dataclass(frozen=True, kw_only=True)
class NumberFormat:
    """A way to write integers, and to read them again.

    Attributes:
        name: What it is called in tables.
        separator: What stands between two groups of digits; empty if there are no groups.
        direction: Whether groups are full from the left or from the right.
        size: How many digits a full group has.
        reversed: Whether the units come first.
        width: How many digits are written at least.
    """

    name: str
    separator: str = ""
    direction: Direction = "r2l"
    size: int = 3
    reversed: bool = False
    width: int = 1

    def write(self, number: int) -> str:
        """Write a number: in ``comma_r2l`` 1234 is ``"1,234"``."""
        sign = "-" if number < 0 else ""
        return sign + self.separator.join(self.groups(abs(number)))

    def read(self, text: str) -> int | None:
        """Return the number that is written just like this, or None if there is none.

        It is strict: ``"1234"`` is no number of ``comma_r2l``, nor is ``" 1,234"``.
        """
        sign = "-" if text.startswith("-") else ""
        digits = text.removeprefix("-")
        if self.separator:
            digits = digits.replace(self.separator, "")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > _most_digits():
            return None
        number = int(sign + (digits[::-1] if self.reversed else digits))
        return number if self.write(number) == text else None

    def groups(self, number: int) -> list[str]:
        """Return the groups of digits a number that is not negative is written in.

        Without separators all its digits are one group.
        """
        digits = str(number).zfill(self.width)
        if self.reversed:
            digits = digits[::-1]
        if not self.separator:
            return [digits]
        first = len(digits) % self.size if self.direction == "r2l" else 0
        starts = range(first, len(digits), self.size)
        return [digits[:first]] * bool(first) + [digits[at : at + self.size] for at in starts]


@lru_cache(maxsize=1024)
def parse_format(name: str, chunk_size: int = 3) -> NumberFormat:
    """Return the format that has a name; see the table at the top of this module.

    Args:
        name: Such as ``"comma_r2l"``.
        chunk_size: How many digits a group has, of formats with separators.

    Raises:
        UsageError: If no format is called so, or no group has so many digits.
    """
    if chunk_size < 1:
        raise UsageError(f"groups of {chunk_size} digits: a group has at least one")
    if name == "nosep":
        return NumberFormat(name=name)
    if name == "spaces":
        return NumberFormat(name=name, separator=" ", size=1)
    if name == "reversed":
        return NumberFormat(name=name, reversed=True)
    if name.partition(":")[0] == _PADDED:
        return NumberFormat(name=name, width=_read_width(name))
    separator, _, direction = name.rpartition("_")
    if separator.startswith(_CUSTOM):
        text = separator.removeprefix(_CUSTOM)
    else:
        text = SEPARATORS.get(separator, "")
    if not text or _NOT_IN_SEPARATORS.intersection(text):
        raise UsageError(f"no number format {name!r}: {_KNOWN}")
    if direction not in _DIRECTIONS:
        raise UsageError(f"number format {name!r}: let it end in _l2r or _r2l")
    side = _DIRECTIONS[direction]
    return NumberFormat(name=name, separator=text, direction=side, size=chunk_size)


_KNOWN = (
    f"there are nosep, {', '.join(f'{each}_r2l' for each in SEPARATORS)} (all with _l2r too), "
    "sep:TEXT_r2l for a TEXT without digits, '-', '/' and line feeds, spaces, reversed and "
    "padded:WIDTH"
)


def _read_width(name: str) -> int:
    """Read the width in the name of a padded format."""
    text = name.removeprefix(f"{_PADDED}:")
    if text.isascii() and text.isdigit() and 1 <= len(text) <= 3 and int(text):
        return int(text)
    raise UsageError(f"number format {name!r}: say how many digits, such as padded:9")


def _most_digits() -> int:
    """Return how many digits Python makes an integer of; 0 in its setting is no limit."""
    return sys.get_int_max_str_digits() or sys.maxsize
