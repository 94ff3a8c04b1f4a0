"""Keys and values of several trees in one cache: how rows and slots are moved about."""

from collections.abc import Sequence
from typing import Any
from weakref import ref

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from tokkit.lm.hf_tree import HFTree

SPARE = 64
"""How many slots nobody needs there may be, and a quarter of the others."""

Layers = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of each layer, ``[rows, heads, slots, width]``."""


class Batch:
    """A cache whose rows belong to trees that are run together, all or some of them.

    Attributes:
        cache: What is given to the model.
        members: The tree of each row; trees hold their batch, not the other way round.
        size: How many slots each row has; more than a tree needs where another has more.
        gather_at: From how many slots on it is worth looking for those nobody needs.
    """

    def __init__(
        self, layers: Sequence[tuple[Any, ...]], trees: Sequence[HFTree], size: int
    ) -> None:
        self.cache = _cache(layers)
        self.members = [ref(tree) for tree in trees]
        self.size = size
        self.gather_at = SPARE + size + size // 4
        for row, tree in enumerate(trees):
            tree.batch, tree.row = self, row
            tree.pad(size)

    def take(self, trees: Sequence[HFTree]) -> Any:
        """Return a cache with the rows of these trees, in their order, to be run with them."""
        rows = [tree.row for tree in trees]
        for tree in trees:
            tree.pad(self.size)
        if rows == list(range(len(self.members))):
            return self.cache
        index = torch.tensor(rows)
        return _cache(
            [tuple(each[index.to(each.device)] for each in pair) for pair in layers(self.cache)]
        )

    def put(self, trees: Sequence[HFTree], cache: Any, width: int) -> None:
        """Take the new slots of a cache that `take` gave; other rows have nothing in them."""
        if [tree.row for tree in trees] == list(range(len(self.members))):
            self.cache = cache
        else:
            index = torch.tensor([tree.row for tree in trees])
            old: list[Any] = list(layers(self.cache)) or [()] * len(layers(cache))
            pairs = zip(old, layers(cache), strict=True)
            self.cache = _cache([self._joined(*pair, index) for pair in pairs])
        self.size += width

    def _joined(self, old: Any, new: Any, index: torch.Tensor) -> tuple[Any, ...]:
        """Lay the new slots of some rows after the old slots of all, keys and values."""
        joined = []
        for number, each in enumerate(new):
            added = each[:, :, self.size :]
            whole = added.new_zeros((len(self.members), *added.shape[1:]))
            whole[index.to(whole.device)] = added
            joined.append(torch.cat([old[number], whole], dim=2) if old else whole)
        return tuple(joined)


def layers(cache: Any) -> Layers:
    """Return the tensors of a cache, found elsewhere in older versions of transformers."""
    if hasattr(cache, "layers"):
        return [(layer.keys, layer.values) for layer in cache.layers]
    return list(zip(cache.key_cache, cache.value_cache, strict=True))


def _cache(content: Sequence[tuple[Any, ...]]) -> Any:
    """Make a cache of tensors."""
    cache = DynamicCache()
    for number, (keys, values) in enumerate(content):
        cache.update(keys, values, number)
    return cache


def batch_of(active: Sequence[HFTree], trees: Sequence[HFTree]) -> Batch:
    """Return a batch that has all of the `active` trees, made of all `trees` if need be.

    A few trees that used to be run with many others leave them.
    """
    batch = active[0].batch
    if batch is None or any(tree.batch is not batch for tree in active):
        return _gathered(trees)
    if len(trees) * 4 < len(batch.members):
        return _gathered(trees)
    if batch.size < batch.gather_at:
        return batch
    return _gathered([tree for tree in (member() for member in batch.members) if tree])


def _gathered(trees: Sequence[HFTree]) -> Batch:
    """Put trees into one batch that were in one, several or none, and only what they need."""
    batches = [tree.batch for tree in trees]
    rows = [tree.row for tree in trees]
    needed = [tree.forget() for tree in trees]
    size = max(slots.size for slots in needed)
    first = batches[0]
    if size == 0:
        return Batch([], trees, 0)
    if first is not None and all(batch is first for batch in batches):
        return Batch(_selected(layers(first.cache), rows, needed, size), trees, size)
    parts: list[Layers] = [[] if each is None else layers(each.cache) for each in batches]
    count = max(map(len, parts))
    whole = [
        tuple(
            _stacked([(part[number][which] if part else None) for part in parts], rows, needed)
            for which in (0, 1)
        )
        for number in range(count)
    ]
    return Batch(whole, trees, size)


def _selected(
    old: Layers, rows: Sequence[int], slots: Sequence[NDArray[np.int64]], size: int
) -> Layers:
    """Take some slots of some rows; rows that need fewer get slot 0 as often as it takes."""
    index = np.zeros((len(rows), size), dtype=np.int64)
    for places, own in zip(index, slots, strict=True):
        places[: own.size] = own

    def taken(whole: torch.Tensor) -> torch.Tensor:
        at = torch.tensor(rows, device=whole.device)[:, None]
        return whole[at, :, torch.from_numpy(index).to(whole.device)].transpose(1, 2)

    return [(taken(keys), taken(values)) for keys, values in old]


def _stacked(
    parts: Sequence[Any], rows: Sequence[int], slots: Sequence[NDArray[np.int64]]
) -> torch.Tensor:
    """Take some slots of one row of each tensor; None has none."""
    like = next(part for part in parts if part is not None)
    size = max(own.size for own in slots)
    whole: torch.Tensor = like.new_zeros((len(parts), like.shape[1], size, like.shape[3]))
    for number, (part, row, own) in enumerate(zip(parts, rows, slots, strict=True)):
        if part is not None:
            whole[number, :, : own.size] = part[row][:, torch.from_numpy(own).to(part.device)]
    return whole
