"""A cache of pieces: most pieces of a text have been seen before, and so have their ids.

The cache is an open-addressing table, ``int64[2 ** k, 4]``; a row is one piece:

* column 0: its first 7 bytes, the lowest byte first, or for pieces longer than `INLINE` a hash
  of 56 bits; above them its length; 0 marks an empty row;
* column 1: its next 7 bytes, or for longer pieces where its bytes begin in `spellings`;
* column 2: what it is: ``id << 8 | 1`` for a single id, ``start << 8 | count`` for ids at
  ``known[start:start + count]``, or ``-1 - number`` while its ids are still to be found.

Pieces longer than `LONGEST` are never kept.
"""

import numpy as np

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel

COLUMNS = 4
INLINE = 14
LONGEST = 64
LENGTH_SHIFT = 56
COUNT_BITS = 8
COUNT_MASK = 255

_LOW = np.uint64(0x9E3779B97F4A7C15)
_HIGH = np.uint64(0xC2B2AE3D27D4EB4F)
_STEP = np.uint64(0x100000001B3)
_MASK = np.uint64((1 << LENGTH_SHIFT) - 1)
_FOLD = np.uint64(32)


@kernel
def _hash_long(data: Bytes, start: int, end: int) -> int:
    """Hash bytes to 56 bits (FNV-1a, folded)."""
    state = _LOW
    for position in range(start, end):
        state = (state ^ np.uint64(data[position])) * _STEP
    return np.int64((state ^ (state >> _FOLD)) & _MASK)


@kernel
def _is_spelled(data: Bytes, start: int, length: int, spellings: Bytes, place: int) -> bool:
    """Tell whether `length` bytes of `data` and of `spellings` are the same."""
    for position in range(length):
        if data[start + position] != spellings[place + position]:
            return False
    return True


@kernel
def _first_row(low: int, high: int, mask: int) -> int:
    """Return the row where the search for a piece starts; `high` is 0 for long pieces."""
    mixed = np.uint64(low) * _LOW
    mixed = (mixed ^ (mixed >> _FOLD) ^ np.uint64(high)) * _HIGH
    return np.int64((mixed ^ (mixed >> _FOLD)) & np.uint64(mask))


@kernel
def move_pieces(table: Offsets, larger: Offsets) -> None:
    """Put the rows of a table into an empty larger one."""
    mask = np.int64(larger.shape[0] - 1)
    for old in range(table.shape[0]):
        low = table[old, 0]
        if low == 0:
            continue
        high = table[old, 1] if low >> LENGTH_SHIFT <= INLINE else np.int64(0)
        row = _first_row(low, high, mask)
        while larger[row, 0] != 0:
            row = (row + 1) & mask
        for column in range(3):
            larger[row, column] = table[old, column]


@kernel
def find_pieces(
    data: Bytes,
    start: int,
    ends: Offsets,
    table: Offsets,
    spellings: Bytes,
    spelled: int,
    found: Offsets,
    missed: Offsets,
    homes: Offsets,
) -> tuple[int, int]:
    """Look pieces up; number those that are not known, the same piece the same, and add them.

    Args:
        data: The pieces end to end.
        start: Where the first piece starts.
        ends: Where each ends.
        table: The cache; must have room for all the pieces.
        spellings: The bytes of known pieces longer than `INLINE`; must have room for more.
        spelled: How much of it is in use.
        found: Filled: column 2 of each piece's row, ``-1 - number`` for an unknown one.
        missed: Filled: for each number the first piece that has it.
        homes: Filled: for each number its row; -1 for pieces that are not kept.

    Returns:
        How many numbers were given, and how much of `spellings` is in use now.
    """
    mask = np.int64(table.shape[0] - 1)
    misses = np.int64(0)
    for piece in range(ends.size):
        end = ends[piece]
        length = end - start
        row = np.int64(-1)
        if length <= LONGEST:
            low = np.int64(0)
            high = np.int64(0)
            if length <= INLINE:
                for position in range(min(length, 7)):
                    low |= np.int64(data[start + position]) << np.int64(8 * position)
                for position in range(7, length):
                    high |= np.int64(data[start + position]) << np.int64(8 * (position - 7))
            else:
                low = _hash_long(data, start, end)
            low |= length << np.int64(LENGTH_SHIFT)
            row = _first_row(low, high, mask)
            while table[row, 0] != 0:
                if table[row, 0] == low and (
                    table[row, 1] == high
                    if length <= INLINE
                    else _is_spelled(data, start, length, spellings, table[row, 1])
                ):
                    break
                row = (row + 1) & mask
            if table[row, 0] != 0:
                found[piece] = table[row, 2]
                start = end
                continue
            if length > INLINE:
                high = spelled
                for position in range(length):
                    spellings[spelled + position] = data[start + position]
                spelled += length
            table[row, 0] = low
            table[row, 1] = high
            table[row, 2] = -1 - misses
        found[piece] = -1 - misses
        missed[misses] = piece
        homes[misses] = row
        misses += 1
        start = end
    return misses, spelled


@kernel
def keep_pieces(
    table: Offsets, homes: Offsets, ids: Ids, id_ends: Offsets, known: Ids, used: int
) -> int:
    """Put the ids of new pieces into the cache.

    Args:
        table: The cache.
        homes: For each new piece its row; -1 for pieces that are not kept.
        ids: The ids of the new pieces.
        id_ends: Where each new piece's end.
        known: The ids of known pieces with more than one; must have room.
        used: How much of it is in use.

    Returns:
        How much of `known` is in use now.
    """
    start = np.int64(0)
    for number in range(homes.size):
        end = id_ends[number]
        if homes[number] >= 0:
            if end - start == 1:
                table[homes[number], 2] = np.int64(ids[start]) << COUNT_BITS | 1
            else:
                table[homes[number], 2] = used << COUNT_BITS | (end - start)
                for position in range(start, end):
                    known[used] = ids[position]
                    used += 1
        start = end
    return used


@kernel
def count_ids(found: Offsets, id_ends: Offsets) -> int:
    """Count the ids of all pieces: known ones, and new ones whose ids end at `id_ends`."""
    total = np.int64(0)
    for piece in range(found.size):
        row = found[piece]
        if row >= 0:
            total += row & COUNT_MASK
        else:
            number = -1 - row
            total += id_ends[number] - (id_ends[number - 1] if number > 0 else 0)
    return total


@kernel
def spread_ids(
    found: Offsets,
    known: Ids,
    ids: Ids,
    id_ends: Offsets,
    written: int,
    out: Ids,
    out_ends: Offsets,
) -> int:
    """Write the ids of all pieces one after the other.

    Args:
        found: What each piece is, see `find_pieces`.
        known: The ids of known pieces with more than one.
        ids: The ids of new pieces.
        id_ends: Where each new piece's end.
        written: How many ids `out` holds before.
        out: Filled from `written` on.
        out_ends: Filled: where each piece's ids end in `out`.

    Returns:
        How many ids `out` holds now.
    """
    for piece in range(found.size):
        row = found[piece]
        if row >= 0:
            count = row & COUNT_MASK
            start = row >> COUNT_BITS
            if count == 1:
                out[written] = start
                written += 1
            else:
                for position in range(start, start + count):
                    out[written] = known[position]
                    written += 1
        else:
            number = -1 - row
            for position in range(id_ends[number - 1] if number > 0 else 0, id_ends[number]):
                out[written] = ids[position]
                written += 1
        out_ends[piece] = written
    return written
