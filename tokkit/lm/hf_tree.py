"""Token sequences that share their beginnings, and where a cache keeps each of their tokens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokkit.lm.hf_cache import Batch

_MASKS_KEPT = 256
"""So many nodes at most remember what they see; others find out from their ancestors."""

_FORGOTTEN = -1
"""The slot of a node that nothing may be added to any more."""


class HFTree:
    """A tree of tokens below a context, and the cache slots of those that were run.

    A slot is a place along a cache's axis of positions; which slots a node sees is what makes
    the tree: those of the context and of its ancestors, and its own.

    Attributes:
        context: The ids of node 0.
        tokens: The last id of each node.
        parents: The parent of each node, -1 for node 0.
        depths: The place of each node's last token in its sequence, counted from 0.
        evaluated: How many nodes have been run.
        batch: The cache the tree has a row in; None: nothing is kept.
        row: Which row that is.
        reruns: Whether whole prefixes are run for it, because slots will not do.
    """

    def __init__(self, context: tuple[int, ...]) -> None:
        self.context = context
        self.tokens = [context[-1]]
        self.parents = [-1]
        self.depths = [len(context) - 1]
        self.evaluated = 0
        self.batch: Batch | None = None
        self.row = 0
        self.reruns = False
        self._slots: list[int] = []
        self._context_slots = np.zeros(0, dtype=np.int64)
        self._depth_of_slot = np.zeros(0, dtype=np.int64)
        self._kept: set[int] = {0}
        self._live: list[int] = []
        self._masks: dict[int, NDArray[np.bool_]] = {}

    def add(self, parent: int, token: int) -> int:
        """Add a node below `parent` and return its number.

        Raises:
            ValueError: If there is no such parent.
        """
        if not 0 <= parent < len(self.parents):
            raise ValueError(f"node {parent} of a tree of {len(self.parents)} does not exist")
        self.tokens.append(int(token))
        self.parents.append(parent)
        self.depths.append(self.depths[parent] + 1)
        return len(self.parents) - 1

    def keep(self, nodes: Sequence[int]) -> None:
        """Promise that only these nodes and what comes below them are added to from now on."""
        self._kept = set(nodes)

    def pending(self) -> int:
        """Return how many nodes have not been run."""
        return len(self.parents) - self.evaluated

    def sequence(self, node: int) -> list[int]:
        """Return the whole sequence of a node."""
        ids = []
        while node > 0:
            ids.append(self.tokens[node])
            node = self.parents[node]
        return [*self.context, *ids[::-1]]

    def new_tokens(self, count: int) -> list[int]:
        """Return the ids to be run for the next `count` nodes."""
        ids = self.tokens[self.evaluated : self.evaluated + count]
        return [*self.context[:-1], *ids] if self.evaluated == 0 else ids

    def new_depths(self, count: int) -> list[int]:
        """Return the positions of `new_tokens`."""
        depths = self.depths[self.evaluated : self.evaluated + count]
        return [*range(depths[0]), *depths] if self.evaluated == 0 else depths

    def is_chain(self, count: int) -> bool:
        """Tell whether the next nodes are the first to be run, each below the one before."""
        return self.evaluated == 0 and self.parents[:count] == list(range(-1, count - 1))

    def see(self, visible: NDArray[np.bool_], count: int) -> None:
        """Say which slots the next `count` nodes see, the context before them if it is new.

        Args:
            visible: ``bool[n, s + n]`` of ``False`` for `s` slots there are and `n` there will
                be, whose last ones are given to `new_tokens`; changed in place.
            count: How many nodes.
        """
        width, total = visible.shape
        base = total - width
        rows: dict[int, int] = {}
        first = width - count
        if self.evaluated == 0:
            start = width - count - len(self.context) + 1
            seen = visible[start : first + 1, base + start : base + first + 1]
            seen[:] = np.tri(len(seen), dtype=np.bool_)
        for node in range(self.evaluated, self.evaluated + count):
            at = first + node - self.evaluated
            rows[node] = at
            parent = self.parents[node]
            if parent >= self.evaluated:
                visible[at] = visible[rows[parent]]
            elif parent >= 0:
                mask = self._mask(parent)
                visible[at, : mask.size] = mask
            visible[at, base + at] = True

    def _mask(self, node: int) -> NDArray[np.bool_]:
        """Return which slots there were that an evaluated node sees."""
        mask = self._masks.get(node)
        if mask is None:
            found, at = [], node
            while at > 0 and at not in self._masks:
                if self._slots[at] == _FORGOTTEN:
                    raise ValueError(f"node {node} is below one that was not to be kept")
                found.append(self._slots[at])
                at = self.parents[at]
            mask = np.zeros(self._depth_of_slot.size, dtype=np.bool_)
            if at in self._masks:
                mask[: self._masks[at].size] = self._masks[at]
            else:
                mask[self._context_slots] = True
            mask[found] = True
            self._remember(node, mask)
        return mask

    def _remember(self, node: int, mask: NDArray[np.bool_]) -> None:
        """Keep what a node sees for those that are added below it."""
        if len(self._masks) >= _MASKS_KEPT:
            self._masks.clear()
        self._masks[node] = mask

    def slot_depths(self) -> NDArray[np.int64]:
        """Return the position of the token in each slot, ``int64[s]``."""
        return self._depth_of_slot

    def settle(
        self, visible: NDArray[np.bool_] | None, depths: NDArray[np.int64], count: int
    ) -> None:
        """Take the slots of a forward pass; the arguments are those it was run with."""
        width = depths.size
        first = self._depth_of_slot.size + width - count
        if self.evaluated == 0:
            self._context_slots = np.arange(first - len(self.context) + 1, first + 1)
        self._depth_of_slot = np.concatenate([self._depth_of_slot, depths])
        self._slots.extend(range(first, first + count))
        new = range(self.evaluated, self.evaluated + count)
        self._live.extend(new)
        if visible is not None:
            for node in new[-_MASKS_KEPT // 4 :]:
                self._remember(node, visible[width - count + node - self.evaluated].copy())
        self.evaluated += count

    def forget(self) -> NDArray[np.int64]:
        """Drop the nodes that nothing will be added to; return the slots still needed.

        The slots are renumbered from 0 in their order: the cache has to be gathered likewise.

        Returns:
            ``int64[n]``, rising.
        """
        wanted = set(self._kept)
        for node in self._live:
            if self.parents[node] in wanted:
                wanted.add(node)
        wanted.update(self.parents[self.evaluated :])
        wanted.update(self.parents[node] for node in self._kept)
        for node in reversed(self._live):
            if node in wanted:
                wanted.add(self.parents[node])
            else:
                self._slots[node] = _FORGOTTEN
        self._live = [node for node in self._live if node in wanted]
        nodes = [node for node in self._live if node > 0]
        own = np.array([self._slots[node] for node in nodes], dtype=np.int64)
        needed = np.concatenate([self._context_slots, own])
        self._context_slots = np.arange(self._context_slots.size)
        for number, node in enumerate(nodes, start=self._context_slots.size):
            self._slots[node] = number
        self._depth_of_slot = self._depth_of_slot[needed]
        self._masks.clear()
        return needed

    def pad(self, size: int) -> None:
        """Have `size` slots, the new ones unused."""
        more = size - self._depth_of_slot.size
        if more:
            self._depth_of_slot = np.pad(self._depth_of_slot, (0, more))
