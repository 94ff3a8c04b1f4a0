"""Pieces that are tokens as they stand.

`words` is a table, ``int32[2 ** k]``, with open addressing by the bytes of a token: its id + 1,
or 0 where it is empty.
"""

import numpy as np

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel

_START = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0x100000001B3)
_FOLD = np.uint64(32)


@kernel
def _find_row(
    data: Bytes, start: int, end: int, words: Ids, spellings: Bytes, spelling_ends: Offsets
) -> int:
    """Return the row of a token in `words`, or the empty row where it would be."""
    mask = np.uint64(words.size - 1)
    state = _START
    for position in range(start, end):
        state = (state ^ np.uint64(data[position])) * _STEP
    row = np.int64((state ^ (state >> _FOLD)) & mask)
    while words[row] != 0:
        word = words[row] - 1
        place = spelling_ends[word - 1] if word > 0 else 0
        same = spelling_ends[word] - place == end - start
        position = start
        while same and position < end:
            same = data[position] == spellings[place + position - start]
            position += 1
        if same:
            break
        row = (row + 1) & np.int64(words.size - 1)
    return row


@kernel
def fill_words(spellings: Bytes, spelling_ends: Offsets, words: Ids) -> None:
    """Put every token that has bytes into an empty table; the first of equal tokens counts.

    Args:
        spellings: The tokens end to end.
        spelling_ends: Where each ends.
        words: The table, all 0 and at least twice as long as there are tokens; filled.
    """
    start = np.int64(0)
    for word in range(spelling_ends.size):
        end = spelling_ends[word]
        if end > start:
            row = _find_row(spellings, start, end, words, spellings, spelling_ends)
            if words[row] == 0:
                words[row] = word + 1
        start = end


@kernel
def find_words(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    words: Ids,
    spellings: Bytes,
    spelling_ends: Offsets,
    found: Ids,
) -> None:
    """Look pieces up as they stand.

    Args:
        data: What the pieces are in.
        starts: Where each piece starts.
        ends: Where each ends.
        words: The table.
        spellings: The tokens end to end.
        spelling_ends: Where each ends.
        found: Filled: the id of each piece, or -1.
    """
    for piece in range(starts.size):
        row = _find_row(data, starts[piece], ends[piece], words, spellings, spelling_ends)
        found[piece] = words[row] - 1
