"""A torch model that predicts and reads the tokens of an index beside its own.

Its input embedding and its head are replaced by what knows both kinds of tokens, so that
whatever a model does before and behind them (scaling, capping) is done to new tokens too. The
head looks at all of the model's own tokens, and at those new ones that the index proposes.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.dynamic.writing.index import TokenIndex
from tokkit.errors import ModelError
from tokkit.lm.embed import embed
from tokkit.lm.hf import HFModel

_NN: Any = torch.nn


class Candidates(NamedTuple):
    """Tokens that may come next.

    Attributes:
        ids: In ascending order, ``int64[k]``; new tokens have ids from the number of rows of
            the model on.
        logits: What the model says of each, ``float32[k]``.
    """

    ids: NDArray[np.int64]
    logits: NDArray[np.float32]


class Retrieval:
    """A model with the tokens of an index, while this is entered; then it is as before.

    Attributes:
        base: The id of the first new token.
        steps: Of how many states it was asked what all rows say (with `exact`).
        found: How often the greatest logit of all was among the candidates.
        found_new: How often that of all new tokens was.
    """

    def __init__(
        self,
        model: HFModel,
        index: TokenIndex | None,
        *,
        top_k: int,
        boost: float = 0.0,
        exact: bool = False,
    ) -> None:
        """Take a model and the index that was made for it.

        Args:
            model: The model.
            index: New tokens; None: the model has its own alone.
            top_k: How many candidates there are at most.
            boost: What is added to the logits of new tokens.
            exact: Whether to look at all rows too, to see what the index missed.

        Raises:
            ModelError: If the index was made for a model of another shape or tokenizer.
        """
        self._model = model
        self._top_k = top_k
        self._boost = boost
        self._cache: Any = None
        self._length = 0
        self._embedding = model.model.get_input_embeddings()
        self._head = model.model.get_output_embeddings()
        self.base = int(self._head.weight.shape[0])
        self.steps = self.found = self.found_new = 0
        self._parts: list[tuple[Any, Any]] = []
        self._finder: _Head | None = None
        if index is not None:
            self._check(index)
            self._finder = _Head(self._head, index, top_k, exact)
            lookup = _Lookup(self._embedding, index, self.base)
            self._parts = [(self._embedding, lookup), (self._head, self._finder)]

    def _check(self, index: TokenIndex) -> None:
        """Refuse an index whose rows or ids do not fit."""
        said = index.account
        has_bias = getattr(self._head, "bias", None) is not None
        fits = (self.base, self._head.weight.shape[1], has_bias) == (
            said.base,
            said.hidden,
            said.bias,
        )
        if not fits or said.tokenizer != self._model.tokenizer.digest:
            raise ModelError(
                f"{index.folder}: the index is of another model than {self._model.name}: make "
                "one for this (tokkit dynamic index)"
            )

    def __enter__(self) -> Self:
        for old, new in self._parts:
            _replace(self._model.model, old, new)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for old, new in self._parts:
            _replace(self._model.model, new, old)

    @torch.inference_mode()
    def read(self, ids: Sequence[int]) -> Candidates:
        """Read tokens behind those read before, and return what may come next.

        Raises:
            ModelError: If the model keeps no cache, or gives logits that are no numbers.
        """
        self._length += len(ids)
        device = self._embedding.weight.device
        output = self._model.model(
            input_ids=torch.tensor([list(ids)], device=device),
            attention_mask=torch.ones((1, self._length), dtype=torch.int64, device=device),
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache = getattr(output, "past_key_values", None)
        if self._cache is None:
            told = "keeps no keys and values to go on from: take a model with attention"
            raise ModelError(f"{self._model.name}: {told}")
        logits = output.logits[0, -1].float().cpu().numpy().copy()
        if np.isnan(logits).any():
            raise ModelError(
                f"{self._model.name}: the model gives logits that are not numbers: its weights "
                "are damaged, or overflow in this dtype: try float32 (--dtype)"
            )
        return self._best(logits)

    def _best(self, logits: NDArray[np.float32]) -> Candidates:
        """Return the candidates with the greatest logits, of equal ones the lowest ids."""
        ids = np.arange(self.base, dtype=np.int64)
        if self._finder is not None:
            self._judge(self._finder)
            ids = np.concatenate([ids, self.base + self._finder.proposed])
            logits[self.base :] += self._boost
        kept = _greatest(logits, self._top_k)
        return Candidates(ids[kept], logits[kept])

    def _judge(self, finder: "_Head") -> None:
        """Note whether the greatest of all products was among those looked at."""
        if finder.products is None:
            return
        self.steps += 1
        is_new = bool(finder.products.max() > finder.own)
        found = bool(finder.products[finder.proposed].max() >= finder.products.max())
        self.found_new += found
        self.found += found or not is_new


def _greatest(logits: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Return where the greatest are, ascending; of equal ones the first."""
    if logits.size <= count:
        return np.arange(logits.size)
    least = np.partition(logits, -count)[-count]
    above = np.flatnonzero(logits > least)
    equal = np.flatnonzero(logits == least)[: count - above.size]
    return np.sort(np.concatenate([above, equal]))


def _replace(model: Any, old: Any, new: Any) -> None:
    """Put a module where another is."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if child is old and parent is not new:
                setattr(parent, name, new)


class _Beside(_NN.Module):  # type: ignore[misc]
    """What stands for a module of a model, and uses it."""

    def __init__(self, inner: Any, index: TokenIndex) -> None:
        super().__init__()
        # Not registered: the model is to have each parameter once.
        object.__setattr__(self, "inner", inner)
        self.index = index

    @property
    def weight(self) -> Any:
        """The model's own rows, which some models ask for their dtype."""
        return self.inner.weight

    def like(self, rows: Any) -> torch.Tensor:
        """Return rows as the model has its own."""
        return torch.from_numpy(rows).to(device=self.weight.device, dtype=self.weight.dtype)


class _Lookup(_Beside):
    """Reads tokens of both kinds."""

    def __init__(self, inner: Any, index: TokenIndex, base: int) -> None:
        super().__init__(inner, index)
        self.base = base

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        is_new = ids >= self.base
        found: torch.Tensor = self.inner(ids.masked_fill(is_new, 0))
        if is_new.any():
            numbers = (ids[is_new] - self.base).cpu().numpy()
            places = torch.arange(len(numbers), device=ids.device)
            rows = self.like(self.index.input[numbers])
            found[is_new] = embed(self.inner, rows, places)
        return found


class _Head(_Beside):
    """Says what comes next: all of the model's tokens, then the new ones that are proposed.

    Attributes:
        proposed: The new tokens that were looked at last, ``int64[k]``.
        products: The products of the last state with all new rows, if wanted.
        own: The greatest of those with the model's own.
    """

    def __init__(self, inner: Any, index: TokenIndex, count: int, exact: bool) -> None:
        super().__init__(inner, index)
        self.count = count
        self.exact = exact
        self.proposed: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.products: NDArray[np.float32] | None = None
        self.own = 0.0

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        last = states[:, -1:]
        state = last[0, 0].float().cpu().numpy()
        own = self.inner(last)
        self.proposed = self.index.search(state, self.count)
        rows = {"weight": self.like(self.index.output[self.proposed])}
        if self.index.bias is not None:
            rows["bias"] = self.like(self.index.bias[self.proposed])
        new = torch.func.functional_call(self.inner, rows, (last,))
        if self.exact:
            self.products = self.index.logits(state)
            self.own = float(own.max())
        return torch.cat([own, new], dim=-1)
