"""The tokens that text can produce, sorted by their bytes."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tokkit.kernels._jit import Bytes, Ids, Offsets, frozen
from tokkit.kernels.marginals import descend
from tokkit.vocab import flatten

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Node(NamedTuple):
    """The tokens that begin with a string: a range of the table, and the string's length."""

    low: int
    high: int
    depth: int


class TokenTable:
    """Finds the tokens that begin with given bytes.

    Attributes:
        tokens: The text of each id; ``b""`` for ids that carry none.
        carries: Which ids carry text, ``uint8[V]``.
        order: The ids that do, sorted by their bytes, ``int32[m]``.
        data: Their bytes end to end.
        starts: Where each begins, and the end, ``int64[m + 1]``.
        first: The first byte of each id, 256 if it has none, ``int16[V]``.
        root: All of them.
    """

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self.tokens = tuple(tokens)
        filled = [token_id for token_id, token in enumerate(self.tokens) if token]
        filled.sort(key=self.tokens.__getitem__)
        data, ends = flatten([self.tokens[token_id] for token_id in filled])
        self.order: Ids = frozen(np.array(filled, dtype=np.int32))
        self.data: Bytes = frozen(data)
        self.starts: Offsets = frozen(np.concatenate(([0], ends)).astype(np.int64))
        self.first: NDArray[np.int16] = np.array(
            [token[0] if token else 256 for token in self.tokens], dtype=np.int16
        )
        self.carries = frozen((self.first < 256).astype(np.uint8))
        self.longest = max(map(len, self.tokens), default=0)
        self.root = Node(0, len(filled), 0)

    def path(self, text: Bytes, node: Node | None = None) -> Offsets:
        """Follow `text` down from a node, or the root, as far as some token goes.

        Returns:
            Begin and end of the node after each byte, ``int64[2 k]``.
        """
        low, high, depth = node or self.root
        text = text[: max(self.longest - depth, 0)]
        bounds = np.empty(2 * text.size, dtype=np.int64)
        count = descend(self.data, self.starts, low, high, frozen(text), depth, bounds)
        return bounds[: 2 * count]

    def child(self, node: Node, byte: int) -> Node | None:
        """Return the node one byte further down; None if no token goes on with it."""
        bounds = self.path(np.array([byte], dtype=np.uint8), node)
        return Node(int(bounds[0]), int(bounds[1]), node.depth + 1) if bounds.size else None

    def ending(self, node: Node) -> Iterator[int]:
        """Yield the ids that are just the string of a node, not more."""
        for place in range(node.low, node.high):
            if self.starts[place + 1] - self.starts[place] > node.depth:
                break
            yield int(self.order[place])
