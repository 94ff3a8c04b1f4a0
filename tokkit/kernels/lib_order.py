"""Less-is-Better: keeping the lexicon in order; for layouts see `tokkit.kernels.lib`.

The order is a plain list between documents. While its units move it is cut into blocks of at
most `BLOCK_SIZE` units, so that a move touches one or two blocks instead of a fifth of the
lexicon, and a node's `PLACE` is its block.
"""

import numpy as np

from tokkit.kernels._jit import Counts, Ids, Offsets, kernel

FIELDS = 5
PARENT, SYMBOL, LIFE, PLACE, SLOT = range(FIELDS)
NODES, UNITS, TRIED = range(3)

BLOCK_SIZE = 256
BLOCK_FILL = 64
"""Units in a block after cutting; the rest is room for units that move in."""


@kernel
def _lay_out(blocks: Ids, sizes: Counts, nodes: Offsets, order: Offsets, units: int) -> int:
    """Cut the order into blocks with room to spare; return their number."""
    used = 0
    sizes[0] = 0
    for place in range(units):
        if sizes[used] == BLOCK_FILL:
            used += 1
            sizes[used] = 0
        blocks[used * BLOCK_SIZE + sizes[used]] = order[place]
        sizes[used] += 1
        nodes[FIELDS * order[place] + PLACE] = used
    return used + 1


@kernel
def _gather(blocks: Ids, sizes: Counts, nodes: Offsets, order: Offsets, used: int) -> int:
    """Put the blocks together again; return the number of units."""
    units = 0
    for block in range(used):
        for index in range(sizes[block]):
            node = np.int64(blocks[block * BLOCK_SIZE + index])
            order[units] = node
            nodes[FIELDS * node + PLACE] = units
            units += 1
    return units


@kernel
def _forget(table: Offsets, nodes: Offsets, node: int) -> None:
    """Make a unit a mere node."""
    nodes[FIELDS * node + PLACE] = -1
    slot = nodes[FIELDS * node + SLOT]
    table[2 * slot + 1] &= -2


@kernel
def _move(
    table: Offsets,
    nodes: Offsets,
    blocks: Ids,
    sizes: Counts,
    used: int,
    units: int,
    node: int,
    direction: int,
    delta: float,
) -> tuple[int, int]:
    """Move a unit by ``int(rank * delta) + 1`` ranks; past the tail it is forgotten.

    The first unit stays, and single characters stop at the tail.

    Returns:
        The number of units, and the block that has no room left, -1 if none.
    """
    block = nodes[FIELDS * node + PLACE]
    rank = np.int64(0)
    for before in range(block):
        rank += sizes[before]
    index = np.int64(0)
    while blocks[block * BLOCK_SIZE + index] != node:
        index += 1
    rank += index
    if rank == 0:
        return units, -1
    step = np.int64(rank * delta) + 1
    if direction > 0 and rank + step >= units:
        if nodes[FIELDS * node + PARENT] > 0:
            _forget(table, nodes, node)
            units -= 1
        step = units - 1 - rank
    sizes[block] -= 1
    for later in range(block * BLOCK_SIZE + index, block * BLOCK_SIZE + sizes[block]):
        blocks[later] = blocks[later + 1]
    if nodes[FIELDS * node + PLACE] < 0:
        return units, -1
    if direction < 0:
        while step > index:
            step -= index
            block -= 1
            index = sizes[block]
        index -= step
    else:
        while step > sizes[block] - index:
            step -= sizes[block] - index
            block += 1
            index = np.int64(0)
        index += step
    for later in range(block * BLOCK_SIZE + sizes[block], block * BLOCK_SIZE + index, -1):
        blocks[later] = blocks[later - 1]
    blocks[block * BLOCK_SIZE + index] = node
    nodes[FIELDS * node + PLACE] = block
    sizes[block] += 1
    return units, block if sizes[block] == BLOCK_SIZE else -1


@kernel
def update_order(
    table: Offsets,
    nodes: Offsets,
    order: Offsets,
    probation: Offsets,
    counts: Counts,
    rewards: Offsets,
    omega: float,
    delta: float,
    life: int,
) -> None:
    """After a document: forget, move the judged units, put the tail on probation.

    Args:
        table: The trie's slots.
        nodes: The trie's nodes.
        order: The units.
        probation: The nodes on probation.
        counts: How much of these is in use.
        rewards: What `tokkit.kernels.lib.read_document` returned.
        omega: Which share of the lexicon, its tail, goes on probation.
        delta: How far units move, as a share of their rank; less than 1.
        life: For how many documents units are on probation.
    """
    tried = 0
    for number in range(counts[TRIED]):
        node = probation[number]
        if nodes[FIELDS * node + LIFE] > 1:
            nodes[FIELDS * node + LIFE] -= 1
            probation[tried] = node
            tried += 1
        elif nodes[FIELDS * node + LIFE] == 1:
            nodes[FIELDS * node + LIFE] = 0
            if nodes[FIELDS * node + PLACE] >= 0:
                _forget(table, nodes, node)
    units = 0
    for place in range(counts[UNITS]):
        if nodes[FIELDS * order[place] + PLACE] >= 0:
            order[units] = order[place]
            units += 1
    blocks = np.empty((units // BLOCK_FILL + 1) * BLOCK_SIZE, np.int32)
    sizes = np.zeros(units // BLOCK_FILL + 1, np.int64)
    used = _lay_out(blocks, sizes, nodes, order, units)
    for number in range(rewards.size // 2):
        node = rewards[2 * number]
        if nodes[FIELDS * node + PLACE] < 0:
            continue
        direction = rewards[2 * number + 1]
        units, full = _move(table, nodes, blocks, sizes, used, units, node, direction, delta)
        if full >= 0:
            _gather(blocks, sizes, nodes, order, used)
            used = _lay_out(blocks, sizes, nodes, order, units)
    _gather(blocks, sizes, nodes, order, used)
    counts[UNITS] = units
    for place in range(np.int64((1 - omega) * units), units):
        node = order[place]
        if nodes[FIELDS * node + LIFE] == 0 and nodes[FIELDS * node + PARENT] > 0:
            nodes[FIELDS * node + LIFE] = life
            probation[tried] = node
            tried += 1
    counts[TRIED] = tried
