"""Numbers as groups of digits, from either side: the tokenizations of numbers that differ."""

import re
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import UsageError
from tokkit.studies.scratch.rows import PAD, Rows

Values = NDArray[np.int64]
_POWERS: Values = 10 ** np.arange(19, dtype=np.int64)
_LARGEST = 4
"""Groups of 4 digits have 11,110 tokens; longer ones would be a model of nothing else."""


def digit_counts(values: Values) -> Values:
    """Return how many digits numbers from 0 have."""
    return np.maximum(np.searchsorted(_POWERS, values, side="right"), 1)


@dataclass(frozen=True)
class Grouping:
    """How runs of digits are cut into tokens.

    The tokens are all strings of 1 to `size` digits: ``"0"`` to ``"9"``, then ``"00"`` to
    ``"99"``, and so on.

    Attributes:
        direction: From where groups are counted.
        size: How many digits a full group has.
    """

    direction: Literal["l2r", "r2l"]
    size: int

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read ``single``, ``l2rK`` or ``r2lK``.

        Raises:
            UsageError: If it is none of these, or groups are too long.
        """
        if name == "single":
            return cls("l2r", 1)
        found = re.fullmatch(r"(l2r|r2l)(\d+)", name)
        if not found or not 1 <= int(found[2]) <= _LARGEST:
            raise UsageError(
                f"{name!r} is no way to cut numbers: give single, l2rK or r2lK, such as l2r2, "
                f"with 1 to {_LARGEST} digits in a group"
            )
        return cls("l2r" if found[1] == "l2r" else "r2l", int(found[2]))

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        return int(_POWERS[1 : self.size + 1].sum())

    def most_tokens(self, digits: int) -> int:
        """Return how many tokens a number of so many digits has."""
        return -(-digits // self.size)

    def encode(self, values: Values) -> Rows:
        """Return the tokens of numbers from 0.

        Returns:
            ``int64[n, groups of the longest]``.
        """
        digits = digit_counts(values)[:, None]
        groups = -(-digits // self.size)
        index = np.arange(int(groups.max(initial=0)))
        if self.direction == "l2r":
            widths = np.clip(digits - index * self.size, 0, self.size)
            behind = digits - index * self.size - widths
        else:
            behind = (groups - 1 - index) * self.size
            widths = np.clip(digits - behind, 0, self.size)
        is_there = index < groups
        content = values[:, None] // _POWERS[np.where(is_there, behind, 0)] % _POWERS[widths]
        return np.where(is_there, self._first(widths) + content, PAD)

    def decode(self, tokens: Rows) -> Values:
        """Return the numbers that rows of tokens spell; -1 for what is no number.

        Leading zeros, tokens that are no digits and empty rows are no numbers.
        """
        is_there = tokens != PAD
        widths = np.searchsorted(self._first(np.arange(1, self.size + 1)), tokens, "right")
        content = np.where(is_there, tokens - self._first(widths), 0)
        values = np.zeros(len(tokens), dtype=np.int64)
        for width, group in zip(widths.T * is_there.T, content.T, strict=True):
            values = values * _POWERS[width] + group
        digits = (widths * is_there).sum(1)
        is_wrong = (is_there & (tokens >= self.vocab_size)).any(1)
        return np.where(is_wrong | (digits != digit_counts(values)), -1, values)

    def _first(self, widths: Values) -> Values:
        """Return the first token of groups of so many digits: 0, 10, 110 for 1, 2, 3."""
        return (_POWERS[widths] - 10) // 9
