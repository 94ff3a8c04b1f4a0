"""WordPiece: the longest token from the left, or the whole piece is unknown."""

import numpy as np

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel
from tokkit.kernels.longest import BASE_SHIFT, LABEL_MASK, TOKEN_BIT


@kernel
def wordpiece_pieces(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    trie: Offsets,
    slot_ids: Ids,
    middle: int,
    unknown: int,
    most: int,
    ids: Ids,
    id_ends: Offsets,
) -> int:
    """Segment pieces into the longest tokens from the left; return the number of ids.

    With ``play``, ``##ing`` and ``##in``, ``playing`` is ``play ##ing``, ``playful`` unknown.

    Args:
        data: What the pieces are in, UTF-8.
        starts: Where each piece starts.
        ends: Where each ends.
        trie: The double array of the tokens, see `tokkit.kernels.longest`.
        slot_ids: The id of the token that ends at a slot.
        middle: The slot that all but the first token of a piece are looked for from: that of
            the prefix ``##``; -1 if no token has it.
        unknown: The id of a piece that cannot be segmented.
        most: Pieces with more characters than this are `unknown`.
        ids: Filled; as long as the pieces together.
        id_ends: Filled: where each piece's ids end.
    """
    written = 0
    for piece in range(starts.size):
        position, end = starts[piece], ends[piece]
        first = written
        characters = 0
        for place in range(position, end):
            characters += 1 if data[place] & 0xC0 != 0x80 else 0
        known = characters <= most
        slot = np.int64(0)
        while known and position < end:
            best = np.int64(-1)
            finish = position
            reading = position
            while reading < end and slot >= 0:
                byte = np.int64(data[reading])
                slot = trie[slot] >> BASE_SHIFT ^ byte
                if (trie[slot] & LABEL_MASK) != byte:
                    break
                reading += 1
                if trie[slot] & TOKEN_BIT:
                    best = slot
                    finish = reading
            known = best >= 0
            if known:
                ids[written] = slot_ids[best]
                written += 1
            position = finish
            slot = np.int64(middle)
        if not known:
            ids[first] = unknown
            written = first + 1
        id_ends[piece] = written
    return written
