"""Canonical sequences of greedy segmentation: at every place the longest token that fits."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.protocols import NEVER, Flags
from tokkit.canonical.states import States
from tokkit.kernels._jit import Bytes, Ids, frozen
from tokkit.kernels.longest import count_nodes
from tokkit.kernels.overlap import BLOCKED, ROOT, child_of, follow_nodes, forbid, list_trie
from tokkit.segment.longest import LongestMatch
from tokkit.vocab import flatten

State = tuple[int, ...]
"""The nodes, in ascending order, from which tokens already written could have gone on."""


class Trie(NamedTuple):
    """The spellings of a vocabulary, see `tokkit.kernels.overlap`.

    Attributes:
        children: Where the children of each node are, ``int32[n + 1]``.
        labels: The byte that leads to each node, ``uint8[n]``.
        stops: Whether a spelling ends at each node, ``uint8[n]``.
        lows: The first of the sorted spellings that begin like that, ``int32[n]``.
        highs: The one after the last of them, ``int32[n]``.
        ids: The id of each of the sorted spellings, ``int32[m]``.
        depth: The length of the longest.
    """

    children: Ids
    labels: NDArray[np.uint8]
    stops: NDArray[np.uint8]
    lows: Ids
    highs: Ids
    ids: Ids
    depth: int

    @classmethod
    def of(cls, ids: Mapping[bytes, int]) -> "Trie":
        """Build the trie of some spellings and their ids."""
        ordered = sorted(ids)
        data, ends = flatten(ordered)
        data, ends = frozen(data), frozen(ends)
        nodes = int(count_nodes(data, ends))
        children, lows, highs = np.empty((3, nodes + 1), dtype=np.int32)
        labels, stops = np.empty((2, nodes), dtype=np.uint8)
        depth = list_trie(data, ends, children, labels, lows, highs, stops)
        numbers = np.array([ids[each] for each in ordered], dtype=np.int32)
        return cls(
            frozen(children),
            frozen(labels),
            frozen(stops),
            frozen(lows[:-1]),
            frozen(highs[:-1]),
            frozen(numbers),
            depth,
        )

    def walk(self, spelling: bytes, node: int = ROOT) -> int:
        """Return the node that some bytes lead to; -1 if no spelling begins with them."""
        for byte in spelling:
            node = int(child_of(self.children, self.labels, node, byte))
            if node < 0:
                return node
        return node

    def has_more(self, node: int) -> bool:
        """Tell whether any spelling goes on from a node."""
        return bool(self.children[node] < self.children[node + 1])

    def overlap(self, nodes: State, token: Bytes) -> State | None:
        """Go on from nodes with a token; None if a spelling ends on the way."""
        alive = np.empty(len(nodes), dtype=np.int32)
        earlier = np.array(nodes, dtype=np.int32)
        count = follow_nodes(self.children, self.labels, self.stops, earlier, token, alive)
        return None if count == BLOCKED else tuple(alive[:count].tolist())

    def without_overlaps(self, nodes: State, root: int, flags: Flags) -> Flags:
        """Return `flags`, of all ids there are, without those for which `overlap` is None."""
        left = flags.copy()
        earlier = np.array(nodes, dtype=np.int32)
        forbid(
            self.children,
            self.labels,
            self.stops,
            self.lows,
            self.highs,
            self.ids,
            self.depth,
            earlier,
            root,
            left,
        )
        return frozen(left)


class Longest:
    """What `LongestMatch` can produce within a piece, over bytes.

    A sequence is greedy for its own bytes if and only if it is for the same bytes with more
    after them, up to there, unless a token written could have gone on: so all that counts is
    how far the tokens written are from being longer ones. With ``a``, ``b``, ``c`` and ``abc``,
    after ``a`` and ``b`` there can be no ``c``.

    Attributes:
        method: ``"longest match"``.
        exact: True.
        begins: Every id that the segmenter gives and that has text, ``uint8[V]``.

    Args:
        segmenter: What segments pieces.
        tokens: The text of each id; ``b""`` for ids that carry none.
    """

    method = "longest match"
    exact = True

    def __init__(self, segmenter: LongestMatch, tokens: Sequence[bytes]) -> None:
        ids: dict[bytes, int] = {}
        for token_id, spelling in enumerate(segmenter.tokens):
            if spelling:
                ids.setdefault(spelling, token_id)
        self._trie = Trie.of(ids)
        self._size = len(tokens)
        self._spellings = {i: spelling for spelling, i in ids.items() if has_text(tokens, i)}
        self._known = np.zeros(max(len(tokens), len(segmenter.tokens)), dtype=np.uint8)
        self._known[list(self._spellings)] = 1
        self.begins: Flags = frozen(self._known[: self._size])
        self._states = States[State]()

    def begin(self, token: int) -> int:
        """Return the state after the first token of a piece; `NEVER` if it cannot be that."""
        return self._after((), token)

    def follow(self, state: int, token: int) -> int:
        """Return the state after the next token; `NEVER` if an earlier one would be longer."""
        return self._after(self._states[state], token)

    def _after(self, nodes: State, token: int) -> int:
        """Return the state after a token, with earlier ones that could be longer at `nodes`."""
        spelling = self._spellings.get(token)
        if spelling is None:
            return NEVER
        alive = self._trie.overlap(nodes, as_array(spelling))
        if alive is None:
            return NEVER
        own = self._trie.walk(spelling)
        found = {*alive, own} if self._trie.has_more(own) else {*alive}
        return self._states.number(tuple(sorted(found)))

    def following(self, state: int) -> Flags:
        """Return which tokens may come next, ``uint8[V]``."""
        flags = self._trie.without_overlaps(self._states[state], ROOT, self._known)
        return flags[: self._size]

    def stuck(self, state: int | None) -> Sequence[int]:
        """Return none: a piece may end after any of its tokens."""
        return ()

    def may_meet(self, first: int, second: int) -> bool:
        """Return True: two tokens alone do not say."""
        return True

    def may_end(self, state: int) -> bool:
        """Tell whether the piece may end here: always, a shorter match then stands."""
        return True


def as_array(data: bytes) -> Bytes:
    """View bytes as an array, ``uint8[n]``, read-only."""
    return np.frombuffer(data, dtype=np.uint8)


def has_text(tokens: Sequence[bytes], token_id: int) -> bool:
    """Tell whether an id of the segmenter carries text; a model may have fewer ids."""
    return token_id < len(tokens) and tokens[token_id] != b""
