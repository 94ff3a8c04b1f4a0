"""Pieces that are a token as they stand though merging would say otherwise (ignore_merges)."""

from collections.abc import Iterator

import numpy as np

from tokkit.canonical.pair_tables import PairTables
from tokkit.kernels.pairs import KEY, NOT_MADE
from tokkit.segment.bpe import BPE
from tokkit.utf8 import is_utf8

NOWHERE = -1
"""The node of sequences that are not the beginning of any in the tree."""
ROOT = 0


class WholePieces:
    """What a segmenter that looks whole pieces up does not do as its merges say.

    The sequences that merging would make of such pieces are a tree: what begins like one of
    them may go on, but not end there.

    Attributes:
        alone: The tokens that are a whole piece or nothing.
        edges: For each node, the node that follows by each token.
        ends_elsewhere: The nodes where a piece cannot end.
    """

    def __init__(self, segmenter: BPE, tables: PairTables) -> None:
        self.alone: set[int] = set()
        self.edges: list[dict[int, int]] = [{}]
        self.ends_elsewhere: set[int] = set()
        fallback = segmenter.byte_fallback or ()
        for token, parts in _looked_up(segmenter, tables) if segmenter.ignore_merges else ():
            if token not in fallback and token < segmenter.size:
                self.alone.add(token)
            node = ROOT
            for part in parts:
                node = self._grow(node, part)
            if node != ROOT:
                self.ends_elsewhere.add(node)

    def _grow(self, node: int, token: int) -> int:
        """Return the node that follows by a token, a new one if need be."""
        following = self.edges[node].setdefault(token, len(self.edges))
        if following == len(self.edges):
            self.edges.append({})
        return following

    def after(self, node: int, token: int) -> int:
        """Return the node that follows by a token, or `NOWHERE`."""
        return NOWHERE if node == NOWHERE else self.edges[node].get(token, NOWHERE)


def _looked_up(segmenter: BPE, tables: PairTables) -> Iterator[tuple[int, list[int]]]:
    """Yield the tokens whose own spelling becomes them only as a whole, and its merges.

    Of tokens with equal spellings whole pieces become the first; pieces are UTF-8.
    """
    seen = {b""}
    for token in np.flatnonzero(tables.table[:, KEY] == NOT_MADE).tolist():
        spelling = segmenter.spellings[token]
        if spelling in seen or not is_utf8(spelling):
            continue
        seen.add(spelling)
        parts = _merged(token, spelling, segmenter, tables)
        is_first = len(parts) != 1 or token < parts[0]
        if is_first:
            yield token, parts


def _merged(token: int, spelling: bytes, segmenter: BPE, tables: PairTables) -> list[int]:
    """Return the ids that merging makes of a spelling; none if something has no id."""
    fallback = segmenter.byte_fallback or [-1] * 256
    ends = tables.merged_ends
    parts: list[int] = []
    position = 0
    for symbol in tables.merged[ends[token - 1] if token else 0 : ends[token]].tolist():
        if symbol < 0:
            length = len(spelling[position:].decode(errors="replace")[0].encode())
        else:
            length = len(segmenter.spellings[symbol])
        if symbol < 0 or (segmenter.late_unk and symbol >= segmenter.size):
            parts += [fallback[byte] for byte in spelling[position : position + length]]
        else:
            parts.append(symbol)
        position += length
    return [] if min(parts, default=-1) < 0 else parts
