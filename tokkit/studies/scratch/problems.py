"""Questions with one right answer, as tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tokkit.studies.scratch.rows import Rows


@dataclass(frozen=True)
class Problems:
    """Some problems.

    Attributes:
        questions: Their tokens, ``int64[n, length]``.
        answers: The tokens of the right answers, with the one that ends them.
        truths: The right answers, ``int64[n]``.
        kinds: Of which kind each is, ``str[n]``.
        columns: What else a table of them says, ``[n]`` each.
    """

    questions: Rows
    answers: Rows
    truths: NDArray[np.int64]
    kinds: NDArray[np.str_]
    columns: Mapping[str, NDArray[np.generic]]


class Source(Protocol):
    """Problems of a task in one tokenization."""

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        ...

    @property
    def end(self) -> int:
        """The token that ends answers."""
        ...

    @property
    def longest_answer(self) -> int:
        """How many tokens an answer has at most, with the one that ends it."""
        ...

    @property
    def context(self) -> int:
        """How many tokens a question and its answer have at most."""
        ...

    @property
    def held_out(self) -> Problems:
        """The problems that no model is trained on."""
        ...

    def draw(self, chance: np.random.Generator, count: int) -> Problems:
        """Return other problems than those; the same ones in each tokenization."""
        ...

    def read(self, answers: Rows) -> NDArray[np.int64]:
        """Return the numbers that tokens say; -1 for what is no answer."""
        ...
