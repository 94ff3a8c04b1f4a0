"""Follow an automaton over characters along every token of a vocabulary.

Tokens are read once: their characters' classes are put into a tree, so that tokens of the same
classes are followed together, and what is left of them is a *tail*, the beginning of a
character that is not complete, as an integer: by how many bytes are still to come, the bits of
the code point that are known, after those of longer tails' kinds.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel

ONE_MORE = 0x110000 >> 6
"""Tails below this lack one byte, and are the code point without its last six bits."""
TWO_MORE = ONE_MORE + (0x110000 >> 12)
"""Tails from `ONE_MORE` to below this lack two bytes, and are the code point without twelve."""
TAILS = TWO_MORE + (0x110000 >> 18) + 1
"""The other tails lack three bytes; only some of all these numbers are tails of UTF-8."""

COMPLETE = -1
MALFORMED = -2
NONE = -1

Steps = NDArray[np.int32]
Sets = NDArray[np.uint64]


@kernel
def _first_tail(byte: int) -> int:
    """The tail that is one byte, or `MALFORMED`."""
    if 0xC2 <= byte < 0xE0:
        return byte & 0x1F
    if 0xE0 <= byte < 0xF0:
        return ONE_MORE + (byte & 0xF)
    if 0xF0 <= byte < 0xF5:
        return TWO_MORE + (byte & 0x7)
    return MALFORMED


@kernel
def _next_tail(tail: int, byte: int) -> int:
    """The tail with a continuation byte more, for one that lacks two bytes at least."""
    if tail >= TWO_MORE:
        known = (tail - TWO_MORE) << 6 | (byte & 0x3F)
        return ONE_MORE + known if 0x10 <= known < 0x110 else MALFORMED
    known = (tail - ONE_MORE) << 6 | (byte & 0x3F)
    return MALFORMED if known < 0x20 or 0x360 <= known < 0x380 else known


@kernel
def _child(
    node: int, label: int, labels: Bytes, parents: Ids, first: Ids, following: Ids, count: int
) -> int:
    """The child of a node of the tree; `count` if it is a new one."""
    child = first[node]
    while child != 0:
        if labels[child] == label:
            return child
        child = following[child]
    labels[count] = label
    parents[count] = node
    following[count] = first[node]
    first[node] = count
    return count


@kernel
def read_tokens(
    data: Bytes,
    ends: Offsets,
    table: Bytes,
    leads: Bytes,
    nodes: Ids,
    tails: Ids,
    labels: Bytes,
    parents: Ids,
    first: Ids,
    following: Ids,
) -> int:
    """Put the classes of all tokens' characters into a tree; return how many nodes it has.

    Args:
        data: The tokens end to end.
        ends: Where each ends.
        table: The class of each code point, ``uint8[0x110000]``.
        leads: Filled: how many continuation bytes a token begins with, four for more.
        nodes: Filled: the node after each token's whole characters, -1 for tokens that are
            empty or malformed; node 0 is the root.
        tails: Filled: each token's tail, -1 for none.
        labels: Filled for each node: the class that leads there; room for ``len(data) + 1``.
        parents: Filled for each node: the one before; nodes come after their parents.
        first: Zeros, as many; needed for the tree.
        following: Zeros, as many.
    """
    count = 1
    position = 0
    for token in range(ends.size):
        end = ends[token]
        lead = position
        while lead < end and lead - position < 4 and data[lead] & 0xC0 == 0x80:
            lead += 1
        leads[token] = lead - position
        node = NONE if position == end else 0
        tail = COMPLETE
        for place in range(lead, end):
            byte = np.int64(data[place])
            label = np.int64(0)
            if tail == COMPLETE:
                if byte >= 0x80:
                    tail = _first_tail(byte)
                    if tail == MALFORMED:
                        break
                    continue
                label = np.int64(table[byte])
            elif byte & 0xC0 != 0x80:
                tail = MALFORMED
                break
            elif tail >= ONE_MORE:
                tail = _next_tail(tail, byte)
                if tail == MALFORMED:
                    break
                continue
            else:
                label = np.int64(table[tail << 6 | (byte & 0x3F)])
                tail = COMPLETE
            node = _child(node, label, labels, parents, first, following, count)
            count += node == count
        nodes[token] = NONE if tail == MALFORMED or leads[token] == 4 else node
        tails[token] = max(tail, NONE)
        position = end
    return count


@kernel
def _after(steps: Steps, alive: Sets, sets: Sets, state: int, bit: int, tail: int) -> int:
    """The number of what follows a state and a tail; see `follow_tokens`."""
    if state == NONE or tail == COMPLETE:
        return state
    place = state * 2 + bit
    if alive[place] & sets[tail] == 0:
        return NONE
    return steps.shape[0] + place * TAILS + tail


@kernel
def follow_tokens(
    state: int,
    bit: int,
    steps: Steps,
    alive: Sets,
    sets: Sets,
    labels: Bytes,
    parents: Ids,
    nodes: Ids,
    tails: Ids,
    leads: Bytes,
    reached: Ids,
    out: Ids,
) -> None:
    """Write what is reached after each token, from the end of a character.

    What is reached is a state; or, inside a character, the number of states, plus `TAILS` times
    two times the state before the character plus its bit, plus the tail.

    Args:
        state: Where all tokens begin.
        bit: Whether there is a cut before them; there is none inside.
        steps: The automaton, ``int32[states, classes, 2]``.
        alive: For each state and bit the classes that have a step, as bits, ``uint64``.
        sets: For each tail the classes of the characters it is the beginning of.
        labels: See `read_tokens`.
        parents: See `read_tokens`.
        nodes: See `read_tokens`.
        tails: See `read_tokens`.
        leads: See `read_tokens`.
        reached: Room for a state for each node.
        out: Filled: -1 where nothing is reached.
    """
    reached[0] = state
    for node in range(1, reached.size):
        before = reached[parents[node]]
        own = bit if parents[node] == 0 else 0
        reached[node] = NONE if before == NONE else steps[before, labels[node], own]
    for token in range(out.size):
        node = nodes[token]
        if node == NONE or leads[token] != 0:
            out[token] = NONE
        else:
            own = bit if node == 0 else 0
            out[token] = _after(steps, alive, sets, reached[node], own, tails[token])


@kernel
def complete_tokens(
    state: int,
    bit: int,
    tail: int,
    table: Bytes,
    steps: Steps,
    alive: Sets,
    sets: Sets,
    data: Bytes,
    ends: Offsets,
    labels: Bytes,
    parents: Ids,
    nodes: Ids,
    tails: Ids,
    leads: Bytes,
    continuing: Ids,
    out: Ids,
) -> None:
    """Write what is reached after each token, from inside a character.

    Args as for `follow_tokens` and `read_tokens`, but for:
        state: Where the character begins.
        bit: Whether there is a cut before it.
        tail: What there is of it.
        continuing: The tokens that begin with continuation bytes.
        out: Full of -1; filled for those tokens.
    """
    path = np.empty(data.size + 1, dtype=np.uint8)
    for number in range(continuing.size):
        token = continuing[number]
        if nodes[token] == NONE:
            continue
        start = ends[token - 1] if token > 0 else 0
        now = tail
        label = NONE
        for place in range(start, start + leads[token]):
            byte = np.int64(data[place])
            if now < 0:
                now = MALFORMED
            elif now < ONE_MORE:
                label = np.int64(table[now << 6 | (byte & 0x3F)])
                now = COMPLETE
            else:
                now = _next_tail(now, byte)
        if now >= 0 and start + leads[token] == ends[token]:
            out[token] = _after(steps, alive, sets, state, bit, now)
        elif now == COMPLETE:
            depth = 0
            node = nodes[token]
            while node != 0:
                path[depth] = labels[node]
                depth += 1
                node = parents[node]
            after = steps[state, label, bit]
            while after != NONE and depth > 0:
                depth -= 1
                after = steps[after, path[depth], 0]
            out[token] = _after(steps, alive, sets, after, 0, tails[token])
