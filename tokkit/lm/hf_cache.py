"""Keys and values of several trees in one cache: how rows and slots are moved about."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from tokkit.lm.hf_tree import HFTree

Layers = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of each layer, ``[rows, heads, slots, width]``."""


class Batch:
    """A cache whose rows belong to trees that are run together.

    Attributes:
        cache: What is given to the model.
        rows: How many trees there are.
        size: How many slots each row has; more than a tree needs where another has more.
        gather_at: From how many slots on it is worth looking for those nobody needs.
    """

    def __init__(self, cache: Any, rows: int, size: int) -> None:
        self.cache = cache
        self.rows = rows
        self.size = size
        self.gather_at = 64 + size + size // 4

    def layers(self) -> Layers:
        """Return the tensors, which are found elsewhere in older versions of transformers."""
        if hasattr(self.cache, "layers"):
            return [(layer.keys, layer.values) for layer in self.cache.layers]
        return list(zip(self.cache.key_cache, self.cache.value_cache, strict=True))


def batch_of(trees: Sequence[HFTree]) -> tuple[Batch, list[HFTree]]:
    """Return a batch with just these trees, and the trees in the order of its rows."""
    batch = trees[0].batch
    together = batch is not None and batch.rows == len(trees)
    if batch is None or not together or any(tree.batch is not batch for tree in trees):
        return _regroup(trees), list(trees)
    ordered = sorted(trees, key=lambda tree: tree.row)
    if batch.size < batch.gather_at:
        return batch, ordered
    return _compact(batch, ordered), ordered


def _compact(batch: Batch, trees: Sequence[HFTree]) -> Batch:
    """Leave out the slots that no row needs."""
    needed = [tree.forget() for tree in trees]
    size = max(slots.size for slots in needed)
    if size == batch.size:
        batch.gather_at = Batch(None, 0, size).gather_at
        return batch
    index = torch.from_numpy(_padded(needed, size))
    rows = torch.arange(len(trees))[:, None]

    def gathered(whole: torch.Tensor) -> torch.Tensor:
        places = index.to(whole.device)
        return whole[rows.to(whole.device), :, places].transpose(1, 2)

    layers = [(gathered(keys), gathered(values)) for keys, values in batch.layers()]
    return _settle(trees, layers, size)


def _regroup(trees: Sequence[HFTree]) -> Batch:
    """Put trees together that were in different batches, or in none."""
    sources = [tree.batch for tree in trees]
    rows = [tree.row for tree in trees]
    needed = [tree.forget() for tree in trees]
    size = max(slots.size for slots in needed)
    if size == 0:
        return _settle(trees, [], 0)
    parts: list[Layers] = [[] if source is None else source.layers() for source in sources]
    like = next(layers for layers in parts if layers)
    layers = []
    for number, pair in enumerate(like):
        stacked = []
        for which, example in enumerate(pair):
            shape = (len(trees), example.shape[1], size, example.shape[3])
            whole = example.new_zeros(shape)
            for at, (part, row, slots) in enumerate(zip(parts, rows, needed, strict=True)):
                if part:
                    index = torch.from_numpy(slots).to(example.device)
                    whole[at, :, : slots.size] = part[number][which][row][:, index]
            stacked.append(whole)
        layers.append(tuple(stacked))
    return _settle(trees, layers, size)


def _settle(trees: Sequence[HFTree], layers: Sequence[tuple[Any, ...]], size: int) -> Batch:
    """Make a batch of tensors and tell the trees where they are in it."""
    cache = DynamicCache()
    for number, (keys, values) in enumerate(layers):
        cache.update(keys, values, number)
    batch = Batch(cache, len(trees), size)
    for row, tree in enumerate(trees):
        tree.batch, tree.row = batch, row
        tree.pad(size)
    return batch


def _padded(slots: Sequence[NDArray[np.int64]], size: int) -> NDArray[np.int64]:
    """Lay index arrays one below the other; what is missing points to slot 0."""
    index = np.zeros((len(slots), size), dtype=np.int64)
    for row, own in zip(index, slots, strict=True):
        row[: own.size] = own
    return index
