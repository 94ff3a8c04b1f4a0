"""The tables by which pairs of symbols are judged, made from a segmenter's merges."""

from operator import add, eq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets, frozen
from tokkit.kernels.pairs import (
    COLUMNS,
    KEY,
    LEFT,
    LEFT_LIMIT,
    NOT_MADE,
    RANK,
    RIGHT,
    RIGHT_LIMIT,
    clear_followers,
    may_follow,
    merge_spellings,
    place_symbols,
)
from tokkit.segment.bpe import BPE
from tokkit.vocab import flatten

_NO_MERGES = np.zeros((0, 3), dtype=np.int32)


def supports(segmenter: BPE) -> bool:
    """Tell whether pairs decide exactly what a segmenter writes.

    Not for marks of words (`prefix`, `suffix`), for merges that do not join the spellings of
    their parts, and for byte fallback that merges or stands for less than a character.
    """
    spellings, merges = segmenter.spellings, segmenter.merges
    fallback = [token for token in segmenter.byte_fallback or () if token >= 0]
    if segmenter.prefix or segmenter.suffix or np.isin(merges, fallback).any():
        return False
    if fallback and segmenter.units == "bytes":
        return False
    if segmenter.late_unk and (merges[:, 2] >= segmenter.size).any():
        return False
    spelled = np.fromiter(map(bool, spellings), dtype=np.bool_, count=len(spellings))
    rows = merges[spelled[merges[:, 0]] & spelled[merges[:, 1]]]
    left, right, merged = (
        map(spellings.__getitem__, rows[:, column].tolist()) for column in range(3)
    )
    return all(map(eq, map(add, left, right), merged))


class PairTables(NamedTuple):
    """What merging makes and where it crosses borders, see `tokkit.kernels.pairs`.

    Attributes:
        table: What is known of each symbol.
        starts: Where each symbol's `rows` begin.
        rows: All merges.
        crossing_starts: Where each symbol's `crossings` begin.
        crossings: The merges that can cross a border.
        child_starts: Where each symbol's `children` begin.
        child_splits: Where the second kind of them begins.
        children: The symbols whose last merge had it on the left.
        order: The symbols that are made.
        merged: What the units of each symbol's spelling are merged to, end to end.
        merged_ends: Where each ends.
    """

    table: Ids
    starts: Offsets
    rows: Ids
    crossing_starts: Offsets
    crossings: Ids
    child_starts: Offsets
    child_splits: Offsets
    children: Ids
    order: Ids
    merged: Ids
    merged_ends: Offsets

    def may_follow(self, last: int, symbol: int) -> bool:
        """Tell whether merging leaves two symbols side by side."""
        return may_follow(last, symbol, self.starts, self.rows, self.table)

    def clear_followers(self, last: int, flags: NDArray[np.uint8]) -> None:
        """Clear the flags of all symbols that merging does not leave behind `last`."""
        clear_followers(
            last,
            self.crossing_starts,
            self.crossings,
            self.table,
            self.child_starts,
            self.child_splits,
            self.children,
            self.order,
            flags,
        )


def build_tables(segmenter: BPE) -> PairTables:
    """Merge the spelling of every symbol once and sort what was seen."""
    size = len(segmenter.spellings)
    merges = _last_of_equals(segmenter)
    starts, rows = _starts(merges[:, 0], size), frozen(merges[:, 1:].copy())
    symbols, ends = _units(segmenter)
    table = np.full((size, COLUMNS), -1, dtype=np.int32)
    counts = np.zeros(size, dtype=np.int64)
    merge_spellings(symbols, ends, starts, rows, table, counts)
    merged, merged_ends = _compact(symbols, ends, counts)
    made = table[:, KEY] != NOT_MADE
    _set_limits(table, np.flatnonzero(made & (table[:, LEFT] >= 0)))
    crossings = merges[made[merges[:, 0]] & made[merges[:, 1]]]
    crossings = crossings[np.lexsort((crossings[:, 2], crossings[:, 0]))]
    child_starts, child_splits, children = _children(table)
    order = _placed(table, ends, child_starts, children)
    return PairTables(
        frozen(table),
        starts,
        rows,
        _starts(crossings[:, 0], size),
        frozen(crossings[:, 1:3].copy()),
        child_starts,
        child_splits,
        children,
        order,
        merged,
        merged_ends,
    )


def _last_of_equals(segmenter: BPE) -> Ids:
    """Return left, right, rank and merged symbol by pair, the last of equal pairs only."""
    _, ranks = np.unique(segmenter.ranks, return_inverse=True)
    merges = segmenter.merges
    pairs = merges[:, 0].astype(np.int64) << 32 | merges[:, 1]
    _, last = np.unique(pairs[::-1], return_index=True)
    last = len(pairs) - 1 - last
    columns = merges[last, 0], merges[last, 1], ranks[last], merges[last, 2]
    return np.column_stack(columns).astype(np.int32).reshape(-1, 4)


def _starts(sorted_symbols: NDArray[np.int32], size: int) -> Offsets:
    """Return where each symbol's rows begin and, last, where all end: ``int64[size + 1]``."""
    return frozen(np.searchsorted(sorted_symbols, np.arange(size + 1)).astype(np.int64))


def _units(segmenter: BPE) -> tuple[Ids, Offsets]:
    """Return the units of every symbol's spelling, -1 for those that are no symbol."""
    unknown = len(segmenter.spellings)
    cutter = BPE(segmenter.spellings, _NO_MERGES, units=segmenter.units, unk_id=unknown)
    data, ends = flatten(segmenter.spellings)
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    symbols, symbol_ends = cutter.segment_new(frozen(data), frozen(starts), frozen(ends))
    symbols = np.where(symbols == unknown, -1, symbols).astype(np.int32)
    return symbols, frozen(symbol_ends)


def _compact(symbols: Ids, ends: Offsets, counts: Offsets) -> tuple[Ids, Offsets]:
    """Leave out what merging has left behind the first `counts` symbols of each."""
    lengths = np.diff(ends, prepend=0)
    within = np.arange(symbols.size) - np.repeat(ends - lengths, lengths)
    return symbols[within < np.repeat(counts, lengths)], np.cumsum(counts)


def _set_limits(table: Ids, joined: NDArray[np.int64]) -> None:
    """Fill `LEFT_LIMIT` and `RIGHT_LIMIT` of symbols that are made of two."""
    key, rank = table[joined, KEY], table[joined, RANK]
    left, right = table[table[joined, LEFT], KEY], table[table[joined, RIGHT], KEY]
    table[joined, LEFT_LIMIT] = np.where((left < key) | (right == key), key, rank)
    table[joined, RIGHT_LIMIT] = np.where(right < key, key, rank)


def _children(table: Ids) -> tuple[Offsets, Offsets, Ids]:
    """Return `child_starts`, `child_splits` and `children`."""
    symbols = np.flatnonzero((table[:, KEY] != NOT_MADE) & (table[:, LEFT] >= 0))
    rows = table[symbols]
    late = rows[:, LEFT_LIMIT] < rows[:, KEY]
    by = np.lexsort((-rows[:, LEFT_LIMIT], late, rows[:, LEFT]))
    children = np.column_stack((symbols[by], rows[by, LEFT_LIMIT])).astype(np.int32)
    starts = _starts(rows[by, LEFT], len(table))
    late_counts = np.bincount(rows[late, LEFT], minlength=len(table))
    return starts, frozen(starts[1:] - late_counts), frozen(children)


def _placed(table: Ids, ends: Offsets, child_starts: Offsets, children: Ids) -> Ids:
    """Return `order`, with the places and sizes in the table."""
    made = np.flatnonzero(table[:, KEY] != NOT_MADE)
    order = np.empty(made.size, dtype=np.int32)
    lengths = np.diff(ends, prepend=0)[made]
    by_length = frozen(made[np.argsort(lengths, kind="stable")])
    place_symbols(by_length, table, child_starts, children, order)
    return frozen(order)
