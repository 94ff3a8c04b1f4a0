"""One forward pass of a torch model for the new nodes of many trees."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.errors import ModelError
from tokkit.lm.hf_cache import Batch, batch_of
from tokkit.lm.hf_tree import HFTree
from tokkit.lm.model import Logprobs, Usage

BUDGET = 1 << 28
"""How many logits a forward pass may give at once."""


class Runner:
    """Runs a torch model over trees, or over the whole prefixes of their nodes.

    Attributes:
        model: The torch model.
        usage: Where forward passes are counted.
        windows: How far each kind of layer looks back, None: to the beginning. With one kind
            the model is given one mask, with several a mask for each by its name.
        vocab_size: How many logits there are for a position.
        device: Where the ids go.
        dtype: What the model computes in.
    """

    def __init__(self, model: Any, name: str, vocab_size: int) -> None:
        self.model = model
        self.name = name
        self.vocab_size = vocab_size
        self.usage = Usage()
        self.windows: Mapping[str, int | None] = {"full_attention": None}
        parameter = next(model.parameters())
        self.device = model.get_input_embeddings().weight.device
        self.dtype = parameter.dtype if parameter.is_floating_point() else model.dtype
        self._lowest = torch.finfo(self.dtype).min
        taken = inspect.signature(model.forward).parameters
        names = ("logits_to_keep", "num_logits_to_keep")
        self._keep = next((each for each in names if each in taken), None)
        self._pads = getattr(model.config, "pad_token_id", None) is not None

    @torch.inference_mode()
    def run_trees(self, trees: Sequence[HFTree]) -> list[Logprobs]:
        """Run the pending nodes of trees, with what is cached; return their rows.

        The trees become rows of one batch, unless that would be too much at once: then the
        first trees go first, and the first nodes of each.
        """
        rows: dict[int, list[Logprobs]] = {id(tree): [] for tree in trees}
        longest = max((len(tree.context) for tree in trees if not tree.evaluated), default=0)
        together = max(BUDGET // max(self.vocab_size, longest**2), 1)
        for start in range(0, len(trees), together):
            chunk = trees[start : start + together]
            while active := [tree for tree in chunk if tree.pending()]:
                batch = batch_of(active, chunk)
                counts = self._counts(batch.size, active)
                try:
                    found = self._step(batch, active, counts)
                except BaseException:
                    # Some layers may have cached what others have not.
                    for tree in active:
                        tree.batch, tree.reruns = None, True
                    raise
                for tree, own in zip(active, found, strict=True):
                    rows[id(tree)].append(own)
        empty = np.zeros((0, self.vocab_size), dtype=np.float32)
        return [_joined(rows[id(tree)], empty) for tree in trees]

    def _counts(self, size: int, trees: Sequence[HFTree]) -> list[int]:
        """Return how many nodes of each tree to run next, to keep within the budget."""
        slots = size + max(len(tree.new_tokens(tree.pending())) for tree in trees)
        most = max(BUDGET // (len(trees) * max(self.vocab_size, slots)), 1)
        # A long context goes alone: it needs no mask, which would be its length squared.
        return [
            1 if slots**2 > BUDGET and not tree.evaluated else min(tree.pending(), most)
            for tree in trees
        ]

    def _step(
        self, batch: Batch, trees: Sequence[HFTree], counts: Sequence[int]
    ) -> list[Logprobs]:
        """Run the next nodes of some trees of a batch and note where they are cached."""
        tokens = [tree.new_tokens(count) for tree, count in zip(trees, counts, strict=True)]
        cache = batch.take(trees)
        width = max(map(len, tokens))
        ids = np.zeros((len(trees), width), dtype=np.int64)
        depths = np.zeros((len(trees), width), dtype=np.int64)
        for row, (tree, own, count) in enumerate(zip(trees, tokens, counts, strict=True)):
            if own:
                ids[row, width - len(own) :] = own
                depths[row, width - len(own) :] = tree.new_depths(count)
        visible = self._visible(batch.size, trees, counts, [len(own) for own in tokens])
        output = self._forward(
            ids,
            max(counts),
            attention_mask=self._mask(visible, depths, trees),
            position_ids=torch.from_numpy(depths).to(self.device),
            past_key_values=cache,
            use_cache=True,
        )
        batch.put(trees, output.past_key_values, width)
        for row, (tree, count) in enumerate(zip(trees, counts, strict=True)):
            tree.settle(None if visible is None else visible[row], depths[row], count)
        return self._rows(output.logits, counts)

    def _visible(
        self, size: int, trees: Sequence[HFTree], counts: Sequence[int], lengths: Sequence[int]
    ) -> NDArray[np.bool_] | None:
        """Return which slots each new place sees, ``bool[b, n, s]``; None: all before it."""
        if size == 0 and len(trees) == 1 and trees[0].is_chain(counts[0]):
            return None
        width = max(lengths)
        visible = np.zeros((len(trees), width, size + width), dtype=np.bool_)
        for row, (tree, count, length) in enumerate(zip(trees, counts, lengths, strict=True)):
            if length < width:
                # What sees nothing at all would not be a number: an empty place sees itself.
                places = np.arange(width - length)
                visible[row, places, size + places] = True
            if length:
                tree.see(visible[row], count)
        return visible

    def _mask(
        self,
        visible: NDArray[np.bool_] | None,
        depths: NDArray[np.int64],
        trees: Sequence[HFTree],
    ) -> Any:
        """Return what to add to the attention scores, in the form the model takes it."""
        windows = self.windows.values()
        if visible is None:
            return self._plain(depths.shape)
        total = visible.shape[2]
        reach = min((window for window in windows if window), default=total)
        if depths.shape[1] == 1 and total <= reach and visible.all():
            return self._plain((len(trees), total))
        seen = dict.fromkeys(windows, visible)
        if total > reach:
            before = np.stack([tree.slot_depths() for tree in trees])
            behind = depths[:, :, None] - np.concatenate([before, depths], axis=1)[:, None, :]
            for window in set(windows) - {None}:
                seen[window] = visible & (behind < (window or 0))
        masks = {window: self._additive(each) for window, each in seen.items()}
        if len(self.windows) == 1:
            return next(iter(masks.values()))
        return {kind: masks[window] for kind, window in self.windows.items()}

    def _additive(self, visible: NDArray[np.bool_]) -> torch.Tensor:
        """Return 0 for what is seen and the lowest number for what is not, ``[b, 1, n, s]``."""
        hidden = torch.from_numpy(~visible[:, None]).to(self.device)
        zeros = torch.zeros(hidden.shape, dtype=self.dtype, device=self.device)
        return zeros.masked_fill_(hidden, self._lowest)

    def _plain(self, shape: tuple[int, ...]) -> torch.Tensor | None:
        """Return the mask that hides nothing; models that pad warn if there is none."""
        return torch.ones(shape, dtype=torch.int64, device=self.device) if self._pads else None

    def _forward(self, ids: NDArray[np.int64], last: int, **arguments: Any) -> Any:
        """Run the model once; the logits are those of the last so many places at least."""
        if self._keep:
            arguments[self._keep] = last
        self.usage.calls += 1
        self.usage.tokens += ids.size
        return self.model(input_ids=torch.from_numpy(ids).to(self.device), **arguments)

    def _rows(self, logits: torch.Tensor, counts: Sequence[int]) -> list[Logprobs]:
        """Return the log probabilities of the last places of each row of a batch."""
        if len(counts) == 1:
            flat = logits[0, logits.shape[1] - counts[0] :]
        else:
            parts = zip(logits, counts, strict=True)
            flat = torch.cat([part[part.shape[0] - count :] for part, count in parts])
        rows = self.logprobs(flat)
        bounds = np.cumsum([0, *counts]).tolist()
        return [rows[start:end] for start, end in pairwise(bounds)]

    def logprobs(self, logits: torch.Tensor) -> Logprobs:
        """Return the log probabilities that logits are, ``float[n, vocab_size]``.

        Raises:
            ModelError: If one is not a number.
        """
        if logits.dtype != torch.float64:
            logits = logits.float()
        rows: Logprobs = torch.log_softmax(logits, dim=-1).cpu().numpy()
        # One logit that is not a number makes its whole row so.
        if np.isnan(rows[:, :1]).any():
            raise ModelError(
                f"{self.name}: the model gives logits that are not numbers: its weights are "
                "damaged, or overflow in this dtype: try float32 (--dtype)"
            )
        return rows

    @torch.inference_mode()
    def run_prefixes(self, trees: Sequence[HFTree]) -> list[Logprobs]:
        """Run whole sequences that contain the pending nodes of trees; return their rows."""
        results: list[Logprobs] = []
        wanted = sorted(
            (path for number, tree in enumerate(trees) for path in _paths(number, tree)),
            key=lambda path: len(path[0]),
        )
        rows: dict[tuple[int, int], Logprobs] = {}
        for chunk in self._chunks(wanted):
            rows.update(self._run_paths(chunk))
        for number, tree in enumerate(trees):
            pending = range(tree.evaluated, tree.evaluated + tree.pending())
            results.append(np.stack([rows[number, node] for node in pending]))
            tree.evaluated += len(pending)
            # Some of its nodes are in no slot now: it cannot be run as a tree any more.
            tree.batch, tree.reruns = None, True
        return results

    def _chunks(self, paths: Sequence["_Path"]) -> Iterator[list["_Path"]]:
        """Split paths, the shortest first, so that the logits of each part are few enough."""
        chunk: list[_Path] = []
        for path in paths:
            if chunk and (len(chunk) + 1) * len(path[0]) * self.vocab_size > BUDGET:
                yield chunk
                chunk = []
            chunk.append(path)
        if chunk:
            yield chunk

    def _run_paths(self, paths: Sequence["_Path"]) -> Iterator[tuple[tuple[int, int], Any]]:
        """Run sequences side by side, padded at their ends, which none of them sees."""
        width = max(len(ids) for ids, _ in paths)
        ids = np.zeros((len(paths), width), dtype=np.int64)
        for row, (own, _) in zip(ids, paths, strict=True):
            row[: len(own)] = own
        first = min(place for _, nodes in paths for place, _, _ in nodes)
        plain = self._plain((len(paths), width))
        masked = {} if plain is None else {"attention_mask": plain}
        logits = self._forward(ids, width - first, use_cache=False, **masked).logits
        skipped = width - logits.shape[1]
        places = [(row, node) for row, (_, nodes) in enumerate(paths) for node in nodes]
        index = np.array([(row, node[0] - skipped) for row, node in places], dtype=np.int64)
        at = torch.from_numpy(index).to(logits.device)
        found = self.logprobs(logits[at[:, 0], at[:, 1]])
        return zip(((node[1], node[2]) for _, node in places), found, strict=True)


_Path = tuple[list[int], list[tuple[int, int, int]]]
"""A sequence, and the nodes on it: where, of which tree, which."""


def _paths(number: int, tree: HFTree) -> Iterator[_Path]:
    """Give sequences that contain every pending node of a tree once."""
    first = tree.evaluated
    taken = [False] * tree.pending()
    for leaf in range(first + len(taken) - 1, first - 1, -1):
        nodes = []
        node = leaf
        while node >= first and not taken[node - first]:
            taken[node - first] = True
            nodes.append((tree.depths[node], number, node))
            node = tree.parents[node]
        if nodes:
            yield tree.sequence(leaf), nodes


def _joined(parts: list[Logprobs], empty: Logprobs) -> Logprobs:
    """Return the rows of several forward passes as one array."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts or [empty])
