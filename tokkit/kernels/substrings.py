"""Counting all substrings of strings, by sorting where they begin.

A substring is a prefix of a *suffix*, of what is left of a string from some place on. When
suffixes are in ascending order, those that begin with the same substring are neighbours, so
one walk through them adds up every substring, and meets the substrings in ascending order too.

Strings are compared as *keys*, ``uint64[w]``: their bytes from the highest down, filled up with
zeros, the last byte their length. Keys sort as the strings do.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Counts, Offsets, kernel

Keys = NDArray[np.uint64]
Masks = NDArray[np.int64]

BYTE = 255
WORD = 8
LONGEST = 62
"""Lengths are bits of 64-bit numbers with a sign."""


@kernel
def list_inner(
    data: Bytes,
    ends: Offsets,
    weights: Counts,
    longest: int,
    stride: int,
    starts: Offsets,
    masks: Masks,
    suffix_weights: Counts,
) -> int:
    """List the suffixes of strings whose prefixes are substrings of whole characters.

    A character begins with any byte that is not ``10xxxxxx``, and where a string begins.

    Args:
        data: The strings end to end: any bytes.
        ends: Where each ends.
        weights: How often each counts.
        longest: How many bytes a substring has at most; at most `LONGEST`.
        stride: Substrings begin at the first character of a string, and so many further on.
        starts: Filled, as `masks` and `suffix_weights`; as long as `data`. Where each suffix
            begins.
        masks: Which lengths are counted: bit n - 1 for n bytes.
        suffix_weights: How often each counts.

    Returns:
        The number of suffixes that have something to count.
    """
    count = 0
    begin = np.int64(0)
    for number in range(ends.size):
        end = ends[number]
        character = -1
        for start in range(begin, end):
            if start > begin and data[start] & 0xC0 == 0x80:
                continue
            character += 1
            if character % stride:
                continue
            mask = np.int64(0)
            for stop in range(start + 1, min(end, start + longest) + 1):
                if stop == end or data[stop] & 0xC0 != 0x80:
                    mask |= np.int64(1) << (stop - start - 1)
            if mask:
                starts[count] = start
                masks[count] = mask
                suffix_weights[count] = weights[number]
                count += 1
        begin = end
    return count


@kernel
def list_spans(
    word_ends: Offsets, line_ends: Offsets, longest: int, starts: Offsets, masks: Masks
) -> int:
    """List the suffixes of lines whose prefixes are two or more whole words.

    Args:
        word_ends: Where each word ends; a line ends with a word.
        line_ends: Where each line ends.
        longest: As `list_inner` takes it.
        starts: As `list_inner` fills it; as long as `word_ends`.
        masks: As `list_inner` fills it.

    Returns:
        The number of suffixes that have something to count.
    """
    count = 0
    word = 0
    begin = np.int64(0)
    for line in range(line_ends.size):
        while begin < line_ends[line]:
            mask = np.int64(0)
            following = word + 1
            while (
                following < word_ends.size
                and word_ends[following] <= line_ends[line]
                and word_ends[following] - begin <= longest
            ):
                mask |= np.int64(1) << (word_ends[following] - begin - 1)
                following += 1
            if mask:
                starts[count] = begin
                masks[count] = mask
                count += 1
            begin = word_ends[word]
            word += 1
    return count


@kernel
def measure(masks: Masks, sizes: Offsets) -> None:
    """Find the longest length of each mask: ``0b101`` gives 3."""
    for number in range(masks.size):
        size = 0
        while masks[number] >> size:
            size += 1
        sizes[number] = size


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
def sum_prefixes(
    data: Bytes,
    starts: Offsets,
    sizes: Offsets,
    masks: Masks,
    weights: Counts,
    prefix_starts: Offsets,
    prefix_sizes: Offsets,
    sums: Counts,
) -> int:
    """Add up the prefixes of suffixes in ascending order, each times its length in bytes.

    Args:
        data: As `list_inner` takes it.
        starts: Where each suffix begins, in the order of their keys.
        sizes: How many bytes of each are looked at, see `measure`.
        masks: Which prefixes of each count.
        weights: How often each counts.
        prefix_starts: Filled: where each distinct prefix, ascending, begins; room for all
            prefixes of all suffixes, as in the other two.
        prefix_sizes: Filled: how many bytes it has.
        sums: Filled: what it sums up to; 0 if it does not count anywhere.

    Returns:
        The number of distinct prefixes.
    """
    rows = np.empty(LONGEST, np.int64)
    count = 0
    previous, previous_size = np.int64(0), np.int64(0)
    for number in range(starts.size):
        start, size = starts[number], sizes[number]
        shared = 0
        while (
            shared < size
            and shared < previous_size
            and data[previous + shared] == data[start + shared]
        ):
            shared += 1
        for place in range(shared, size):
            rows[place] = count
            prefix_starts[count] = start
            prefix_sizes[count] = place + 1
            sums[count] = 0
            count += 1
        for place in range(size):
            if masks[number] >> place & 1:
                sums[rows[place]] += weights[number] * (place + 1)
        previous, previous_size = start, size
    return count


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
        order = 0
        if left == sums.size:
            order = 1
        elif right == other_sums.size:
            order = -1
        else:
            order = _compare(keys[left], other_keys[right])
        value = np.int64(0)
        source = keys[left] if order <= 0 else other_keys[right]
        if order <= 0:
            value += sums[left]
            left += 1
        if order >= 0:
            value += sign * other_sums[right]
            right += 1
        if value != 0:
            merged[count] = source
            merged_sums[count] = value
            count += 1
    return count


@kernel
def _compare(key: Keys, other: Keys) -> int:
    """-1, 0 or 1: how two keys are ordered."""
    for word in range(key.size):
        if key[word] != other[word]:
            return -1 if key[word] < other[word] else 1
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
        spaces = 0
        for place in range(size):
            shift = np.uint64(56 - 8 * (place % WORD))
            byte = keys[number, place // WORD] >> shift & np.uint64(BYTE)
            if byte == 32 or byte == 9 or byte == 10:
                spaces += 1
        is_piece = size > 1 and spaces <= most_spaces and spaces < size
        marks[number] = is_piece and sums[number] >= least_count * size
