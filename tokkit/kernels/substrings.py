"""Counting all substrings of strings, by sorting where they begin.

A substring is a prefix of a *suffix*, of what is left of a string from some place on. When
suffixes are in ascending order, those that begin with the same substring are neighbours, so
one walk through them adds up every substring, and meets the substrings in ascending order too.

For ``abab``, whose suffixes are ``ab``, ``abab``, ``b`` and ``bab``, in this order, the walk
finds ``a`` and ``ab`` twice, ``aba`` and ``abab`` once, ``b`` twice, ``ba`` and ``bab`` once.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Counts, Offsets, kernel

Masks = NDArray[np.int64]

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
