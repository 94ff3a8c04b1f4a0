"""Byte-pair encoding of pieces.

Tables used throughout:

* `pages` and `units`: the id of a unit (a byte or a character) by its code: the lowest 8 bits
  of the code are the place in a page of 256 `units`, the others choose the page,
  ``pages[variant, code >> 8]``; -1 where there is no id. A unit is looked up in variant 0, +1
  if it is not the first of its piece, +2 if it is the last (word-piece prefixes and suffixes).
* `pairs`: ``int64[2 ** k, 2]``, open addressing by ``(left << 32 | right) + 1``, 0 where empty;
  the value is ``rank << 32 | merged id``, lower ranks merge first.
* `fallback`: ``int32[256]``, the id that stands for a byte of an unknown unit, or -1.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel

Pages = NDArray[np.int32]

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
def _code_at(data: Bytes, position: int, by_bytes: bool) -> tuple[int, int]:
    """Return the code of the unit at `position` and its length: a byte, or a character."""
    lead = np.int64(data[position])
    if by_bytes or lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | np.int64(data[position + 1]) & 0x3F, 2
    code = np.int64(data[position + 1]) & 0x3F
    code = code << 6 | np.int64(data[position + 2]) & 0x3F
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | code, 3
    return (lead & 0x07) << 18 | code << 6 | np.int64(data[position + 3]) & 0x3F, 4


@kernel
def _read_units(
    data: Bytes,
    start: int,
    end: int,
    by_bytes: bool,
    pages: Pages,
    units: Ids,
    fallback: Ids,
    unknown: int,
    fuse: bool,
    late: bool,
    symbols: Ids,
    places: Offsets,
) -> int:
    """Write the symbols of a piece and where each begins; return how many there are.

    Unknown units become bytes of `fallback` if all of theirs are there, else `unknown` (a run
    of them once if `fuse`), else nothing; if `late`, they stay -1.

    An unknown symbol is written when the next known one is met, even where bytes were written
    in between: that is the order Hugging Face's tokenizers write them in.
    """
    count = 0
    waiting = np.int64(-1)
    position = start
    while position < end:
        code, length = _code_at(data, position, by_bytes)
        variant = (1 if position > start else 0) + (2 if position + length == end else 0)
        symbol = units[pages[variant, code >> 8] * 256 + (code & 255)]
        if symbol >= 0 or late:
            if waiting >= 0:
                symbols[count] = unknown
                places[count] = waiting
                count += 1
                waiting = -1
            symbols[count] = symbol
            places[count] = position
            count += 1
        else:
            spelled = True
            for offset in range(length):
                spelled = spelled and fallback[data[position + offset]] >= 0
            if spelled:
                for offset in range(length):
                    symbols[count] = fallback[data[position + offset]]
                    places[count] = position + offset
                    count += 1
            elif unknown >= 0 and not (fuse and waiting >= 0):
                if waiting >= 0:
                    symbols[count] = unknown
                    places[count] = waiting
                    count += 1
                waiting = position
        position += length
    if waiting >= 0:
        symbols[count] = unknown
        places[count] = waiting
        count += 1
    return count


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
def bpe_pieces(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    by_bytes: bool,
    pages: Pages,
    units: Ids,
    fallback: Ids,
    unknown: int,
    fuse: bool,
    late: bool,
    vocab_size: int,
    pairs: Offsets,
    whole: Ids,
    ids: Ids,
    id_ends: Offsets,
) -> int:
    """Segment pieces by byte-pair encoding; return the number of ids.

    Args:
        data: What the pieces are in.
        starts: Where each piece starts.
        ends: Where each ends.
        by_bytes: Whether units are bytes rather than characters (then `data` is UTF-8).
        pages: See the module.
        units: See the module.
        fallback: See the module.
        unknown: The id of unknown symbols without `fallback`; -1: they are dropped.
        fuse: Whether a run of unknown symbols is one `unknown`.
        late: Whether unknown units are replaced after merging rather than before.
        vocab_size: Ids from here on come out as unknown symbols (only if `late`).
        pairs: See the module.
        whole: For each piece the id it has as a whole, or -1; empty if there are none.
        ids: Filled; as long as the pieces together.
        id_ends: Filled: where each piece's ids end.
    """
    longest = np.int64(0)
    for piece in range(starts.size):
        longest = max(longest, ends[piece] - starts[piece])
    symbols = np.empty(longest, np.int32)
    places = np.empty(longest, np.int64)
    values = np.empty(longest, np.int64)
    written = 0
    for piece in range(starts.size):
        end = ends[piece]
        if whole.size > 0 and whole[piece] >= 0:
            ids[written] = whole[piece]
            written += 1
            id_ends[piece] = written
            continue
        count = _read_units(
            data, starts[piece], end, by_bytes, pages, units, fallback, unknown, fuse, late,
            symbols, places,
        )  # fmt: skip
        if count <= FEW:
            count = _merge_few(symbols, places, count, pairs, values)
        else:
            count = _merge_many(symbols, places, count, pairs, values)
        was_unknown = False
        for place in range(count):
            symbol = symbols[place]
            is_unknown = late and (symbol < 0 or symbol >= vocab_size)
            if not is_unknown:
                ids[written] = symbol
                written += 1
            else:
                finish = places[place + 1] if place + 1 < count else end
                spelled = True
                for position in range(places[place], finish):
                    spelled = spelled and fallback[data[position]] >= 0
                if spelled:
                    for position in range(places[place], finish):
                        ids[written] = fallback[data[position]]
                        written += 1
                elif unknown >= 0 and not (fuse and was_unknown):
                    ids[written] = unknown
                    written += 1
            was_unknown = is_unknown
        id_ends[piece] = written
    return written


@kernel
def cut_pieces(
    data: Bytes,
    ends: Offsets,
    by_bytes: bool,
    pages: Pages,
    units: Ids,
    neighbours: Offsets,
    least: int,
    cuts: Offsets,
) -> int:
    """Cut long pieces where no merge can ever reach across; return how many there are then.

    Between two known units that no token has side by side nothing merges, so the parts can be
    segmented each by itself.

    Args:
        data: The pieces end to end.
        ends: Where each ends.
        by_bytes: Whether units are bytes rather than characters.
        pages: See the module.
        units: See the module.
        neighbours: Units that are side by side in some token, a table like `pairs`.
        least: Pieces up to this length are left alone.
        cuts: Filled with the ends of the parts; what does not fit is counted only.
    """
    mask = np.int64(neighbours.shape[0] - 1)
    count = 0
    position = np.int64(0)
    for piece in range(ends.size):
        end = ends[piece]
        if end - position <= least:
            position = end
        earlier = np.int64(-1)
        while position < end:
            code, length = _code_at(data, position, by_bytes)
            if units[pages[0, code >> 8] * 256 + (code & 255)] < 0:
                earlier = -1
            else:
                if earlier >= 0:
                    key = (earlier << WORD | code) + 1
                    row = _slot(key, mask)
                    while neighbours[row, 0] != 0 and neighbours[row, 0] != key:
                        row = (row + 1) & mask
                    if neighbours[row, 0] == 0:
                        if count < cuts.size:
                            cuts[count] = position
                        count += 1
                earlier = code
            position += length
        if count < cuts.size:
            cuts[count] = end
        count += 1
    return count
