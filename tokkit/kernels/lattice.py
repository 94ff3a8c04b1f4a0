"""The best path of a unigram model, carried on over all tokens that may come next.

What the search needs to know of a text are its open places: where a token may have begun that
does not end before the text does. An entry is such a place: the node of the trie that the text
since then leads to, the best score up to the place, and what was taken off the scores of later
places when it was reached (see `REBASE_BELOW`). The last entry is the end of the text itself,
at the root. All arithmetic and all ties are as in `tokkit.kernels.viterbi`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel

Floats = NDArray[np.float64]
Marks = NDArray[np.uint8]

REBASE_BELOW = -100_000.0
"""As in `tokkit.kernels.viterbi`; kernels in one file do not see changes in another."""


class Network(NamedTuple):
    """A vocabulary and its scores; see `tokkit.kernels.overlap` for tries.

    Attributes:
        children: Of the trie.
        labels: Of the trie.
        stops: Of the trie.
        lows: Of the trie.
        roots: The child of the root along each byte, -1 if there is none, ``int32[256]``.
        values: The score of each of the sorted strings.
        unknown: The score of a character that is no token.
        single: Whether sums are rounded to 32 bits.
        depth: The length of the longest string.
    """

    children: Ids
    labels: Marks
    stops: Marks
    lows: Ids
    roots: Ids
    values: Floats
    unknown: float
    single: bool
    depth: int


class Entries(NamedTuple):
    """Open places, in the order of the text.

    Attributes:
        nodes: Where the text since then leads to; -1 if to no node.
        bases: The best score up to the place, or 0 where scores were counted anew.
        shifts: What was taken off the scores of later places there, or 0.
    """

    nodes: Ids
    bases: Floats
    shifts: Floats


class Rows(NamedTuple):
    """Entries after each byte of something that comes next, one row per byte, and one before.

    Attributes:
        nodes: See `Entries`; all rows end to end.
        bases: See `Entries`.
        shifts: See `Entries`.
        starts: Where each row starts.
        own: Which entry is the place before the first byte; -1 if no longer open.
        left: How many bytes the last character lacks.
        wins: Whether the best path comes from the place before the first byte; meaningful
            where no byte is lacking, as the others.
        gaps: Whether its last part is a character that is no token.
    """

    nodes: Ids
    bases: Floats
    shifts: Floats
    starts: Offsets
    own: Offsets
    left: Offsets
    wins: Marks
    gaps: Marks


@kernel
def _rows(entries: Entries, depth: int) -> Rows:
    """Begin the rows for up to `depth` bytes: the first is a copy of `entries`."""
    count = entries.nodes.size
    size = (count + depth + 2) * (depth + 2)
    rows = Rows(
        np.empty(size, np.int32),
        np.empty(size, np.float64),
        np.empty(size, np.float64),
        np.empty(depth + 3, np.int64),
        np.empty(depth + 2, np.int64),
        np.empty(depth + 2, np.int64),
        np.empty(depth + 2, np.uint8),
        np.empty(depth + 2, np.uint8),
    )
    for entry in range(count):
        rows.nodes[entry] = entries.nodes[entry]
        rows.bases[entry] = entries.bases[entry]
        rows.shifts[entry] = entries.shifts[entry]
    rows.starts[0], rows.starts[1] = 0, count
    rows.own[0] = count - 1
    rows.left[0] = 0
    rows.wins[0] = rows.gaps[0] = 0
    return rows


@kernel
def _child(children: Ids, labels: Marks, roots: Ids, node: int, byte: int) -> int:
    """Return the child of a node along a byte; -1 if there is none."""
    if node == 0:
        return np.int64(roots[byte])
    place = np.int64(children[node])
    end = np.int64(children[node + 1])
    while end - place > 8:
        middle = (place + end) >> 1
        if labels[middle] <= byte:
            place = middle
        else:
            end = middle
    while place < end and labels[place] < byte:
        place += 1
    return place if place < end and labels[place] == byte else np.int64(-1)


@kernel
def _settle(network: Network, rows: Rows, row: int) -> None:
    """Find the best path to the end of a character, and open that place."""
    first, end = rows.starts[row], rows.starts[row + 1]
    own = rows.own[row]
    found = False
    is_gap = False
    winner = np.int64(-1)
    best = 0.0
    for entry in range(first, end):
        if found and rows.shifts[entry] != 0.0:
            best = np.float64(np.float32(best - rows.shifts[entry]))
        node = rows.nodes[entry]
        is_token = node >= 0 and network.stops[node] != 0
        if not is_token and entry < end - 1:
            continue
        value = network.values[network.lows[node]] if is_token else network.unknown
        candidate = value + rows.bases[entry]
        if network.single:
            candidate = np.float64(np.float32(candidate))
        if not found or candidate > best:
            found, best, winner, is_gap = True, candidate, entry, not is_token
    rows.wins[row] = winner == own
    rows.gaps[row] = is_gap
    write = first
    rows.own[row] = -1
    for entry in range(first, end):
        node = rows.nodes[entry]
        is_open = node >= 0 and network.children[node] < network.children[node + 1]
        if is_open or (rows.shifts[entry] != 0.0 and write > first):
            rows.nodes[write] = node if is_open else -1
            rows.bases[write] = rows.bases[entry]
            rows.shifts[write] = rows.shifts[entry]
            if entry == own:
                rows.own[row] = write
            write += 1
    is_low = network.single and best < REBASE_BELOW
    rows.nodes[write] = 0
    rows.bases[write] = 0.0 if is_low else best
    rows.shifts[write] = best if is_low else 0.0
    rows.starts[row + 1] = write + 1


@kernel
def _read(network: Network, rows: Rows, row: int, byte: int) -> None:
    """Make the row after `row`, for one byte more.

    The last entry stays, wherever it leads, until the character is complete that begins there.
    """
    start, end = rows.starts[row], rows.starts[row + 1]
    left = rows.left[row]
    if left == 0:
        left = 1 if byte < 0xC0 else (2 if byte < 0xE0 else (3 if byte < 0xF0 else 4))
    write = end
    rows.own[row + 1] = -1
    for entry in range(start, end):
        node = np.int64(rows.nodes[entry])
        if node >= 0:
            node = _child(network.children, network.labels, network.roots, node, byte)
        is_kept = node >= 0 or entry == end - 1
        if is_kept or (rows.shifts[entry] != 0.0 and write > end):
            rows.nodes[write] = node
            rows.bases[write] = rows.bases[entry]
            rows.shifts[write] = rows.shifts[entry]
            if entry == rows.own[row]:
                rows.own[row + 1] = write
            write += 1
    rows.starts[row + 2] = write
    rows.left[row + 1] = left - 1
    if left == 1:
        _settle(network, rows, row + 1)


@kernel
def next_winners(
    network: Network,
    entries: Entries,
    data: Bytes,
    ends: Offsets,
    ids: Ids,
    chosen: Offsets,
    flags: Marks,
) -> None:
    """Find out which of some tokens are the end of the best path if they come next.

    Args:
        network: The vocabulary.
        entries: The open places before.
        data: The vocabulary's strings, sorted, end to end.
        ends: Where each ends.
        ids: The id of each.
        chosen: The strings in question, in ascending order.
        flags: Changed, for those: 1 if it is, by id.
    """
    rows = _rows(entries, network.depth)
    before, length = np.int64(0), np.int64(0)
    for token in chosen:
        start = ends[token - 1] if token > 0 else 0
        common = np.int64(0)
        most = min(length, ends[token] - start)
        while common < most and data[before + common] == data[start + common]:
            common += 1
        before, length = start, ends[token] - start
        for place in range(common, length):
            _read(network, rows, place, np.int64(data[start + place]))
        flags[ids[token]] = rows.left[length] == 0 and rows.wins[length] != 0


@kernel
def advance(network: Network, entries: Entries, token: Bytes) -> tuple[bool, bool, Entries]:
    """Read a token of whole characters.

    Returns:
        Whether the best path then ends with what has just been read, as a whole; whether it
        ends with a character that is no token; and the open places.
    """
    rows = _rows(entries, token.size)
    for place in range(token.size):
        _read(network, rows, place, np.int64(token[place]))
    start, end = rows.starts[token.size], rows.starts[token.size + 1]
    after = Entries(
        rows.nodes[start:end].copy(),
        rows.bases[start:end].copy(),
        rows.shifts[start:end].copy(),
    )
    is_best = rows.left[token.size] == 0 and rows.wins[token.size] != 0
    return is_best, rows.gaps[token.size] != 0, after


@kernel
def _is_begun(character: Bytes, length: int) -> bool:
    """Tell whether the first bytes of a character are well-formed."""
    lead = character[0]
    if length == 1:
        return lead < 0x80 or 0xC2 <= lead <= 0xF4
    byte = character[length - 1]
    if length > 2 or lead not in (0xE0, 0xED, 0xF0, 0xF4):
        return 0x80 <= byte <= 0xBF
    low = 0xA0 if lead == 0xE0 else (0x90 if lead == 0xF0 else 0x80)
    high = 0x9F if lead == 0xED else (0x8F if lead == 0xF4 else 0xBF)
    return low <= byte <= high


@kernel
def next_bytes(
    network: Network, entries: Entries, begun: Bytes, usable: Marks, possible: Marks
) -> None:
    """Find out which bytes can come next of a character that is no token.

    A byte can if there is a character with it which is no token, and no token that began
    earlier takes it in; characters are tried until one is found.

    Args:
        network: The vocabulary.
        entries: The open places before the character.
        begun: The bytes of the character so far.
        usable: Which bytes can be written at all, ``uint8[256]``.
        possible: Filled: 1 for the bytes that can come next, ``uint8[256]``.
    """
    rows = _rows(entries, np.int64(4))
    character = np.empty(5, np.uint8)
    for place in range(begun.size):
        character[place] = begun[place]
        _read(network, rows, place, np.int64(begun[place]))
    choices = np.empty(6, np.int64)
    for byte in range(256):
        possible[byte] = 0
        own = network.roots[byte]
        if begun.size == 0 and byte < 0x80 and own >= 0 and network.stops[own]:
            continue
        place = np.int64(begun.size)
        choices[place], choices[place + 1] = byte, byte + 1
        while place >= begun.size and not possible[byte]:
            choice = choices[place]
            is_over = choice > (byte if place == begun.size else 0xBF)
            choices[place] += 1
            if is_over:
                place -= 1
                continue
            character[place] = choice
            if not usable[choice] or not _is_begun(character, place + 1):
                continue
            _read(network, rows, place, choice)
            place += 1
            if rows.left[place] == 0:
                possible[byte] = rows.gaps[place]
                place -= 1
            else:
                choices[place] = 0x80
