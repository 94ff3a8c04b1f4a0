"""Addition: ``a+b=`` with operands of random length, which length drawn first, then digits."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import UsageError
from tokkit.studies.scratch.groups import Grouping, Values, digit_counts
from tokkit.studies.scratch.problems import Problems
from tokkit.studies.scratch.rows import PAD, Rows, column, join

MATCH, MISMATCH = "length match", "length mismatch"
_PLUS, _EQUALS, _END = range(3)
_HELD_OUT = 0x5EED
"""Of the held-out problems, which are the same whatever the models' seeds are."""


@dataclass(frozen=True)
class Addition:
    """Problems of addition, numbers cut by a `Grouping`.

    A problem is a length match if an operand has as many digits as the answer: then groups
    from the left cut that operand and the answer at the same places.

    Attributes:
        grouping: How numbers are cut.
        digits: The fewest and the most digits of an operand; each length is equally likely.
        held_out_count: How many problems no model is trained on, nor on them with the
            operands exchanged.
    """

    grouping: Grouping
    digits: tuple[int, int] = (2, 4)
    held_out_count: int = 1000

    def __post_init__(self) -> None:
        """Refuse operands that are none.

        Raises:
            UsageError: If there are no such operands, or too few to hold some out.
        """
        low, high = self.digits
        if not 1 <= low <= high <= 9:
            raise UsageError(f"operands of {low} to {high} digits: give 1 to 9, as in 2-4")
        # Ten times as many, so that what is held out is a small part of the shortest problems.
        if 10 * self.held_out_count > 10 ** (2 * high):
            raise UsageError(
                f"operands of up to {high} digits make too few problems to hold out "
                f"{self.held_out_count} of them: take longer ones"
            )

    @property
    def vocab_size(self) -> int:
        """How many tokens there are: numbers, plus, equals and end."""
        return self.grouping.vocab_size + 3

    @property
    def end(self) -> int:
        """The token that ends answers."""
        return self.grouping.vocab_size + _END

    @property
    def longest_answer(self) -> int:
        """How many tokens an answer has at most, with the one that ends it."""
        return self.grouping.most_tokens(self.digits[1] + 1) + 1

    @property
    def context(self) -> int:
        """How many tokens a question and its answer have at most."""
        return 2 * self.grouping.most_tokens(self.digits[1]) + 2 + self.longest_answer

    @cached_property
    def held_out(self) -> Problems:
        """The problems that no model is trained on."""
        first, second = self._held_out
        return self._write(first, second)

    def draw(self, chance: np.random.Generator, count: int) -> Problems:
        """Return other problems than those; the same ones in each tokenization."""
        first, second = self._operands(chance, count)
        known = _unordered(*self._held_out)
        while (bad := np.isin(_unordered(first, second), known)).any():
            first[bad], second[bad] = self._operands(chance, int(bad.sum()))
        return self._write(first, second)

    def read(self, answers: Rows) -> NDArray[np.int64]:
        """Return the numbers that tokens say; -1 for what is no answer."""
        is_over = (answers == self.end).any(1)
        return np.where(is_over, self.grouping.decode(_without(answers, self.end)), -1)

    @cached_property
    def _held_out(self) -> tuple[Values, Values]:
        chance = np.random.default_rng([_HELD_OUT, *self.digits])
        first, second = self._operands(chance, 0)
        while len(first) < self.held_out_count:
            more = self._operands(chance, self.held_out_count)
            first, second = np.append(first, more[0]), np.append(second, more[1])
            # Each problem where it came first, so that the draw is not sorted.
            _, places = np.unique(_unordered(first, second), return_index=True)
            places.sort()
            first, second = first[places], second[places]
        return first[: self.held_out_count], second[: self.held_out_count]

    def _operands(self, chance: np.random.Generator, count: int) -> tuple[Values, Values]:
        low, high = self.digits
        sizes = chance.integers(low, high + 1, (2, count))
        values = chance.integers(10 ** (sizes - 1), 10**sizes)
        return values[0], values[1]

    def _write(self, first: Values, second: Values) -> Problems:
        """Return problems as tokens."""
        count, signs = len(first), self.grouping.vocab_size
        truths = first + second
        size = digit_counts(truths)
        matches = (digit_counts(first) == size) | (digit_counts(second) == size)
        return Problems(
            join(
                self.grouping.encode(first),
                column(signs + _PLUS, count),
                self.grouping.encode(second),
                column(signs + _EQUALS, count),
            ),
            join(self.grouping.encode(truths), column(self.end, count)),
            truths,
            np.where(matches, MATCH, MISMATCH),
            {"first": first, "second": second},
        )


def _unordered(first: Values, second: Values) -> Values:
    """Return a number for each pair of operands, the same for both orders."""
    return np.minimum(first, second) * 10**9 + np.maximum(first, second)


def _without(rows: Rows, token: int) -> Rows:
    """Return rows without one token."""
    return join(np.where(rows == token, PAD, rows))
