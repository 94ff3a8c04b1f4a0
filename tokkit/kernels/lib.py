"""Less-is-Better: reading documents (arXiv 2403.00417); `lib_order` keeps the lexicon in order.

Characters are *symbols*, small numbers. The lexicon's units are nodes of a trie:

* ``table``: open addressing, two numbers per slot: ``parent << 21 | symbol`` or -1, and
  ``child << 1 | whether the child is a unit``;
* ``nodes``: `FIELDS` numbers per node, see below; node 0 is the root. Nodes stay when their
  unit is forgotten;
* ``order``: the units, strongest first;
* ``probation``: the nodes with a life, in no particular order;
* ``counts``: `NODES`, `UNITS`, `TRIED`: how much of those three is in use.

What changes here about layouts has to change in `lib_order` too.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Counts, Ids, Offsets, kernel

FIELDS = 5
PARENT, SYMBOL, LIFE, PLACE, SLOT = range(FIELDS)
"""A node's parent, symbol, remaining documents on probation (0: not on it), rank (-1: not a
unit; its block while units move), and slot in the table."""

NODES, UNITS, TRIED = range(3)

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

TEST_FIELDS = 8
UNIT, END, OTHER_UNKNOWN, OTHER_COUNT, OTHER_RANKS, UNKNOWN, COUNT, RANKS = range(TEST_FIELDS)
"""An open comparison: the unit in question, where the other branch has come to, that branch's
unknown symbols, chunks and ranks, and the same of the line when the comparison was opened."""


@kernel
def next_random(state: NDArray[np.uint64]) -> float:
    """Draw a number from [0, 1): Marsaglia's xorshift64, which needs no multiplication."""
    bits = state[0]
    bits ^= bits << np.uint64(13)
    bits ^= bits >> np.uint64(7)
    bits ^= bits << np.uint64(17)
    state[0] = bits
    return float(bits >> np.uint64(11)) * 2.0**-53


@kernel
def extend(code: np.uint64, symbol: int) -> np.uint64:
    """Hash a string that got one symbol longer; the empty string's hash is 0."""
    return (code ^ np.uint64(symbol + 1)) * MULTIPLIER


@kernel
def find_slot(table: Offsets, code: np.uint64, key: int) -> int:
    """Find the slot of the child with that key, or the free slot where it would have to go.

    The search starts where the hash of the whole string says, not its parent's number: so the
    processor can look up the next symbols before it knows what the last look-up has found.
    """
    slot = np.int64((code >> np.uint64(24)) & np.uint64((table.size >> 1) - 1))
    while table[2 * slot] != key and table[2 * slot] >= 0:
        slot += 1
        if 2 * slot == table.size:
            slot = 0
    return slot


@kernel
def add_unit(table: Offsets, nodes: Offsets, order: Offsets, counts: Counts, text: Ids) -> int:
    """Append the unit that spells `text`; return its node."""
    node = np.int64(0)
    slot = np.int64(0)
    code = np.uint64(0)
    for symbol in text:
        code = extend(code, symbol)
        key = node << 21 | symbol
        slot = find_slot(table, code, key)
        if table[2 * slot] < 0:
            added = counts[NODES]
            counts[NODES] += 1
            table[2 * slot] = key
            table[2 * slot + 1] = added << 1
            nodes[FIELDS * added + PARENT] = node
            nodes[FIELDS * added + SYMBOL] = symbol
            nodes[FIELDS * added + LIFE] = 0
            nodes[FIELDS * added + PLACE] = -1
            nodes[FIELDS * added + SLOT] = slot
        node = table[2 * slot + 1] >> 1
    table[2 * slot + 1] |= 1
    nodes[FIELDS * node + PLACE] = counts[UNITS]
    order[counts[UNITS]] = node
    counts[UNITS] += 1
    return node


@kernel
def fill_table(table: Offsets, nodes: Offsets, count: int) -> None:
    """Put `count` nodes into an empty table (all -1), after it has grown or was read back."""
    codes = np.zeros(count, np.uint64)
    for node in range(1, count):
        parent = nodes[FIELDS * node + PARENT]
        symbol = nodes[FIELDS * node + SYMBOL]
        codes[node] = extend(codes[parent], symbol)
        slot = find_slot(table, codes[node], parent << 21 | symbol)
        table[2 * slot] = parent << 21 | symbol
        table[2 * slot + 1] = node << 1 | np.int64(nodes[FIELDS * node + PLACE] >= 0)
        nodes[FIELDS * node + SLOT] = slot


@kernel
def _match(table: Offsets, text: Ids, start: int, stop: int) -> tuple[int, int, int, int]:
    """Find the longest unit at `start` and the second longest: node, end, node, end.

    Where there is none, the node is 0 and the end is `start`.
    """
    node = np.int64(0)
    code = np.uint64(0)
    best = np.int64(0)
    best_end = np.int64(start)
    second = np.int64(0)
    second_end = np.int64(start)
    for reading in range(start, stop):
        code = extend(code, text[reading])
        slot = find_slot(table, code, node << 21 | text[reading])
        if table[2 * slot] < 0:
            break
        child = table[2 * slot + 1]
        node = child >> 1
        if child & 1:
            second = best
            second_end = best_end
            best = node
            best_end = reading + 1
    return best, best_end, second, second_end


@kernel
def _is_unit(table: Offsets, text: Ids, start: int, end: int) -> bool:
    """Tell whether ``text[start:end]`` is a unit."""
    node = np.int64(0)
    code = np.uint64(0)
    child = np.int64(0)
    for reading in range(start, end):
        code = extend(code, text[reading])
        slot = find_slot(table, code, node << 21 | text[reading])
        if table[2 * slot] < 0:
            return False
        child = table[2 * slot + 1]
        node = child >> 1
    return child & 1 == 1


@kernel
def _see(seen: Offsets, text: Ids, start: int, end: int) -> bool:
    """Note a candidate; return whether the document has had it before.

    `seen` is an open-addressing table, two numbers per slot: start (-1: free) and length.
    """
    code = np.uint64(end - start)
    for reading in range(start, end):
        code = (code ^ np.uint64(text[reading])) * MULTIPLIER
        code ^= code >> np.uint64(29)
    slot = np.int64(code & np.uint64((seen.size >> 1) - 1))
    while seen[2 * slot] >= 0:
        if seen[2 * slot + 1] == end - start:
            same = True
            for offset in range(end - start):
                same = same and text[seen[2 * slot] + offset] == text[start + offset]
            if same:
                return True
        slot += 1
        if 2 * slot == seen.size:
            slot = 0
    seen[2 * slot] = start
    seen[2 * slot + 1] = end - start
    return False


@kernel
def _judge(
    table: Offsets,
    nodes: Offsets,
    text: Ids,
    line_end: int,
    position: int,
    max_length: int,
    tests: Offsets,
    open_tests: int,
    line: Offsets,
    rewards: Offsets,
    judged: int,
) -> tuple[int, int]:
    """Close the comparisons whose branches meet at `position`.

    The branch that the line took is worse if it has more unknown symbols, or as many and more
    chunks, or as many and a higher sum of ranks. Then its first unit is to move tailward and
    the next shorter unit headward; otherwise the unit is to move headward and passes probation.

    Returns:
        The number of comparisons still open, and of rewards (node and direction in `rewards`).
    """
    kept = 0
    for test in range(open_tests):
        at = TEST_FIELDS * test
        end = tests[at + END]
        while end < position:
            limit = min(end + max_length, line_end)
            node, node_end, _, _ = _match(table, text, end, limit)
            if node > 0:
                tests[at + OTHER_RANKS] += nodes[FIELDS * node + PLACE]
                end = node_end
            else:
                tests[at + OTHER_UNKNOWN] += 1
                end += 1
            tests[at + OTHER_COUNT] += 1
        tests[at + END] = end
        if end > position:
            for number in range(TEST_FIELDS):
                tests[TEST_FIELDS * kept + number] = tests[at + number]
            kept += 1
            continue
        difference = line[0] - tests[at + UNKNOWN] - tests[at + OTHER_UNKNOWN]
        if difference == 0:
            difference = line[1] - tests[at + COUNT] - tests[at + OTHER_COUNT]
        if difference == 0:
            difference = line[2] - tests[at + RANKS] - tests[at + OTHER_RANKS]
        unit = tests[at + UNIT]
        rewards[2 * judged] = unit
        rewards[2 * judged + 1] = 1 if difference > 0 else -1
        judged += 1
        if difference <= 0:
            nodes[FIELDS * unit + LIFE] = 0
            continue
        shorter = nodes[FIELDS * unit + PARENT]
        while nodes[FIELDS * shorter + PLACE] < 0:
            shorter = nodes[FIELDS * shorter + PARENT]
        rewards[2 * judged] = shorter
        rewards[2 * judged + 1] = -1
        judged += 1
    return kept, judged


@kernel
def _read_line(
    table: Offsets,
    nodes: Offsets,
    order: Offsets,
    counts: Counts,
    state: NDArray[np.uint64],
    text: Ids,
    start: int,
    stop: int,
    alpha: float,
    max_length: int,
    unknown_length: int,
    tests: Offsets,
    seen: Offsets,
    rewards: Offsets,
    judged: int,
    line: Offsets,
) -> int:
    """Cut a line by longest match, memorise and judge units; return the number of rewards.

    `line` counts the unknown symbols, chunks and ranks of the line so far.
    """
    open_tests = 0
    line[0] = line[1] = line[2] = 0
    last = np.int64(0)  # the unit before, 0 if unknown symbols came before
    last_start = start
    position = start
    while position < stop:
        open_tests, judged = _judge(
            table,
            nodes,
            text,
            stop,
            position,
            max_length,
            tests,
            open_tests,
            line,
            rewards,
            judged,
        )
        limit = min(position + max_length, stop)
        unit, end, second, second_end = _match(table, text, position, limit)
        line[1] += 1
        if unit == 0:
            line[0] += 1
            if last > 0:
                last = np.int64(0)
                last_start = position
            position += 1
            continue
        if next_random(state) < alpha:
            # The candidate: the last unit and this one, or the unknown symbols between units.
            candidate_end = end if last > 0 else position
            limit = max_length if last > 0 else unknown_length
            if (
                last_start < candidate_end <= last_start + limit
                and not _is_unit(table, text, last_start, candidate_end)
                and _see(seen, text, last_start, candidate_end)
            ):
                add_unit(table, nodes, order, counts, text[last_start:candidate_end])
        if second > 0:
            # A new comparison of the same unit takes the place of the open one.
            test = 0
            while test < open_tests and tests[TEST_FIELDS * test + UNIT] != unit:
                test += 1
            if test == open_tests:
                open_tests += 1
            at = TEST_FIELDS * test
            tests[at + UNIT] = unit
            tests[at + END] = second_end
            tests[at + OTHER_UNKNOWN] = 0
            tests[at + OTHER_COUNT] = 1
            tests[at + OTHER_RANKS] = nodes[FIELDS * second + PLACE]
            tests[at + UNKNOWN] = line[0]
            tests[at + COUNT] = line[1] - 1
            tests[at + RANKS] = line[2]
        else:
            nodes[FIELDS * unit + LIFE] = 0
        line[2] += nodes[FIELDS * unit + PLACE]
        last = unit
        last_start = position
        position = end
    return judged


@kernel
def draw_lines(state: NDArray[np.uint64], choices: int, lines: Offsets) -> None:
    """Draw as many of `choices` lines as `lines` holds, with replacement."""
    for number in range(lines.size):
        lines[number] = np.int64(next_random(state) * choices)


@kernel
def read_document(
    table: Offsets,
    nodes: Offsets,
    order: Offsets,
    counts: Counts,
    state: NDArray[np.uint64],
    text: Ids,
    ends: Offsets,
    lines: Offsets,
    alpha: float,
    max_length: int,
    unknown_length: int,
) -> tuple[Offsets, int]:
    """Read the given lines: memorise units and judge those in use.

    There has to be room for as many nodes as the lines have symbols.

    Returns:
        The rewards in order: a node and -1 (headward) or 1 (tailward) each; the tokens read.
    """
    symbols = np.int64(0)
    longest = np.int64(0)
    for drawn in lines:
        length = ends[drawn] - (ends[drawn - 1] if drawn > 0 else 0)
        symbols += length
        longest = max(longest, length)
    slots = 64
    while slots < symbols:
        slots *= 2
    seen = np.full(2 * slots, -1, np.int64)
    rewards = np.empty(4 * symbols, np.int64)
    tests = np.empty(TEST_FIELDS * longest, np.int64)
    line = np.zeros(3, np.int64)
    judged = 0
    tokens = 0
    for drawn in lines:
        start = ends[drawn - 1] if drawn > 0 else 0
        judged = _read_line(
            table,
            nodes,
            order,
            counts,
            state,
            text,
            start,
            ends[drawn],
            alpha,
            max_length,
            unknown_length,
            tests,
            seen,
            rewards,
            judged,
            line,
        )
        tokens += line[1]
    return rewards[: 2 * judged].copy(), tokens
