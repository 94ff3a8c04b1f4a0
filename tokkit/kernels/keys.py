"""Sums of short strings, in ascending order.

A string is a *key*, ``uint64[w]``: its bytes from the highest down, filled up with zeros, the
last byte its length. Keys sort as the strings do: ``ab`` is ``0x6162000000000002`` if `w` is 1.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Counts, Offsets, kernel

Keys = NDArray[np.uint64]

BYTE = 255
WORD = 8


@kernel
def pack_keys(data: Bytes, starts: Offsets, sizes: Offsets, keys: Keys) -> None:
    """Make the keys of the strings ``data[starts[i]:starts[i] + sizes[i]]``: fill `keys`."""
    for number in range(starts.size):
        start, size = starts[number], sizes[number]
        for word in range(keys.shape[1]):
            value = np.uint64(0)
            for place in range(word * WORD, word * WORD + WORD):
                byte = np.uint64(data[start + place]) if place < size else np.uint64(0)
                value = (value << np.uint64(8)) | byte
            keys[number, word] = value
        keys[number, keys.shape[1] - 1] |= np.uint64(size)


@kernel
def merge_sums(
    keys: Keys,
    sums: Counts,
    other_keys: Keys,
    other_sums: Counts,
    sign: int,
    merged: Keys,
    merged_sums: Counts,
) -> int:
    """Add two tables of sums, or subtract one that is part of the other.

    Args:
        keys: Ascending keys, ``uint64[n, w]``.
        sums: Their sums.
        other_keys: Ascending keys.
        other_sums: Their sums.
        sign: 1 or -1: what the other sums are multiplied with.
        merged: Filled: the keys whose sum is not zero, ascending; room for all.
        merged_sums: Filled: their sums.

    Returns:
        The number of keys in `merged`.
    """
    count = left = right = 0
    while left < sums.size or right < other_sums.size:
        order = -1 if right == other_sums.size else 1
        if left < sums.size and right < other_sums.size:
            order = _compare(keys, left, other_keys, right)
        value = np.int64(0)
        if order <= 0:
            value += sums[left]
            for word in range(keys.shape[1]):
                merged[count, word] = keys[left, word]
            left += 1
        if order >= 0:
            value += sign * other_sums[right]
            for word in range(keys.shape[1]):
                merged[count, word] = other_keys[right, word]
            right += 1
        if value != 0:
            merged_sums[count] = value
            count += 1
    return count


@kernel
def _compare(keys: Keys, row: int, other_keys: Keys, other_row: int) -> int:
    """-1, 0 or 1: how two keys are ordered."""
    for word in range(keys.shape[1]):
        if keys[row, word] != other_keys[other_row, word]:
            return -1 if keys[row, word] < other_keys[other_row, word] else 1
    return 0


@kernel
def mark_pieces(
    keys: Keys, sums: Counts, most_spaces: int, least_count: int, marks: NDArray[np.bool_]
) -> None:
    """Tell which strings may be sampled: 1 for those, 0 for others.

    Single bytes may not, nor what is all spaces, tabs and line feeds.

    Args:
        keys: The strings.
        sums: How often each occurs times how many bytes it has.
        most_spaces: How many spaces, tabs and line feeds may be in it.
        least_count: How often it has to occur.
        marks: Filled.
    """
    for number in range(keys.shape[0]):
        size = np.int64(keys[number, keys.shape[1] - 1] & np.uint64(BYTE))
        marks[number] = size > 1 and sums[number] >= least_count * size
        if not marks[number]:
            continue
        spaces = 0
        for place in range(size):
            shift = np.uint64(56 - 8 * (place % WORD))
            byte = keys[number, place // WORD] >> shift & np.uint64(BYTE)
            if byte == 32 or byte == 9 or byte == 10:
                spaces += 1
        marks[number] = spaces <= most_spaces and spaces < size
