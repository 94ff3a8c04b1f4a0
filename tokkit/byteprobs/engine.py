"""What the probabilities of bytes are computed with, for one model and one definition."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.canonical.protocols import Flags, Grammar
from tokkit.byteprobs.results import Segmentation
from tokkit.byteprobs.surface import Surface
from tokkit.byteprobs.table import TokenTable
from tokkit.kernels.marginals import sum_allowed
from tokkit.lm.model import LanguageModel, Logprobs

_TINY = 1e-30
"""Sums below this are computed again with the exponents that float64 has."""


@dataclass(frozen=True)
class Masses:
    """What a model gives to the tokens after one sequence.

    Attributes:
        row: Log probabilities of the next token, ``float[V]``.
        probs: Their exponentials.
        flags: Which tokens are allowed.
        total: The probability of all of those.
        end: The probability that the text ends, if it can.
        log_norm: What weights are divided by at this step, as a logarithm.
    """

    row: Logprobs
    probs: NDArray[np.float64]
    flags: Flags
    total: float
    end: float
    log_norm: float

    @cached_property
    def wide(self) -> NDArray[np.float64]:
        """The exponentials taken in double precision, for what is too rare for single."""
        return np.exp(self.row.astype(np.float64))


@dataclass(frozen=True, eq=False)
class Engine:
    """A model, its tokenizer and a definition.

    Attributes:
        model: The model.
        surface: What its tokens spell.
        table: The same, sorted.
        grammar: Which sequences count.
        segmentation: Which definition holds.
        beam: With ``all``, how many sequences of one length are followed at most.
        speculate: Whether what probably comes next is evaluated beforehand.
        ends: The ids that end a text.
    """

    model: LanguageModel
    surface: Surface
    table: TokenTable
    grammar: Grammar
    segmentation: Segmentation
    beam: int | None
    speculate: bool
    ends: frozenset[int]
    _ends: NDArray[np.int64] = field(init=False)
    _silent: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        ends = np.array(sorted(self.ends), dtype=np.int64)
        silent = np.flatnonzero(self.table.carries == 0)
        object.__setattr__(self, "_ends", ends)
        object.__setattr__(self, "_silent", np.setdiff1d(silent, ends))

    def weigh(self, row: Logprobs, state: int) -> Masses:
        """Take in the log probabilities of the tokens after a sequence in `state`."""
        probs = np.exp(row).astype(np.float64, copy=False)
        flags = self.grammar.allowed(state)
        total = sum_allowed(probs, flags)
        end = 0.0
        if self.grammar.can_end(state):
            end = float(np.exp(row[self._ends].astype(np.float64)).sum())
        masses = Masses(row, probs, flags, total, end, 0.0)
        if total + end < _TINY:
            total = sum_allowed(masses.wide, flags)
            masses = Masses(row, masses.wide, flags, total, end, 0.0)
        # Where nothing at all is left, no weight is, whatever it is divided by.
        if self.segmentation == "renorm" and total + end > 0:
            return replace(masses, log_norm=float(np.log(total + end)))
        return masses

    def special(self, masses: Masses) -> float:
        """Return what is given to ids that neither carry text nor end it."""
        return float(masses.probs[self._silent].sum(dtype=np.float64))
