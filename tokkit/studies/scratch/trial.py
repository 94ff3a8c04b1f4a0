"""What one run of the study trains and measures: a task in one tokenization."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from tokkit.lm.train_run import Run

ALL = "all"
Column = NDArray[Any]


@dataclass(frozen=True)
class Measured:
    """What a model does on what is held out.

    Attributes:
        value: The share of right answers, or bits per byte.
        counts: How many answers of each kind there are, and how many are right: `ALL`, the
            kinds of problems, and ``digit 1`` (the last one), ``digit 2`` and so on; empty
            where nothing is right or wrong.
        columns: One value per problem or text, ``[n]`` each.
    """

    value: float
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)


class Trial(Protocol):
    """A task in one tokenization."""

    @property
    def tokenization(self) -> str:
        """Its name."""
        ...

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        ...

    @property
    def begins(self) -> int:
        """The token that begins texts, or what takes its place."""
        ...

    @property
    def ends(self) -> int:
        """The token that ends answers or texts."""
        ...

    @property
    def context(self) -> int:
        """How many tokens a sequence has at most."""
        ...

    @property
    def digest(self) -> str:
        """Of all that it is trained on, as far as its name does not say that."""
        ...

    def advance(self, run: Run) -> int:
        """Take the next step of a run, and return how many tokens the model read."""
        ...

    def measure(self, model: Any) -> Measured:
        """Measure a model on what is held out."""
        ...
