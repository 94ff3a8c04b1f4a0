"""Words in slots: one token per slot, words ordered by count, largest first.

A word's count is a property of the region it lies in: `class_starts`, `class_counts`. Before,
between and after words is a `BOUNDARY`::

    words "abc" (seen 5 times), "ab" (2), "c" (2): [ B a b c B a b B c B ]
    class_starts [0, 4, 10], class_counts [5, 2]

While `tokkit.kernels.merges` works, tokens span several slots; `compact` ends that, and all
other kernels here expect that it has.
"""

from tokkit.kernels._jit import Counts, Ids, Offsets, kernel
from tokkit.kernels.merge_state import BOUNDARY, COUNT, KEY, OCCURRENCES, SIZE, START


@kernel
def lay_out(ids: Ids, ends: Offsets, order: Offsets, slots: Ids) -> None:
    """Write words, given as flat lists of ids, into `slots` in the given order."""
    slots[0] = BOUNDARY
    write = 1
    for word in order:
        start = ends[word - 1] if word > 0 else 0
        for read in range(start, ends[word]):
            slots[write] = ids[read]
            write += 1
        slots[write] = BOUNDARY
        write += 1


@kernel
def compact(slots: Ids, class_starts: Offsets) -> int:
    """Give every token one slot, in place; return how many slots are left."""
    read = write = place = 0
    while read < slots.size:
        while class_starts[place] == read:
            class_starts[place] = write
            place += 1
        slots[write] = slots[read]
        write += 1
        read += 1
        if slots[read - 1] != BOUNDARY and slots[read] < 0 and slots[read] != BOUNDARY:
            read -= slots[read] + 1
    class_starts[class_starts.size - 1] = write
    return write


@kernel
def _find(rows: Counts, left: int, right: int) -> int:
    """Find the row of a pair, or the free row where it would go; as `merges` does."""
    key = left * 4294967296 + right
    mixed = left * 0x2545F491 + right * 0x1B873593
    place = (mixed ^ (mixed >> 17) ^ (mixed >> 31)) & (rows.shape[0] - 1)
    while rows[place, KEY] != key and rows[place, KEY] != -1:
        place = (place + 1) & (rows.shape[0] - 1)
    return int(place)


@kernel
def count_pairs(
    slots: Ids,
    class_starts: Offsets,
    class_counts: Counts,
    part: int,
    parts: int,
    table: Counts,
) -> int:
    """Count one of several parts of the adjacent pairs.

    Args:
        slots: See the module.
        class_starts: See the module.
        class_counts: See the module.
        part: Which part of the pairs to count.
        parts: A power of two.
        table: ``int64[r, 3]``, all rows free, open addressing: key, count and occurrences.

    Returns:
        The number of pairs, or -1 if `table` became two thirds full.
    """
    used = place = 0
    for slot in range(1, slots.size - 1):
        while class_starts[place + 1] <= slot:
            place += 1
        left, right = int(slots[slot]), int(slots[slot + 1])
        if left == BOUNDARY or right == BOUNDARY:
            continue
        if ((left * 0x27D4EB2F + right * 0x165667B1) >> 20) & (parts - 1) != part:
            continue
        row = _find(table, left, right)
        if table[row, KEY] == -1:
            used += 1
            if used * 3 > table.shape[0] * 2:
                return -1
            table[row, KEY] = left * 4294967296 + right
            table[row, COUNT] = table[row, OCCURRENCES] = 0
        table[row, COUNT] += class_counts[place]
        table[row, OCCURRENCES] += 1
    return used


@kernel
def fill_pool(slots: Ids, rows: Counts, pool: Ids) -> None:
    """Write the slots of every pair that has a row (see `merge_state.State`)."""
    for slot in range(1, slots.size - 1):
        left, right = int(slots[slot]), int(slots[slot + 1])
        if left != BOUNDARY and right != BOUNDARY:
            row = _find(rows, left, right)
            if rows[row, KEY] != -1:
                pool[rows[row, START] + rows[row, SIZE]] = slot
                rows[row, SIZE] += 1


@kernel
def count_tokens(
    slots: Ids, class_starts: Offsets, class_counts: Counts, totals: Counts
) -> None:
    """Add to `totals` how often each token occurs."""
    place = 0
    for slot in range(slots.size):
        while class_starts[place + 1] <= slot:
            place += 1
        if slots[slot] != BOUNDARY:
            totals[slots[slot]] += class_counts[place]
