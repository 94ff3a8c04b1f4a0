"""The most probable segmentation under a unigram model."""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel
from tokkit.kernels.longest import BASE_SHIFT, LABEL_MASK, TOKEN_BIT

Scores = NDArray[np.float64]

REBASE_BELOW = -100_000.0
"""Where SentencePiece starts to add up anew, found by trying: 32 bits hold no long sums."""


@kernel
def _find_piece(data: Bytes, start: int, end: int, trie: Offsets) -> int:
    """Return the slot of a piece in the trie; -1 if it is not there."""
    slot = np.int64(0)
    for position in range(start, end):
        byte = np.int64(data[position])
        slot = trie[slot] >> BASE_SHIFT ^ byte
        if (trie[slot] & LABEL_MASK) != byte:
            return -1
    return slot if trie[slot] & TOKEN_BIT else -1


@kernel
def _best_path(
    data: Bytes,
    start: int,
    end: int,
    trie: Offsets,
    slot_ids: Ids,
    scores: Scores,
    unknown_score: float,
    single: bool,
    bytewise: bool,
    best: Scores,
    origins: Offsets,
    choices: Ids,
) -> None:
    """Fill the best score of each prefix of a piece, where its last token begins, and its id.

    Ids are -1 for unknown characters. Of equal scores the first found stays. If `single`, sums
    are rounded to 32 bits before they are compared, and counted anew from a place whose sum is
    below `REBASE_BELOW`, as SentencePiece does since 0.2.2. If `bytewise`, every byte counts
    as a character.
    """
    for place in range(end - start + 1):
        origins[place] = -1
    best[0] = 0.0
    position = start
    furthest = np.int64(0)
    while position < end:
        here = best[position - start]
        if single and here < REBASE_BELOW:
            for place in range(position - start + 1, furthest + 1):
                if origins[place] >= 0:
                    best[place] = np.float64(np.float32(best[place] - here))
            here = 0.0
        lead = data[position]
        width = 1 if lead < 0xC0 else (2 if lead < 0xE0 else (3 if lead < 0xF0 else 4))
        width = 1 if bytewise else min(width, end - position)
        has_character = False
        slot = np.int64(0)
        reading = position
        while reading < end:
            byte = np.int64(data[reading])
            slot = trie[slot] >> BASE_SHIFT ^ byte
            if (trie[slot] & LABEL_MASK) != byte:
                break
            reading += 1
            if trie[slot] & TOKEN_BIT:
                target = reading - start
                furthest = max(furthest, target)
                candidate = scores[slot_ids[slot]] + here
                if single:
                    candidate = np.float64(np.float32(candidate))
                if origins[target] < 0 or candidate > best[target]:
                    best[target] = candidate
                    origins[target] = position
                    choices[target] = slot_ids[slot]
                has_character = has_character or reading - position == width
        if not has_character:
            target = position + width - start
            furthest = max(furthest, target)
            candidate = unknown_score + here
            if single:
                candidate = np.float64(np.float32(candidate))
            if origins[target] < 0 or candidate > best[target]:
                best[target] = candidate
                origins[target] = position
                choices[target] = -1
        position += width


@kernel
def _write_path(
    data: Bytes,
    start: int,
    end: int,
    trie: Offsets,
    slot_ids: Ids,
    unknown: int,
    fallback: Ids,
    fuse: bool,
    origins: Offsets,
    choices: Ids,
    marks: Offsets,
    ids: Ids,
    written: int,
) -> int:
    """Write the ids of the best path of a piece; return how many ids there are now.

    A run of unknown characters counts as one if `fuse`; it may then be a token after all. If
    not, it is the bytes it consists of, if `fallback` has them all, or `unknown`.
    """
    count = 0
    finish = end
    while finish > start:
        marks[count] = finish
        count += 1
        finish = origins[finish - start]
    begin = start
    while count > 0:
        count -= 1
        finish = marks[count]
        choice = np.int64(choices[finish - start])
        if choice == unknown:
            choice = -1
        if choice < 0:
            while fuse and count > 0:
                following = choices[marks[count - 1] - start]
                if following >= 0 and following != unknown:
                    break
                count -= 1
                finish = marks[count]
            slot = _find_piece(data, begin, finish, trie)
            if slot >= 0:
                choice = np.int64(slot_ids[slot])
        if choice >= 0:
            ids[written] = choice
            written += 1
        else:
            spelled = True
            for position in range(begin, finish):
                spelled = spelled and fallback[data[position]] >= 0
            if spelled:
                for position in range(begin, finish):
                    ids[written] = fallback[data[position]]
                    written += 1
            else:
                ids[written] = unknown
                written += 1
        begin = finish
    return written


@kernel
def unigram_pieces(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    trie: Offsets,
    slot_ids: Ids,
    scores: Scores,
    unknown_score: float,
    unknown: int,
    fallback: Ids,
    fuse: bool,
    single: bool,
    bytewise: bool,
    ids: Ids,
    id_ends: Offsets,
) -> int:
    """Segment pieces by the best path through a unigram model; return the number of ids.

    Args:
        data: What the pieces are in; UTF-8 unless `bytewise`.
        starts: Where each piece starts.
        ends: Where each ends.
        trie: The double array of the tokens, see `tokkit.kernels.longest`.
        slot_ids: The id of the token that ends at a slot.
        scores: The score of each id.
        unknown_score: The score of a character that is no token.
        unknown: The id of unknown characters; -1 if there is none.
        fallback: ``int32[256]``, the id that stands for a byte of an unknown character, or -1.
        fuse: Whether a run of unknown characters counts as one.
        single: Whether scores are accumulated in 32 bits.
        bytewise: Whether every byte counts as a character.
        ids: Filled; as long as the pieces together.
        id_ends: Filled: where each piece's ids end.
    """
    longest = np.int64(0)
    for piece in range(starts.size):
        longest = max(longest, ends[piece] - starts[piece])
    best = np.empty(longest + 1, np.float64)
    origins = np.empty(longest + 1, np.int64)
    choices = np.empty(longest + 1, np.int32)
    marks = np.empty(longest + 1, np.int64)
    written = 0
    for piece in range(starts.size):
        start, end = starts[piece], ends[piece]
        _best_path(
            data,
            start,
            end,
            trie,
            slot_ids,
            scores,
            unknown_score,
            single,
            bytewise,
            best,
            origins,
            choices,
        )
        written = _write_path(
            data, start, end, trie, slot_ids, unknown, fallback, fuse, origins, choices, marks,
            ids, written,
        )  # fmt: skip
        id_ends[piece] = written
    return written
