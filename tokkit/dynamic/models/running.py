"""A torch model that also reads, and predicts, the new tokens of a batch.

Nothing of the model is changed: new tokens are read as embeddings, and the head is lengthened
for one call at a time, so that whatever a model does to embeddings and logits is done to new
tokens too.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.dynamic.models.rows import NewRows
from tokkit.lm.embed import embed

Side = Literal["left", "right"]


class Padded(NamedTuple):
    """Sequences of one length.

    Attributes:
        ids: The tokens, ``int64[b, n]``; 0 where there is none.
        mask: 1 where there is one, ``int64[b, n]``.
    """

    ids: torch.Tensor
    mask: torch.Tensor


def pad(
    sequences: Sequence[NDArray[np.integer[Any]]],
    *,
    start: Sequence[int] = (),
    side: Side = "right",
    device: Any = "cpu",
) -> Padded:
    """Put sequences into one tensor.

    Args:
        sequences: The ids of each, ``int[n]``.
        start: Ids to put before each.
        side: Where shorter ones are filled up.
        device: Where the tensor is to be.
    """
    rows = [[*start, *sequence.tolist()] for sequence in sequences]
    width = max(map(len, rows), default=0)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.zeros_like(ids)
    for number, row in enumerate(rows):
        place = slice(width - len(row), width) if side == "left" else slice(len(row))
        ids[number, place] = row
        mask[number, place] = 1
    return Padded(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))


class Extended:
    """A torch model with new tokens, which have ids from `base` on.

    Attributes:
        model: The torch model.
        base: The id of the first new token.
        rows: The rows of the new ones.
        device: Where its embedding is.
    """

    def __init__(self, model: Any, base: int, rows: NewRows) -> None:
        self.model = model
        self.base = base
        self.rows = rows
        self._embedding = model.get_input_embeddings()
        self.device = self._embedding.weight.device

    @torch.no_grad()
    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Return what the model's first layer is given.

        Args:
            ids: Tokens, ``int64[b, n]``.

        Returns:
            Embeddings, ``[b, n, hidden]``; scaled where the model's embedding scales.
        """
        is_new = ids >= self.base
        found: torch.Tensor = self._embedding(ids.masked_fill(is_new, 0))
        if is_new.any():
            found[is_new] = self._new[ids[is_new] - self.base].to(found.dtype)
        return found

    @cached_property
    def _new(self) -> torch.Tensor:
        """The embeddings of the new tokens, as the model's own embedding gives them."""
        rows = self._like(self.rows.input, self._embedding.weight)
        return embed(self._embedding, rows, torch.arange(len(rows), device=self.device))

    @torch.no_grad()
    def predict(self, **inputs: Any) -> torch.Tensor:
        """Run the model once, its head lengthened.

        Args:
            inputs: What its ``forward`` takes.

        Returns:
            Logits, ``[b, n, head rows + new tokens]``; see `columns`.
        """
        output = torch.func.functional_call(
            self.model, self._head, kwargs=inputs, tie_weights=False
        )
        logits: torch.Tensor = output.logits
        return logits

    def columns(self, ids: torch.Tensor) -> torch.Tensor:
        """Return where the logits of tokens are: heads may have more rows than base tokens."""
        gap = self.model.get_output_embeddings().weight.shape[0] - self.base
        return torch.where(ids >= self.base, ids + gap, ids)

    @cached_property
    def _head(self) -> dict[str, torch.Tensor]:
        """The parameters of the lengthened head, by their names in the model."""
        if not len(self.rows):
            return {}
        head = self.model.get_output_embeddings()
        name = next(name for name, each in self.model.named_modules() if each is head)
        new = self._like(self.rows.output, head.weight)
        found = {f"{name}.weight": torch.cat([head.weight.detach(), new])}
        bias = getattr(head, "bias", None)
        if bias is not None:
            own = np.zeros(len(new), np.float32) if self.rows.bias is None else self.rows.bias
            found[f"{name}.bias"] = torch.cat([bias.detach(), self._like(own, bias)])
        return found

    def _like(self, values: NDArray[np.float32], other: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(values).to(device=other.device, dtype=other.dtype)
