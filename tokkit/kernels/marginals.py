"""Sums of token probabilities over the tokens that begin with given bytes.

The tokens that text can produce are sorted by their bytes: those that begin with a string are
then a range, its *node*, and those that are the string itself come first in it.

* ``order``: ``int32[m]``, the ids in that order;
* ``data``, ``starts``: their bytes, ``uint8[n]``, and where each begins, ``int64[m + 1]``.

Sums are over float64 and direct, never differences of running sums: those lose all digits of
rare strings.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel

Floats = NDArray[np.float64]


@kernel
def _bound(
    data: Bytes, starts: Offsets, low: int, high: int, depth: int, byte: int, after: int
) -> int:
    """The first token in a node whose byte at `depth` is at least `byte` (or `after` it)."""
    while low < high:
        middle = (low + high) >> 1
        place = starts[middle] + depth
        is_before = place >= starts[middle + 1] or data[place] < byte + after
        if is_before:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def descend(
    data: Bytes, starts: Offsets, low: int, high: int, text: Bytes, depth: int, bounds: Offsets
) -> int:
    """Follow `text` down from a node; return how many of its bytes some token goes on with.

    Args:
        data: See above.
        starts: See above.
        low: Where the node begins.
        high: Where it ends.
        text: The bytes to follow.
        depth: How long the string of the node is.
        bounds: Filled: begin and end of the node after each byte, ``int64[2 * len(text)]``.
    """
    for position in range(text.size):
        byte = np.int64(text[position])
        low = _bound(data, starts, low, high, depth + position, byte, 0)
        high = _bound(data, starts, low, high, depth + position, byte, 1)
        if low >= high:
            return position
        bounds[2 * position] = low
        bounds[2 * position + 1] = high
    return text.size


@kernel
def sum_nodes(
    probs: Floats,
    flags: Bytes,
    order: Ids,
    bounds: Offsets,
    count: int,
    sums: Floats,
) -> None:
    """Sum what is allowed in each of `count` nodes, every one inside the one before it.

    Args:
        probs: The probability of each id, ``float64[V]``.
        flags: Which ids count, ``uint8[V]``.
        order: See above.
        bounds: Begin and end of each node.
        count: How many.
        sums: Filled, ``float64[count]``.
    """
    low = bounds[2 * (count - 1)] if count else np.int64(0)
    high = low
    total = 0.0
    for node in range(count - 1, -1, -1):
        for place in range(bounds[2 * node], low):
            token = order[place]
            if flags[token]:
                total += probs[token]
        for place in range(high, bounds[2 * node + 1]):
            token = order[place]
            if flags[token]:
                total += probs[token]
        low = bounds[2 * node]
        high = bounds[2 * node + 1]
        sums[node] = total


@kernel
def spread(
    probs: Floats,
    flags: Bytes,
    order: Ids,
    data: Bytes,
    starts: Offsets,
    low: int,
    high: int,
    depth: int,
    sums: Floats,
) -> None:
    """Add what is allowed in a node to the sum of each token's byte at `depth`.

    Tokens that end there count for nothing.
    """
    for place in range(low, high):
        token = order[place]
        byte_place = starts[place] + depth
        if flags[token] and byte_place < starts[place + 1]:
            sums[data[byte_place]] += probs[token]


@kernel
def spread_first(probs: Floats, flags: Bytes, first: NDArray[np.int16], sums: Floats) -> None:
    """Add all that is allowed to the sum of each token's first byte (-1: it has none)."""
    for token in range(first.size):
        if flags[token] and first[token] >= 0:
            sums[first[token]] += probs[token]


@kernel
def count_allowed(flags: Bytes, order: Ids, low: int, high: int) -> int:
    """Tell whether anything in a node is allowed: 1 or 0."""
    for place in range(low, high):
        if flags[order[place]]:
            return 1
    return 0


@kernel
def sum_allowed(probs: Floats, flags: Bytes) -> float:
    """Sum what is allowed, in four strands that the processor can add side by side."""
    first = 0.0
    second = 0.0
    third = 0.0
    fourth = 0.0
    whole = flags.size & ~3
    for token in range(0, whole, 4):
        first += probs[token] * flags[token]
        second += probs[token + 1] * flags[token + 1]
        third += probs[token + 2] * flags[token + 2]
        fourth += probs[token + 3] * flags[token + 3]
    for token in range(whole, flags.size):
        first += probs[token] * flags[token]
    return (first + second) + (third + fourth)
