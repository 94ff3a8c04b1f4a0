"""What the probabilities of bytes are computed with, for one model and one definition."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.results import Segmentation
from tokkit.byteprobs.surface import Surface
from tokkit.canonical.protocols import Flags, Grammar
from tokkit.kernels.marginals import spread_first
from tokkit.lm.model import LanguageModel, Logprobs
from tokkit.token_table import TokenTable


@dataclass(frozen=True)
class Masses:
    """What a model gives to the tokens after one sequence.

    Attributes:
        row: Log probabilities of the next token, ``float[V]``.
        probs: Their exponentials.
        flags: Which tokens are allowed.
        first: The probability of all of those that begin with each byte, ``float64[256]``.
        total: The probability of all of them.
        end: The probability that the text ends, if it can.
        log_norm: What weights are divided by at this step, as a logarithm.
    """

    row: Logprobs
    probs: NDArray[np.float64]
    flags: Flags
    first: NDArray[np.float64]
    total: float
    end: float
    log_norm: float


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
        # Rare strings may have less than the least number that single precision has.
        probs = np.exp(row.astype(np.float64))
        flags = self.grammar.allowed(state)
        first = np.zeros(256)
        spread_first(probs, flags, self.table.first, first)
        total = float(first.sum())
        end = float(probs[self._ends].sum()) if self.grammar.can_end(state) else 0.0
        # Where nothing at all is left, no weight is, whatever it is divided by.
        is_scaled = self.segmentation == "renorm" and total + end > 0
        log_norm = float(np.log(total + end)) if is_scaled else 0.0
        return Masses(row, probs, flags, first, total, end, log_norm)

    def special(self, masses: Masses) -> float:
        """Return what is given to ids that neither carry text nor end it."""
        return float(masses.probs[self._silent].sum())
