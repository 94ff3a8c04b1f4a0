"""What the segmenters share: a cache of pieces that have been segmented before."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from tokkit.kernels._jit import Bytes, Ids, Offsets, frozen
from tokkit.kernels.pieces import (
    COLUMNS,
    LONGEST,
    count_ids,
    find_pieces,
    keep_pieces,
    move_pieces,
    spread_ids,
)
from tokkit.pretokenize import Pieces

_BLOCK = 1 << 13
"""Pieces that are looked up before new ones are segmented."""
_SMALLEST = 1 << 15
_LARGEST = 1 << 20
_NO_IDS = np.zeros(0, dtype=np.int32)
_NO_ENDS = np.zeros(0, dtype=np.int64)


class _Cache:
    """The arrays of one cache, see `tokkit.kernels.pieces`; for one thread at a time."""

    def __init__(self, rows: int) -> None:
        self.table = np.zeros((rows, COLUMNS), dtype=np.int64)
        self.spellings = np.empty(4 * rows + LONGEST * _BLOCK, dtype=np.uint8)
        self.known = np.empty(2 * rows + LONGEST * _BLOCK, dtype=np.int32)
        self.rows = self.spelled = self.used = 0

    @property
    def is_full(self) -> bool:
        """Whether another block might not fit (the table is kept at most half full)."""
        return (
            self.rows + _BLOCK > self.table.shape[0] // 2
            or self.spelled + LONGEST * _BLOCK > self.spellings.size
            or self.used + LONGEST * _BLOCK > self.known.size
        )

    def successor(self) -> "_Cache":
        """Return a larger cache with the same pieces; an empty one at the limit."""
        rows = self.table.shape[0]
        following = _Cache(min(2 * rows, _LARGEST))
        if rows < _LARGEST:
            move_pieces(self.table, following.table)
            following.spellings[: self.spelled] = self.spellings[: self.spelled]
            following.known[: self.used] = self.known[: self.used]
            following.rows, following.spelled = self.rows, self.spelled
            following.used = self.used
        return following


class _Found(NamedTuple):
    """A block of pieces looked up, and the ids of those that were new."""

    rows: Offsets
    ids: Ids
    id_ends: Offsets
    cache: _Cache


class CachedSegmenter(ABC):
    """A segmenter that remembers short pieces; safe to use from several threads.

    Subclasses say what new pieces are, in `segment_new`.
    """

    def __init__(self) -> None:
        self._caches: list[_Cache] = []

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_caches": []}

    @abstractmethod
    def segment_new(self, data: Bytes, starts: Offsets, ends: Offsets) -> tuple[Ids, Offsets]:
        """Segment the pieces ``data[starts[i]:ends[i]]``: their ids and where each ends."""

    def segment(self, pieces: Pieces) -> tuple[Ids, Offsets]:
        """Return the ids of all pieces, ``int32[n]``, and where each piece ends in them."""
        data, ends = frozen(pieces.data), frozen(pieces.ends)
        blocks = [
            self._find(data, ends[first - 1] if first else 0, ends[first : first + _BLOCK])
            for first in range(0, ends.size, _BLOCK)
        ]
        counts = [count_ids(block.rows, block.id_ends) for block in blocks]
        ids = np.empty(sum(counts), dtype=np.int32)
        id_ends = np.empty(ends.size, dtype=np.int64)
        written = first = 0
        for block in blocks:
            written = spread_ids(
                block.rows,
                block.cache.known,
                block.ids,
                block.id_ends,
                written,
                ids,
                id_ends[first : first + _BLOCK],
            )
            first += _BLOCK
        return ids, id_ends

    def _find(self, data: Bytes, start: int, ends: Offsets) -> _Found:
        """Look a block of pieces up and segment those that are new."""
        cache = self._take()
        rows = np.empty(ends.size, dtype=np.int64)
        missed = np.empty(ends.size, dtype=np.int64)
        homes = np.empty(ends.size, dtype=np.int64)
        misses, cache.spelled = find_pieces(
            data,
            int(start),
            ends,
            cache.table,
            cache.spellings,
            cache.spelled,
            rows,
            missed,
            homes,
        )
        ids, id_ends = _NO_IDS, _NO_ENDS
        if misses:
            missed = missed[:misses]
            starts = np.where(missed > 0, ends[missed - 1], start)
            ids, id_ends = self.segment_new(data, frozen(starts), frozen(ends[missed]))
            cache.used = keep_pieces(
                cache.table, homes[:misses], ids, id_ends, cache.known, cache.used
            )
            cache.rows += misses
        self._caches.append(cache)
        return _Found(rows, ids, id_ends, cache)

    def _take(self) -> _Cache:
        """Take a cache with room for a block; an error on the way just loses it."""
        try:
            cache = self._caches.pop()
        except IndexError:
            return _Cache(_SMALLEST)
        while cache.is_full:
            cache = cache.successor()
        return cache
