"""Which tokens would be taken over by a longer one that began before them.

The tries here can be listed, which a double array cannot: nodes are numbered breadth first, so
that the children of a node lie side by side, in the order of their bytes.

* `children`: ``int32[n + 1]``; the children of a node are ``children[node]`` up to, not
  including, ``children[node + 1]``.
* `labels`: ``uint8[n]``, the byte that leads to a node.
* `lows`, `highs`: ``int32[n]``, which of the sorted strings begin with what a node spells.
* `stops`: ``uint8[n]``, whether one of them ends at a node; it is ``lows[node]``.

Node 0 is the root.

Greedily, the longer token always takes over; in a unigram model (see `tokkit.kernels.lattice`)
if it scores better.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel
from tokkit.kernels.lattice import Entries, Network

Marks = NDArray[np.uint8]
Singles = NDArray[np.float32]

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
            node = child_of(children, labels, node, np.int64(token[place]))
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


@kernel
def measure_margins(
    network: Network, data: Bytes, ends: Offsets, margins: Singles, least: Singles
) -> None:
    """Find out how much better each token is than any other way to write the end of it.

    Args:
        network: The vocabulary.
        data: The vocabulary's strings, sorted, end to end.
        ends: Where each ends.
        margins: Filled, for each byte of each string: the score of the string less that of the
            best path from before that byte to its end, which for the first byte is not the
            string itself. Infinite where no character begins.
        least: Filled, for each node: the least of the margins there of strings that begin so.
    """
    children, labels = network.children, network.labels
    rest = np.empty(network.depth + 1, np.float64)
    least[:] = np.inf
    for token in range(ends.size):
        start, end = ends[token - 1] if token > 0 else 0, ends[token]
        rest[end - start] = 0.0
        for first in range(end - 1, start - 1, -1):
            margins[first] = np.inf
            rest[first - start] = -np.inf
            lead = data[first]
            if lead & 0xC0 == 0x80:
                continue
            width = 1 if lead < 0xC0 else (2 if lead < 0xE0 else (3 if lead < 0xF0 else 4))
            best = -np.inf
            has_character = False
            node = np.int64(ROOT)
            place = first
            while place < end:
                node = child_of(children, labels, node, np.int64(data[place]))
                if node < 0:
                    break
                place += 1
                is_cut = place < end and data[place] & 0xC0 == 0x80
                if network.stops[node] and not is_cut:
                    has_character = has_character or place - first == width
                    if place < end or first > start:
                        value = network.values[network.lows[node]]
                        best = max(best, value + rest[place - start])
            if not has_character and first + width <= end:
                best = max(best, network.unknown + rest[first + width - start])
            rest[first - start] = best
            margins[first] = network.values[token] - best
        node = np.int64(ROOT)
        for place in range(start, end):
            node = child_of(children, labels, node, np.int64(data[place]))
            margin_here = np.float64(network.values[token])
            if place + 1 < end:
                margin_here = np.float64(margins[place + 1])
            least[node] = min(least[node], margin_here)


@kernel
def judge(
    network: Network,
    entries: Entries,
    highs: Ids,
    ends: Offsets,
    margins: Singles,
    least: Singles,
    ids: Ids,
    tolerance: float,
    flags: Marks,
    close: Marks,
) -> None:
    """Take away the tokens that lose to one begun earlier, which ends where they do or before.

    Args:
        network: The vocabulary.
        entries: The open places before.
        highs: Of the trie.
        ends: Where each of the sorted strings ends, laid end to end.
        margins: See `measure_margins`.
        least: See `measure_margins`.
        ids: The id of each of them.
        tolerance: What a difference of scores must exceed to be certain.
        flags: Changed: 0 for those that certainly lose, by id.
        close: Changed: 1 for those of which it is not certain, by their place in the order.
    """
    children, labels, stops = network.children, network.labels, network.stops
    stack = np.empty((256 * (network.depth + 1), 3), np.int32)
    last = entries.nodes.size - 1
    behind = 0.0
    for number in range(last - 1, -1, -1):
        behind += entries.shifts[number + 1]
        if entries.nodes[number] < 0:
            continue
        level = entries.bases[number] - behind - entries.bases[last]
        stack[0, 0], stack[0, 1], stack[0, 2] = entries.nodes[number], 0, 1
        size = 1
        while size > 0:
            size -= 1
            earlier, here, depth = stack[size, 0], stack[size, 1], stack[size, 2]
            first, second = children[earlier], children[here]
            while first < children[earlier + 1] and second < children[here + 1]:
                if labels[first] < labels[second]:
                    first += 1
                    continue
                if labels[first] > labels[second]:
                    second += 1
                    continue
                stack[size, 0], stack[size, 1], stack[size, 2] = first, second, depth + 1
                size += 1
                needed = level + network.values[network.lows[first]]
                if stops[first] and least[second] <= needed + tolerance:
                    for token in range(network.lows[second], highs[second]):
                        place = (ends[token - 1] if token > 0 else 0) + depth
                        margin = network.values[token]
                        if place < ends[token]:
                            margin = np.float64(margins[place])
                        if margin < needed - tolerance:
                            flags[ids[token]] = 0
                        elif margin <= needed + tolerance:
                            close[token] = 1
                first += 1
                second += 1
