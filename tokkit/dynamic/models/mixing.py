"""Rows of new tokens mixed from those of their parts, as when transplanting."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.dynamic.models.rows import NewRows, Parts
from tokkit.hypernet.source import SourceRows
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.context import UNUSED, Alignment, Auxiliary, Context, Side
from tokkit.transplant.matrix import Matrix
from tokkit.transplant.plan import Plan
from tokkit.transplant.planning import make_plan
from tokkit.vocab import Vocabulary
from tokkit.weights.encoding import Values


class Remembering:
    """Asks an encoder about every text once: batches have most of theirs in common."""

    def __init__(self, encoder: Auxiliary) -> None:
        self._encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector per text, ``float32[n, d]``."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


class MixedRows:
    """Rows mixed from those of the parts, as methods of `tokkit.transplant` have it."""

    def __init__(
        self,
        source: SourceRows,
        method_in: str = "last",
        method_out: str = "front-shrunk",
        *,
        auxiliary: Auxiliary | None = None,
    ) -> None:
        """Take the rows of a model.

        Args:
            source: The rows of the model's own tokens.
            method_in: The name of a method for what is read.
            method_out: The same for what is predicted with.
            auxiliary: Encodes texts, for methods that need it.
        """
        self.name = method_in if method_in == method_out else f"{method_in}/{method_out}"
        self._tokenizer = source.tokenizer
        self._methods = method_in, method_out
        self._auxiliary = auxiliary
        self._used = source.used
        self._input = _values(source.input)
        self._output = self._input if source.output is None else _values(source.output)
        self._bias = None if source.bias is None else _values(source.bias[:, None])

    def rows(self, tokens: Sequence[bytes], parts: Parts) -> NewRows:
        """Return the rows of new tokens; see `TokenRows`."""
        if not tokens:
            nothing = np.zeros((0, self._input.shape[1]), dtype=np.float32)
            bias = None if self._bias is None else nothing[:, 0]
            return NewRows(nothing, nothing, bias)
        plan = self._plan(tokens, parts)
        bias = None if self._bias is None else _made(plan, "output", self._bias)[:, 0]
        return NewRows(
            _made(plan, "input", self._input), _made(plan, "output", self._output), bias
        )

    def _plan(self, tokens: Sequence[bytes], parts: Parts) -> Plan:
        """Plan as for a tokenizer which has these tokens, and none of the model's."""
        count = len(tokens)
        alignment = Alignment(
            np.full(count, -1, dtype=np.int32),
            np.full(count, UNUSED, dtype=np.uint8),
            np.arange(count, dtype=np.int32),
            np.cumsum([len(own) for own in parts], dtype=np.int64),
            np.array([part for own in parts for part in own], dtype=np.int32),
            self._used,
            np.zeros(0, dtype=np.int32),
        )
        target = Tokenizer(Vocabulary(tuple(tokens)), LongestMatch(tokens, unknown_id=0))
        context = Context(self._tokenizer, target, alignment, tokens, auxiliary=self._auxiliary)
        return make_plan(context, *self._methods)


def _values(tensor: torch.Tensor) -> Values:
    """Return a tensor as a checkpoint has it; bfloat16 as its bits."""
    plain = tensor.detach().cpu().contiguous()
    found: Values = (
        plain.view(torch.uint16) if plain.dtype == torch.bfloat16 else plain
    ).numpy()
    return found


def _made(plan: Plan, side: Side, values: Values) -> NDArray[np.float32]:
    """Return the rows that a plan makes of a matrix."""
    found: NDArray[np.float32] = np.concatenate(
        list(Matrix(plan, side, values).blocks(len(plan.target), "F32"))
    )
    return found
