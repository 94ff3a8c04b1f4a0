"""Dynamic merging as it is told: everything is counted again for every merge."""

from collections import Counter
from itertools import pairwise


def merge_again_and_again(batch, rule, most):
    """Merge lists of byte strings; None among them is a special token.

    Returns:
        The lists, and the merged pairs with their counts.
    """
    batch = [list(tokens) for tokens in batch]
    merges = []
    while len(merges) < most:
        counts = Counter(
            pair
            for tokens in batch
            for pair in pairwise(tokens)
            if None not in pair and rule(*pair)
        )
        if not counts:
            break
        best = max(counts, key=counts.get)  # of equals the first that was met
        merges.append((*best, counts[best]))
        batch = [merge_in(tokens, *best) for tokens in batch]
    return batch, merges


def merge_in(tokens, first, second):
    """Merge a pair in one list, from the left."""
    merged, place = [], 0
    while place < len(tokens):
        if tokens[place : place + 2] == [first, second]:
            merged.append(first + second)
            place += 2
        else:
            merged.append(tokens[place])
            place += 1
    return merged
