"""Counting byte strings in an open-addressing table.

A table is ``uint64[capacity, 3]``, `capacity` a power of two; a row whose count is 0 is free.

===========  ==============================  ==============================
column       string of at most 15 bytes      longer string
===========  ==============================  ==============================
0, `HIGH`    bytes 0 to 7, big-endian        hash of all bytes
1, `LOW`     bytes 8 to 14, then the length  offset in the arena, then 255
2, `COUNT`   count                           count
===========  ==============================  ==============================

The last byte of `LOW` is the length or 255. So most words cost one comparison in one cache
line, and no memory but their row. The arena, ``uint8[n]``, holds each longer string after its
length in 8 bytes, little-endian. Hash arithmetic is modulo 2^64.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Counts, Offsets, kernel

Table = NDArray[np.uint64]
Index = int | np.int64
HIGH, LOW, COUNT = 0, 1, 2
INLINE_SIZE = 15
HEADER_SIZE = 8

# Why `count_strings` returned, and what its `state` holds.
DONE, TABLE_FULL, ARENA_FULL, COUNT_FULL = 0, 1, 2, 3
NEXT, ROWS, ARENA_USED = 0, 1, 2

LONG = np.uint64(255)
FREE = np.uint64(0)
EIGHT = np.uint64(8)
BYTE = np.uint64(255)
LARGEST_COUNT = np.uint64(2**63 - 1)
# Of the 64-bit finaliser of MurmurHash3 and of FNV-1a (both in the public domain).
MIX_SHIFT = np.uint64(33)
MIX_FACTOR = np.uint64(0xFF51AFD7ED558CCD)
MIX_LOW = np.uint64(0xC4CEB9FE1A85EC53)
HASH_SEED = np.uint64(0xCBF29CE484222325)
HASH_FACTOR = np.uint64(0x100000001B3)


@kernel
def _pack(data: Bytes, begin: Index, end: Index) -> tuple[np.uint64, np.uint64]:
    """The first 15 bytes of a string, and its length (255 if more), as two numbers.

    They sort as the strings do, as far as 15 bytes tell: ``ab`` is ``0x6162000000000000, 2``.
    """
    high, low = np.uint64(0), np.uint64(0)
    for place in range(8):
        high <<= EIGHT
        if begin + place < end:
            high |= np.uint64(data[begin + place])
    for place in range(8, INLINE_SIZE):
        low <<= EIGHT
        if begin + place < end:
            low |= np.uint64(data[begin + place])
    length = np.uint64(end - begin) if end - begin <= INLINE_SIZE else LONG
    return high, (low << EIGHT) | length


@kernel
def _hash(data: Bytes, begin: int, end: int) -> np.uint64:
    """A hash of all bytes of a string."""
    value = HASH_SEED
    for place in range(begin, end):
        value = (value ^ np.uint64(data[place])) * HASH_FACTOR
    return value


@kernel
def _home(high: np.uint64, low: np.uint64) -> np.uint64:
    """Where the search for a row begins, before it is cut to the capacity."""
    mixed = high
    if low & BYTE != LONG:
        mixed = high ^ (low * MIX_LOW)
    mixed = (mixed ^ (mixed >> MIX_SHIFT)) * MIX_FACTOR
    return mixed ^ (mixed >> MIX_SHIFT)


@kernel
def _length_at(arena: Bytes, offset: Index) -> Index:
    """The length of the string whose entry in the arena begins at `offset`."""
    length = np.int64(0)
    for place in range(HEADER_SIZE):
        length |= np.int64(arena[offset + place]) << (8 * place)
    return length


@kernel
def _is_at(arena: Bytes, low: np.uint64, data: Bytes, begin: int, end: int) -> bool:
    """Whether `low`, of some row, leads to the string ``data[begin:end]`` in the arena."""
    offset = np.int64(low >> EIGHT)
    if low & BYTE != LONG or _length_at(arena, offset) != end - begin:
        return False
    for place in range(end - begin):
        if arena[offset + HEADER_SIZE + place] != data[begin + place]:
            return False
    return True


@kernel
def _store(arena: Bytes, offset: int, data: Bytes, begin: int, end: int) -> int:
    """Write a string and its length to the arena; return where the next entry goes."""
    length = end - begin
    for place in range(HEADER_SIZE):
        arena[offset + place] = (length >> (8 * place)) & 255
    for place in range(length):
        arena[offset + HEADER_SIZE + place] = data[begin + place]
    return offset + HEADER_SIZE + length


@kernel
def count_strings(
    data: Bytes, ends: Offsets, weights: Counts, table: Table, arena: Bytes, state: Offsets
) -> int:
    """Add strings to a table, from number ``state[NEXT]`` on.

    Args:
        data: The strings, end to end.
        ends: Where each ends.
        weights: How often each counts, positive; once if there are none.
        table: See above.
        arena: See above.
        state: ``int64[3]``: the next string, the rows in use, the bytes of the arena in use.

    Returns:
        `DONE`, or what has to grow before the next string can be added (`TABLE_FULL` at seven
        eighths), or `COUNT_FULL` if a count would not fit into 63 bits.
    """
    mask = table.shape[0] - 1
    row_limit = table.shape[0] - table.shape[0] // 8
    begin = ends[state[NEXT] - 1] if state[NEXT] > 0 else 0
    for number in range(state[NEXT], ends.size):
        state[NEXT] = number
        end = ends[number]
        high, low = _pack(data, begin, end)
        is_long = end - begin > INLINE_SIZE
        if is_long:
            high = _hash(data, begin, end)
        weight = np.uint64(weights[number]) if weights.size else np.uint64(1)
        row = np.int64(_home(high, low) & np.uint64(mask))
        while table[row, COUNT] != FREE:
            if table[row, HIGH] == high:
                if not is_long and table[row, LOW] == low:
                    break
                if is_long and _is_at(arena, table[row, LOW], data, begin, end):
                    break
            row = (row + 1) & mask
        if table[row, COUNT] == FREE:
            if state[ROWS] >= row_limit:
                return TABLE_FULL
            if is_long:
                if arena.size - state[ARENA_USED] < end - begin + HEADER_SIZE:
                    return ARENA_FULL
                low = (np.uint64(state[ARENA_USED]) << EIGHT) | LONG
                state[ARENA_USED] = _store(arena, state[ARENA_USED], data, begin, end)
            table[row, HIGH] = high
            table[row, LOW] = low
            state[ROWS] += 1
        if weight > LARGEST_COUNT - table[row, COUNT]:
            return COUNT_FULL
        table[row, COUNT] += weight
        begin = end
    state[NEXT] = ends.size
    return DONE


@kernel
def move_rows(table: Table, larger: Table) -> None:
    """Copy all rows in use into an empty table of a larger capacity."""
    mask = larger.shape[0] - 1
    for row in range(table.shape[0]):
        if table[row, COUNT] != FREE:
            home = _home(table[row, HIGH], table[row, LOW])
            target = np.int64(home & np.uint64(mask))
            while larger[target, COUNT] != FREE:
                target = (target + 1) & mask
            for column in range(3):
                larger[target, column] = table[row, column]


@kernel
def describe_rows(rows: Table, arena: Bytes, keys: Table, ends: Offsets) -> None:
    """Find out what rows hold.

    Args:
        rows: Rows in use, ``uint64[k, 3]``.
        arena: See above.
        keys: Becomes what `_pack` makes of their strings, ``uint64[k, 2]``.
        ends: Becomes where each of the strings would end if they were laid end to end.
    """
    end: Index = 0
    for row in range(rows.shape[0]):
        high, low = rows[row, HIGH], rows[row, LOW]
        length: Index = np.int64(low & BYTE)
        if low & BYTE == LONG:
            offset = np.int64(low >> EIGHT)
            length = _length_at(arena, offset)
            high, low = _pack(arena, offset + HEADER_SIZE, offset + HEADER_SIZE + length)
        keys[row, HIGH] = high
        keys[row, LOW] = low
        end += length
        ends[row] = end


@kernel
def spell_rows(rows: Table, arena: Bytes, ends: Offsets, data: Bytes) -> None:
    """Write the strings of rows to `data`, end to end; `ends` as `describe_rows` found it."""
    begin = 0
    for row in range(rows.shape[0]):
        high, low = rows[row, HIGH], rows[row, LOW]
        if low & BYTE == LONG:
            entry = np.int64(low >> EIGHT) + HEADER_SIZE
            for place in range(ends[row] - begin):
                data[begin + place] = arena[entry + place]
        else:
            for place in range(ends[row] - begin):
                if place < 8:
                    part = high >> np.uint64(56 - 8 * place)
                else:
                    part = low >> np.uint64(120 - 8 * place)
                data[begin + place] = np.uint8(part & BYTE)
        begin = ends[row]


@kernel
def is_ascending(data: Bytes, ends: Offsets) -> bool:
    """Whether each string is greater than the one before it."""
    previous, start = 0, 0
    for number in range(ends.size):
        end = ends[number]
        if number > 0:
            shared = 0
            while previous + shared < start and start + shared < end:
                if data[previous + shared] != data[start + shared]:
                    break
                shared += 1
            if start + shared == end:
                return False
            if previous + shared < start and data[previous + shared] > data[start + shared]:
                return False
        previous, start = start, end
    return True
