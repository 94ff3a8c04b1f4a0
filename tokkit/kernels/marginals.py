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
    """Add all that is allowed to the sum of each token's first byte (256: it has none).

    Neighbours often begin alike, so four sums of each byte are kept, that do not wait for each
    other.
    """
    parts = np.zeros((4, 257))
    whole = first.size & ~3
    for token in range(0, whole, 4):
        parts[0, first[token]] += probs[token] * flags[token]
        parts[1, first[token + 1]] += probs[token + 1] * flags[token + 1]
        parts[2, first[token + 2]] += probs[token + 2] * flags[token + 2]
        parts[3, first[token + 3]] += probs[token + 3] * flags[token + 3]
    for token in range(whole, first.size):
        parts[0, first[token]] += probs[token] * flags[token]
    for byte in range(256):
        sums[byte] += (parts[0, byte] + parts[1, byte]) + (parts[2, byte] + parts[3, byte])


@kernel
def find_likeliest(
    probs: Floats, flags: Bytes, order: Ids, low: int, high: int, found: Floats
) -> int:
    """Return the first of the likeliest allowed tokens of a node, -1 if none has any.

    Args:
        probs: The probability of each id, ``float64[V]``.
        flags: Which ids count, ``uint8[V]``.
        order: See above.
        low: Where the node begins.
        high: Where it ends.
        found: Filled: the probability of that token, and of all of them.
    """
    best = 0.0
    likeliest = -1
    total = 0.0
    for place in range(low, high):
        token = order[place]
        own = probs[token] * flags[token]
        total += own
        if own > best:
            best = own
            likeliest = token
    found[0] = best
    found[1] = total
    return likeliest


@kernel
def count_allowed(flags: Bytes, order: Ids, low: int, high: int) -> int:
    """Tell whether anything in a node is allowed: 1 or 0."""
    for place in range(low, high):
        if flags[order[place]]:
            return 1
    return 0
