"""Which tokens would be taken over by a longer one that began before them.

The tries here can be listed, which a double array cannot: nodes are numbered breadth first, so
that the children of a node lie side by side, in the order of their bytes.

* `children`: ``int32[n + 1]``; the children of a node are ``children[node]`` up to, not
  including, ``children[node + 1]``.
* `labels`: ``uint8[n]``, the byte that leads to a node.
* `lows`, `highs`: ``int32[n]``, which of the sorted strings begin with what a node spells.
* `stops`: ``uint8[n]``, whether one of them ends at a node; it is ``lows[node]``.

Node 0 is the root.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel

Marks = NDArray[np.uint8]

ROOT = 0
BLOCKED = -1


@kernel
def list_trie(
    data: Bytes,
    ends: Offsets,
    children: Ids,
    labels: Marks,
    lows: Ids,
    highs: Ids,
    stops: Marks,
) -> int:
    """Build the trie of distinct strings in ascending order; return its depth.

    Args:
        data: The strings end to end.
        ends: Where each ends.
        children: Filled, see the module; one longer than the number of nodes.
        labels: Filled.
        lows: Filled.
        highs: Filled.
        stops: Filled.
    """
    lows[0], highs[0], labels[0] = 0, ends.size, 0
    nodes = 1
    node = 0
    depth = 0
    while node < nodes:
        level_end = nodes
        while node < level_end:
            token, high = lows[node], highs[node]
            begin = ends[token - 1] if token > 0 else 0
            stops[node] = token < high and ends[token] - begin == depth
            token += stops[node]
            children[node] = nodes
            while token < high:
                label = data[(ends[token - 1] if token > 0 else 0) + depth]
                labels[nodes] = label
                lows[nodes] = token
                while (
                    token < high
                    and data[(ends[token - 1] if token > 0 else 0) + depth] == label
                ):
                    token += 1
                highs[nodes] = token
                nodes += 1
            node += 1
        depth += 1
    children[nodes] = nodes
    return depth - 1


@kernel
def child_of(children: Ids, labels: Marks, node: int, label: int) -> int:
    """Return the child along a byte; -1 if there is none."""
    low, high = children[node], children[node + 1]
    end = high
    while low < high:
        middle = (low + high) >> 1
        if labels[middle] < label:
            low = middle + 1
        else:
            high = middle
    return low if low < end and labels[low] == label else -1


@kernel
def follow_nodes(
    children: Ids, labels: Marks, stops: Marks, nodes: Ids, token: Bytes, alive: Ids
) -> int:
    """Go on from nodes with a token; `BLOCKED` if a string ends on the way, at its end too.

    Args:
        children: See the module.
        labels: See the module.
        stops: See the module.
        nodes: Where earlier tokens have got to.
        token: Bytes.
        alive: Filled with where they have got to then, those that can go on; as long as
            `nodes`.

    Returns:
        How many can go on.
    """
    count = 0
    for start in range(nodes.size):
        node = np.int64(nodes[start])
        for place in range(token.size):
            node = child_of(children, labels, node, token[place])
            if node < 0:
                break
            if stops[node]:
                return BLOCKED
        if node >= 0 and children[node] < children[node + 1]:
            alive[count] = node
            count += 1
    return count


@kernel
def forbid(
    children: Ids,
    labels: Marks,
    stops: Marks,
    lows: Ids,
    highs: Ids,
    ids: Ids,
    depth: int,
    nodes: Ids,
    root: int,
    flags: Marks,
) -> None:
    """Take away the tokens with which `follow_nodes` would be blocked.

    From each node it goes over what the strings there and those at `root` have in common; from
    a place where one ends on, all that begin like that are taken away.

    Args:
        children: See the module.
        labels: See the module.
        stops: See the module.
        lows: See the module.
        highs: See the module.
        ids: The id of each of the sorted strings, ``int32[m]``.
        depth: The length of the longest string.
        nodes: Where earlier tokens have got to.
        root: The node below which the tokens are that may come next.
        flags: Changed: set to 0 for those taken away, by id.
    """
    stack = np.empty((256 * (depth + 1), 2), dtype=np.int32)
    for start in range(nodes.size):
        stack[0, 0], stack[0, 1] = nodes[start], root
        size = 1
        while size > 0:
            size -= 1
            earlier, here = stack[size, 0], stack[size, 1]
            first, second = children[earlier], children[here]
            while first < children[earlier + 1] and second < children[here + 1]:
                if labels[first] < labels[second]:
                    first += 1
                elif labels[first] > labels[second]:
                    second += 1
                elif stops[first]:
                    for place in range(lows[second], highs[second]):
                        flags[ids[place]] = 0
                    first += 1
                    second += 1
                else:
                    stack[size, 0], stack[size, 1] = first, second
                    size += 1
                    first += 1
                    second += 1
