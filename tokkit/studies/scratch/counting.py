"""Counting a letter in strings whose tokens hold so many letters each."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import UsageError
from tokkit.studies.scratch.groups import Grouping, Values
from tokkit.studies.scratch.problems import Problems
from tokkit.studies.scratch.rows import PAD, Rows, column, join

LETTERS = "ab"
_BASE = len(LETTERS)
_MOST = 8
"""Tokens of 8 letters are 256, and with the shorter ones 510."""
_EQUALS, _END = range(2)
_DIGITS = Grouping("l2r", 1)
_HELD_OUT = 0xC0C0


@dataclass(frozen=True)
class Counting:
    """How often a letter is in a string: ``a abbab =`` is answered by ``2``.

    Every letter is drawn alike. The tokens of strings are all strings of 1 to `per_token`
    letters, of which only the last of a string may be short; answers are single digits
    whatever strings are.

    Attributes:
        per_token: How many letters a token holds.
        length: The fewest and the most letters of a string; each length is equally likely.
        held_out_count: How many problems no model is trained on.
    """

    per_token: int
    length: tuple[int, int] = (10, 20)
    held_out_count: int = 1000

    def __post_init__(self) -> None:
        """Refuse strings that are none.

        Raises:
            UsageError: If there are no such strings, or too few to hold some out.
        """
        low, high = self.length
        if not 1 <= low <= high <= 60:
            raise UsageError(f"strings of {low} to {high} letters: give 1 to 60, as in 10-20")
        if 10 * self.held_out_count > _BASE**high:
            raise UsageError(
                f"strings of up to {high} letters are too few to hold out "
                f"{self.held_out_count} of them: take longer ones"
            )

    @property
    def vocab_size(self) -> int:
        """How many tokens there are: digits, groups of letters, equals and end."""
        return self.end + 1

    @property
    def end(self) -> int:
        """The token that ends answers."""
        return _DIGITS.vocab_size + self._groups + _END

    @property
    def longest_answer(self) -> int:
        """How many tokens an answer has at most, with the one that ends it."""
        return len(str(self.length[1])) + 1

    @property
    def context(self) -> int:
        """How many tokens a question and its answer have at most."""
        return 2 + -(-self.length[1] // self.per_token) + self.longest_answer

    @cached_property
    def held_out(self) -> Problems:
        """The problems that no model is trained on."""
        return self._write(*self._held_out)

    def draw(self, chance: np.random.Generator, count: int) -> Problems:
        """Return other problems than those; the same ones in each tokenization."""
        letters, wanted = self._strings(chance, count)
        known = _codes(*self._held_out)
        while (bad := np.isin(_codes(letters, wanted), known)).any():
            letters[bad], wanted[bad] = self._strings(chance, int(bad.sum()))
        return self._write(letters, wanted)

    def read(self, answers: Rows) -> NDArray[np.int64]:
        """Return the numbers that tokens say; -1 for what is no answer."""
        is_over = (answers == self.end).any(1)
        digits = join(np.where(answers == self.end, PAD, answers))
        return np.where(is_over, _DIGITS.decode(digits), -1)

    @property
    def _groups(self) -> int:
        return int(_first(self.per_token + 1))

    @cached_property
    def _held_out(self) -> tuple[Rows, Values]:
        chance = np.random.default_rng([_HELD_OUT, *self.length])
        letters, wanted = self._strings(chance, 0)
        while len(wanted) < self.held_out_count:
            more = self._strings(chance, self.held_out_count)
            letters, wanted = np.append(letters, more[0], axis=0), np.append(wanted, more[1])
            # Each problem where it came first, so that the draw is not sorted.
            _, places = np.unique(_codes(letters, wanted), return_index=True)
            places.sort()
            letters, wanted = letters[places], wanted[places]
        return letters[: self.held_out_count], wanted[: self.held_out_count]

    def _strings(self, chance: np.random.Generator, count: int) -> tuple[Rows, Values]:
        """Return strings as numbers of letters, and the number of the one to count."""
        low, high = self.length
        sizes = chance.integers(low, high + 1, count)
        letters = chance.integers(0, _BASE, (count, high))
        wanted = chance.integers(0, _BASE, count)
        return np.where(np.arange(high) < sizes[:, None], letters, PAD), wanted

    def _write(self, letters: Rows, wanted: Values) -> Problems:
        """Return problems as tokens."""
        count, signs = len(letters), _DIGITS.vocab_size + self._groups
        truths = (letters == wanted[:, None]).sum(1)
        sizes = (letters != PAD).sum(1)
        middle = sum(self.length) // 2
        return Problems(
            join(
                # A letter alone is the same token in the question and in a string.
                _DIGITS.vocab_size + wanted[:, None],
                self._encode(letters),
                column(signs + _EQUALS, count),
            ),
            join(_DIGITS.encode(truths), column(self.end, count)),
            truths,
            np.where(sizes <= middle, f"up to {middle} letters", f"over {middle} letters"),
            {
                "letter": np.array(list(LETTERS))[wanted],
                "string": np.array([_spell(row) for row in letters]),
            },
        )

    def _encode(self, letters: Rows) -> Rows:
        """Return the tokens of strings, ``int64[n, groups of the longest]``."""
        size = self.per_token
        short = -letters.shape[1] % size
        cut = np.pad(letters, ((0, 0), (0, short)), constant_values=PAD)
        cut = cut.reshape(len(letters), -1, size)
        widths = (cut != PAD).sum(2)
        # The places of a short group are worth as much as if it ended the number.
        values = np.zeros(widths.shape, dtype=np.int64)
        for letter in np.moveaxis(cut, 2, 0):
            values = np.where(letter == PAD, values, values * _BASE + letter)
        return np.where(widths > 0, _DIGITS.vocab_size + _first(widths) + values, PAD)


def _spell(row: Rows) -> str:
    return "".join(LETTERS[letter] for letter in row if letter != PAD)


def parse_letters(name: str) -> int:
    """Read ``lettersK``: how many letters a token holds.

    Raises:
        UsageError: If it is something else.
    """
    found = re.fullmatch(r"letters(\d+)", name)
    if not found or not 1 <= int(found[1]) <= _MOST:
        raise UsageError(
            f"{name!r} is no way to cut strings: give lettersK, such as letters2, with 1 to "
            f"{_MOST} letters in a token"
        )
    return int(found[1])


def _first(widths: Values | int) -> Values:
    """Return the first group of so many letters, counted from 0: 0, 2, 6 for 1, 2, 3."""
    return np.asarray(_BASE ** np.maximum(widths, 1) - _BASE, dtype=np.int64) // (_BASE - 1)


def _codes(letters: Rows, wanted: Values) -> Values:
    """Return a number for each problem."""
    # A leading 1 tells strings of different lengths apart: 61 bits, and one for the question.
    codes = np.ones(len(letters), dtype=np.int64)
    for letter in letters.T:
        codes = np.where(letter == PAD, codes, codes * _BASE + letter)
    return codes * _BASE + wanted
