"""Byte-pair merging of symbols.

`pairs` is a table, ``int64[2 ** k, 2]``, with open addressing by ``(left << 32 | right) + 1``,
0 where it is empty; the value is ``rank << 32 | merged id``, and lower ranks merge first.
"""

import numpy as np

from tokkit.kernels._jit import Ids, Offsets, kernel

NO_MERGE = np.int64(0x7FFFFFFFFFFFFFFF)
WORD = 32
LOW_WORD = 0xFFFFFFFF
FEW = 48
"""Up to how many symbols a linear scan for the best pair is faster than a heap."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_FOLD = np.uint64(32)


@kernel
def _slot(key: int, mask: int) -> int:
    """Where the search for `key` starts in a table of ``mask + 1`` rows."""
    mixed = np.uint64(key) * _MIX
    return np.int64((mixed ^ (mixed >> _FOLD)) & np.uint64(mask))


@kernel
def fill_pairs(left: Ids, right: Ids, values: Offsets, pairs: Offsets) -> None:
    """Put pairs and their values into an empty table; the last of equal pairs counts."""
    mask = np.int64(pairs.shape[0] - 1)
    for number in range(left.size):
        key = (np.int64(left[number]) << WORD | np.int64(right[number])) + 1
        row = _slot(key, mask)
        while pairs[row, 0] != 0 and pairs[row, 0] != key:
            row = (row + 1) & mask
        pairs[row, 0] = key
        pairs[row, 1] = values[number]


@kernel
def _look_up(pairs: Offsets, left: int, right: int) -> int:
    """Return the value of a pair; `NO_MERGE` if it does not merge."""
    if left < 0 or right < 0:
        return NO_MERGE
    mask = np.int64(pairs.shape[0] - 1)
    key = (np.int64(left) << WORD | np.int64(right)) + 1
    row = _slot(key, mask)
    while pairs[row, 0] != 0:
        if pairs[row, 0] == key:
            return pairs[row, 1]
        row = (row + 1) & mask
    return NO_MERGE


@kernel
def _merge_few(
    symbols: Ids, places: Offsets, count: int, pairs: Offsets, values: Offsets
) -> int:
    """Merge by scanning for the best pair again and again; return how many symbols are left."""
    for place in range(count - 1):
        values[place] = _look_up(pairs, symbols[place], symbols[place + 1])
    while count > 1:
        best = 0
        for place in range(1, count - 1):
            if values[place] >> WORD < values[best] >> WORD:
                best = place
        if values[best] == NO_MERGE:
            break
        symbols[best] = values[best] & LOW_WORD
        count -= 1
        for place in range(best + 1, count):
            symbols[place] = symbols[place + 1]
            places[place] = places[place + 1]
            values[place - 1] = values[place]
        if best > 0:
            values[best - 1] = _look_up(pairs, symbols[best - 1], symbols[best])
        if best < count - 1:
            values[best] = _look_up(pairs, symbols[best], symbols[best + 1])
    return count


@kernel
def _sink(heap: Offsets, size: int, place: int) -> None:
    """Move an entry of a binary heap down to where it belongs."""
    entry = heap[place]
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= entry:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = entry


@kernel
def _push(heap: Offsets, size: int, entry: int) -> int:
    """Add an entry to a binary heap; return its new size."""
    place = size
    while place > 0 and heap[(place - 1) >> 1] > entry:
        heap[place] = heap[(place - 1) >> 1]
        place = (place - 1) >> 1
    heap[place] = entry
    return size + 1


@kernel
def _merge_many(
    symbols: Ids, places: Offsets, count: int, pairs: Offsets, values: Offsets
) -> int:
    """Merge by a heap of ``rank << 32 | place``; return how many symbols are left.

    Entries are not removed when a neighbour changes: they no longer agree with `values` then.
    """
    after = np.empty(count, np.int32)
    before = np.empty(count, np.int32)
    heap = np.empty(2 * count, np.int64)
    size = 0
    for place in range(count):
        after[place] = place + 1
        before[place] = place - 1
        values[place] = NO_MERGE
        if place < count - 1:
            values[place] = _look_up(pairs, symbols[place], symbols[place + 1])
        if values[place] != NO_MERGE:
            heap[size] = values[place] >> WORD << WORD | place
            size += 1
    for place in range((size - 2) >> 1, -1, -1):
        _sink(heap, size, place)
    while size > 0:
        entry = heap[0]
        size -= 1
        heap[0] = heap[size]
        _sink(heap, size, 0)
        place = entry & LOW_WORD
        if values[place] == NO_MERGE or values[place] >> WORD != entry >> WORD:
            continue
        gone = after[place]
        symbols[place] = values[place] & LOW_WORD
        symbols[gone] = -2
        values[gone] = NO_MERGE
        values[place] = NO_MERGE
        after[place] = after[gone]
        if after[place] < count:
            before[after[place]] = place
            values[place] = _look_up(pairs, symbols[place], symbols[after[place]])
            if values[place] != NO_MERGE:
                size = _push(heap, size, values[place] >> WORD << WORD | place)
        if before[place] >= 0:
            place = np.int64(before[place])
            values[place] = _look_up(pairs, symbols[place], symbols[after[place]])
            if values[place] != NO_MERGE:
                size = _push(heap, size, values[place] >> WORD << WORD | place)
    left = 0
    for place in range(count):
        if symbols[place] != -2:
            symbols[left] = symbols[place]
            places[left] = places[place]
            left += 1
    return left


@kernel
def merge_pieces(symbols: Ids, places: Offsets, ends: Offsets, pairs: Offsets) -> int:
    """Merge the symbols of every piece, the best-ranked pair first, the leftmost of several.

    With ``a b -> 5`` and then ``5 c -> 6``, the pieces ``a b c a`` and ``b`` become ``6 a`` and
    ``b``.

    Args:
        symbols: The symbols of all pieces, negative ones never merge; what they are merged to
            stands at the front afterwards.
        places: Where in the text each symbol begins; kept alongside.
        ends: Where the symbols of each piece end; changed to where they end afterwards.
        pairs: See the module.

    Returns:
        How many symbols there are afterwards.
    """
    longest = np.int64(0)
    start = np.int64(0)
    for piece in range(ends.size):
        longest = max(longest, ends[piece] - start)
        start = ends[piece]
    values = np.empty(longest, np.int64)
    written = np.int64(0)
    start = np.int64(0)
    for piece in range(ends.size):
        end = ends[piece]
        own, where = symbols[start:end], places[start:end]
        if end - start <= FEW:
            count = _merge_few(own, where, end - start, pairs, values)
        else:
            count = _merge_many(own, where, end - start, pairs, values)
        for place in range(count):
            symbols[written] = own[place]
            places[written] = where[place]
            written += 1
        ends[piece] = written
        start = end
    return written
