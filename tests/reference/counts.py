"""Counting as one would say it."""

from itertools import pairwise


def count_strings(strings, weights=None):
    """The count of each string, in the order of their bytes."""
    counts = {}
    for number, string in enumerate(strings):
        counts[string] = counts.get(string, 0) + (1 if weights is None else weights[number])
    return dict(sorted(counts.items()))


def is_ascending(strings):
    """Whether each string is greater than the one before it."""
    return all(left < right for left, right in pairwise(strings))
