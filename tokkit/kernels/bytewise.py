"""The most probable segmentation where every single byte is a token."""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel
from tokkit.kernels.longest import BASE_SHIFT, LABEL_MASK, TOKEN_BIT

Scores = NDArray[np.float64]


@kernel
def best_tokens(
    data: Bytes,
    ends: Offsets,
    units: Offsets,
    slot_ids: Ids,
    scores: Scores,
    ids: Ids,
    id_ends: Offsets,
) -> int:
    """Cut every piece into the tokens with the highest sum of scores.

    Of several best ways the one is taken whose last token is longest, and so on from the right.

    Args:
        data: The pieces end to end: any bytes.
        ends: Where each ends.
        units: The double array of the tokens, see `tokkit.kernels.longest`; all single bytes
            are among them.
        slot_ids: The id of the token that ends at a slot.
        scores: The score of each id.
        ids: Filled; as long as `data`.
        id_ends: Filled: where each piece's ids end.

    Returns:
        The number of ids.
    """
    longest = np.int64(0)
    begin = np.int64(0)
    for piece in range(ends.size):
        longest = max(longest, ends[piece] - begin)
        begin = ends[piece]
    best = np.empty(longest + 1, np.float64)
    choices = np.empty(longest + 1, np.int32)
    origins = np.empty(longest + 1, np.int64)
    root = units[0] >> BASE_SHIFT
    written = np.int64(0)
    begin = np.int64(0)
    for piece in range(ends.size):
        size = ends[piece] - begin
        best[1 : size + 1] = -np.inf
        best[0] = 0.0
        for place in range(size):
            base = root
            for reading in range(place, size):
                byte = np.int64(data[begin + reading])
                slot = base ^ byte
                unit = units[slot]
                if (unit & LABEL_MASK) != byte:
                    break
                base = unit >> BASE_SHIFT
                if unit & TOKEN_BIT:
                    candidate = best[place] + scores[slot_ids[slot]]
                    if candidate > best[reading + 1]:
                        best[reading + 1] = candidate
                        choices[reading + 1] = slot_ids[slot]
                        origins[reading + 1] = place
        written += _write_back(choices, origins, size, ids, written)
        id_ends[piece] = written
        begin = ends[piece]
    return written


@kernel
def _write_back(choices: Ids, origins: Offsets, size: int, ids: Ids, written: int) -> int:
    """Write the tokens of the best way to `size`, in order; return how many there are."""
    count = 0
    place = size
    while place > 0:
        count += 1
        place = origins[place]
    place = size
    target = written + count
    while place > 0:
        target -= 1
        ids[target] = choices[place]
        place = origins[place]
    return count
