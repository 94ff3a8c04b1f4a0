"""Units of pieces: bytes or characters, the symbols that merging begins with.

* `pages` and `units`: the id of a unit by its code: the lowest 8 bits of the code are the
  place in a page of 256 `units`, the others choose the page, ``pages[variant, code >> 8]``; -1
  where there is no id. A unit is looked up in variant 0, +1 if it is not the first of its
  piece, +2 if it is the last (prefixes and suffixes of words).
* `fallback`: ``int32[256]``, the id that stands for a byte of an unknown unit, or -1.
* `neighbours`: a set, ``int64[2 ** k]``, with open addressing by ``(left << 32 | right) + 1``,
  0 where it is empty: the codes of units that are side by side in some token.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel

Pages = NDArray[np.int32]

WORD = 32
_MIX = np.uint64(0x9E3779B97F4A7C15)
_FOLD = np.uint64(32)


@kernel
def _code_at(data: Bytes, position: int, by_bytes: bool) -> tuple[int, int]:
    """Return the code of the unit at `position` and its length: a byte, or a character."""
    lead = np.int64(data[position])
    if by_bytes or lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | np.int64(data[position + 1]) & 0x3F, 2
    code = np.int64(data[position + 1]) & 0x3F
    code = code << 6 | np.int64(data[position + 2]) & 0x3F
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | code, 3
    return (lead & 0x07) << 18 | code << 6 | np.int64(data[position + 3]) & 0x3F, 4


@kernel
def read_units(
    data: Bytes,
    starts: Offsets,
    ends: Offsets,
    by_bytes: bool,
    pages: Pages,
    units: Ids,
    fallback: Ids,
    unknown: int,
    fuse: bool,
    late: bool,
    whole: Ids,
    symbols: Ids,
    places: Offsets,
    symbol_ends: Offsets,
) -> int:
    """Write the symbols of every piece and where each begins; return how many there are.

    Unknown units become bytes of `fallback` if all of theirs are there, else `unknown` (a run
    of them once if `fuse`), else nothing; if `late`, they stay -1.

    An unknown symbol is written when the next known one is met, even where bytes were written
    in between: that is the order Hugging Face's tokenizers write them in.

    Args:
        data: What the pieces are in.
        starts: Where each piece starts.
        ends: Where each ends.
        by_bytes: Whether units are bytes rather than characters (then `data` is UTF-8).
        pages: See the module.
        units: See the module.
        fallback: See the module.
        unknown: The id of unknown units; -1 if there is none.
        fuse: Whether a run of unknown units is one symbol.
        late: Whether unknown units are left for `write_ids`.
        whole: For each piece the id it has as a whole, or -1; empty if there are none.
        symbols: Filled; as long as the pieces together.
        places: Filled: where in `data` each symbol begins.
        symbol_ends: Filled: where the symbols of each piece end.
    """
    count = 0
    for piece in range(starts.size):
        position, end = starts[piece], ends[piece]
        if whole.size > 0 and whole[piece] >= 0:
            symbols[count] = whole[piece]
            places[count] = position
            count += 1
            position = end
        waiting = np.int64(-1)
        while position < end:
            code, length = _code_at(data, position, by_bytes)
            variant = 1 if position > starts[piece] else 0
            variant += 2 if position + length == end else 0
            symbol = units[pages[variant, code >> 8] * 256 + (code & 255)]
            is_known = symbol >= 0 or late
            spelled = not is_known
            for offset in range(length):
                spelled = spelled and fallback[data[position + offset]] >= 0
            is_unknown = not is_known and not spelled and unknown >= 0
            if waiting >= 0 and (is_known or (is_unknown and not fuse)):
                symbols[count] = unknown
                places[count] = waiting
                count += 1
                waiting = -1
            if is_known:
                symbols[count] = symbol
                places[count] = position
                count += 1
            elif spelled:
                for offset in range(length):
                    symbols[count] = fallback[data[position + offset]]
                    places[count] = position + offset
                    count += 1
            elif is_unknown and waiting < 0:
                waiting = position
            position += length
        if waiting >= 0:
            symbols[count] = unknown
            places[count] = waiting
            count += 1
        symbol_ends[piece] = count
    return count


@kernel
def write_ids(
    data: Bytes,
    ends: Offsets,
    symbols: Ids,
    places: Offsets,
    symbol_ends: Offsets,
    fallback: Ids,
    unknown: int,
    fuse: bool,
    vocab_size: int,
    ids: Ids,
    id_ends: Offsets,
) -> int:
    """Write the ids of symbols, some of them still unknown; return how many there are.

    Args:
        data: What the pieces are in.
        ends: Where each piece ends.
        symbols: The symbols of all pieces; unknown ones are negative, or from `vocab_size` on.
        places: Where in `data` each symbol begins.
        symbol_ends: Where the symbols of each piece end.
        fallback: See the module.
        unknown: The id of unknown symbols with a byte that `fallback` has not; -1: they are
            dropped.
        fuse: Whether a run of unknown symbols is one `unknown`.
        vocab_size: The number of ids that can come out.
        ids: Filled; as long as the pieces together.
        id_ends: Filled: where each piece's ids end.
    """
    written = 0
    place = np.int64(0)
    for piece in range(ends.size):
        was_unknown = False
        last = symbol_ends[piece]
        for number in range(place, last):
            symbol = symbols[number]
            is_unknown = symbol < 0 or symbol >= vocab_size
            if not is_unknown:
                ids[written] = symbol
                written += 1
            else:
                finish = places[number + 1] if number + 1 < last else ends[piece]
                spelled = True
                for position in range(places[number], finish):
                    spelled = spelled and fallback[data[position]] >= 0
                if spelled:
                    for position in range(places[number], finish):
                        ids[written] = fallback[data[position]]
                        written += 1
                elif unknown >= 0 and not (fuse and was_unknown):
                    ids[written] = unknown
                    written += 1
            was_unknown = is_unknown
        place = last
        id_ends[piece] = written
    return written


@kernel
def _row_of(neighbours: Offsets, left: int, right: int) -> int:
    """Return the row of two units in `neighbours`, or the empty row where they would be."""
    key = (left << WORD | right) + 1
    mixed = np.uint64(key) * _MIX
    row = np.int64((mixed ^ (mixed >> _FOLD)) & np.uint64(neighbours.size - 1))
    while neighbours[row] != 0 and neighbours[row] != key:
        row = (row + 1) & np.int64(neighbours.size - 1)
    return row


@kernel
def fill_neighbours(keys: Offsets, neighbours: Offsets) -> None:
    """Put pairs of codes, ``left << 32 | right``, into an empty set."""
    for number in range(keys.size):
        row = _row_of(neighbours, keys[number] >> WORD, keys[number] & 0xFFFFFFFF)
        neighbours[row] = keys[number] + 1


@kernel
def cut_pieces(
    data: Bytes,
    ends: Offsets,
    by_bytes: bool,
    pages: Pages,
    units: Ids,
    neighbours: Offsets,
    least: int,
    cuts: Offsets,
) -> int:
    """Cut long pieces where no merge can ever reach across; return how many there are then.

    Between two known units that no token has side by side nothing merges, so the parts can be
    segmented each by itself.

    Args:
        data: The pieces end to end.
        ends: Where each ends.
        by_bytes: Whether units are bytes rather than characters.
        pages: See the module.
        units: See the module.
        neighbours: See the module.
        least: Pieces up to this length are left alone.
        cuts: Filled with the ends of the parts; what does not fit is counted only.
    """
    count = 0
    position = np.int64(0)
    for piece in range(ends.size):
        end = ends[piece]
        if end - position <= least:
            position = end
        earlier = np.int64(-1)
        while position < end:
            code, length = _code_at(data, position, by_bytes)
            if units[pages[0, code >> 8] * 256 + (code & 255)] < 0:
                earlier = -1
            else:
                if earlier >= 0 and neighbours[_row_of(neighbours, earlier, code)] == 0:
                    if count < cuts.size:
                        cuts[count] = position
                    count += 1
                earlier = code
            position += length
        if count < cuts.size:
            cuts[count] = end
        count += 1
    return count
