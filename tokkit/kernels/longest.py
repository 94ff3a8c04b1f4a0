"""Leftmost longest match over bytes, in a double array.

The trie of the tokens is packed into *units* (``int64``, one per slot): the child of a node
along byte ``b`` can only lie at slot ``base ^ b``, so the 256 possible children share one block
of 256 slots. A unit holds, from the lowest bit:

* 9 bits: the byte that leads to the slot, or `EMPTY`;
* 1 bit: whether a token ends there (its id is in a second array);
* the rest: the node's own base. No two nodes with children share a base, which is why the
  byte alone proves that the slot is the wanted child.

Slot 0 is the root; the first block is kept empty otherwise and is the base of every leaf.
"""

import numpy as np

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel

BLOCK = 256
EMPTY = 256
LABEL_BITS = 9
LABEL_MASK = 511
TOKEN_BIT = 512
BASE_SHIFT = 10
TRIES = 600
"""How many free slots are tried for a node before it gets a block of its own."""


@kernel
def count_nodes(data: Bytes, ends: Offsets) -> int:
    """Count the trie's nodes, root included, for distinct tokens in ascending order.

    ``[b"a", b"ab", b"b"]`` has four: the root, ``a``, ``ab`` and ``b``.
    """
    nodes = 1
    previous = 0
    start = 0
    for token in range(ends.size):
        end = ends[token]
        shared = 0
        while (
            previous + shared < start
            and start + shared < end
            and data[previous + shared] == data[start + shared]
        ):
            shared += 1
        nodes += end - start - shared
        previous = start
        start = end
    return nodes


@kernel
def _open_block(links: Offsets, used: int) -> int:
    """Add the slots after `used` to the ring of free slots, last; return the new `used`."""
    for free in range(used, used + BLOCK):
        last = links[1]
        links[3 * free] = 0
        links[3 * free + 1] = last
        links[3 * free + 2] = 0
        links[3 * last] = free
        links[1] = free
    return used + BLOCK


@kernel
def _find_base(
    units: Offsets, links: Offsets, labels: Offsets, children: int, cursor: int
) -> int:
    """Find a base that no node has and whose slots for `labels` are free; -1 if none of few.

    An only child fits nearly anywhere: those go round the ring from `cursor` and fill the
    gaps. Families try the newest slots, where most is free.
    """
    direction = 0 if children == 1 else 1
    candidate = cursor if children == 1 else np.int64(0)
    for _ in range(TRIES):
        candidate = links[3 * candidate + direction]
        base = candidate ^ labels[0]
        fits = candidate != 0 and links[3 * base + 2] == 0
        for child in range(1, children):
            fits = fits and units[base ^ labels[child]] == EMPTY
        if fits:
            return base
    return -1


@kernel
def pack_trie(
    data: Bytes, ends: Offsets, units: Offsets, slot_tokens: Ids, work: Offsets, links: Offsets
) -> int:
    """Pack distinct tokens, in ascending order, into `units`; return the slots used, or -1.

    Nodes are placed breadth first, so that what every match passes through lies together.

    Args:
        data: The tokens end to end.
        ends: Where each ends.
        units: The double array, all `EMPTY`, a multiple of `BLOCK` long; filled.
        slot_tokens: As long as `units`; gets the number of the token that ends at a slot.
        work: Four numbers per node: first token, end of tokens, depth, slot.
        links: Three numbers per slot: next and previous free slot (a ring through slot 0),
            and whether the slot's number is some node's base.

    Returns:
        The number of slots used; -1 if `units` is too small.
    """
    used = np.int64(BLOCK)
    links[0] = links[1] = 0
    labels = np.empty(BLOCK, np.int64)
    firsts = np.empty(BLOCK + 1, np.int64)
    work[0] = work[2] = work[3] = 0
    work[1] = ends.size
    nodes = 1
    node = 0
    cursor = np.int64(0)
    while node < nodes:
        low, high, depth = work[4 * node], work[4 * node + 1], work[4 * node + 2]
        slot = work[4 * node + 3]
        node += 1
        start = ends[low - 1] if low > 0 else 0
        if low < high and ends[low] - start == depth:
            units[slot] |= TOKEN_BIT
            slot_tokens[slot] = low
            low += 1
        children = 0
        for token in range(low, high):
            label = data[(ends[token - 1] if token > 0 else 0) + depth]
            if children == 0 or labels[children - 1] != label:
                labels[children] = label
                firsts[children] = token
                children += 1
        if children == 0:
            continue
        firsts[children] = high
        base = _find_base(units, links, labels, children, cursor)
        if base < 0:
            if used + BLOCK > units.size:
                return -1
            base = used
            used = _open_block(links, used)
        links[3 * base + 2] = 1
        units[slot] |= base << BASE_SHIFT
        for child in range(children):
            target = base ^ labels[child]
            cursor = links[3 * target + 1]
            links[3 * cursor] = links[3 * target]
            links[3 * links[3 * target] + 1] = cursor
            units[target] = labels[child]
            work[4 * nodes] = firsts[child]
            work[4 * nodes + 1] = firsts[child + 1]
            work[4 * nodes + 2] = depth + 1
            work[4 * nodes + 3] = target
            nodes += 1
    return used


@kernel
def longest_match(
    data: Bytes,
    ends: Offsets,
    units: Offsets,
    slot_ids: Ids,
    unknown: int,
    ids: Ids,
    id_ends: Offsets,
) -> int:
    """Cut every piece into the longest tokens from the left; return the number of ids.

    With the tokens ``a``, ``ab`` and ``bc``, ``abc`` becomes ``ab c``, not ``a bc``.

    Args:
        data: The pieces end to end: any bytes.
        ends: Where each piece ends.
        units: The double array, see above.
        slot_ids: The id of the token that ends at a slot.
        unknown: The id of a byte at which no token starts.
        ids: Filled; as long as `data`.
        id_ends: Filled: where each piece's ids end.
    """
    written = 0
    position = np.int64(0)
    root = units[0] >> BASE_SHIFT
    for piece in range(ends.size):
        end = ends[piece]
        while position < end:
            base = root
            best = np.int64(-1)
            best_end = position + 1
            reading = position
            while reading < end:
                byte = np.int64(data[reading])
                slot = base ^ byte
                unit = units[slot]
                if (unit & LABEL_MASK) != byte:
                    break
                reading += 1
                base = unit >> BASE_SHIFT
                if unit & TOKEN_BIT:
                    best = slot
                    best_end = reading
            ids[written] = slot_ids[best] if best >= 0 else unknown
            written += 1
            position = best_end
        id_ends[piece] = written
    return written
