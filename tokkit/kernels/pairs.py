"""Which symbols byte-pair encoding leaves side by side.

* `table`: ``int32[n, COLUMNS]``, what is known of each symbol that merging makes of its own
  units; see the columns below. Other symbols have the key `NOT_MADE`.
* `starts` and `rows`: the merges with ``s`` on the left, ``rows[starts[s]:starts[s + 1]]``,
  ``int32[m, 3]``: right symbol, rank, merged symbol, ascending by the right symbol.
* `crossings`: ``int32[k, 2]``, right symbol and rank of those merges again whose symbols are
  all made, by left symbol in `crossing_starts`, ascending by rank.
* `children`: ``int32[c, 2]``, by left part in `child_starts`: the symbols whose last merge had
  it on the left, and their `LEFT_LIMIT`, descending; from `child_splits` on, descending once
  more, those whose limit is less than their key.
* `order`: the symbols that are made, each before all that begin with it in their tree.
"""

import numpy as np

from tokkit.kernels._jit import Bytes, Ids, Offsets, kernel

LEFT = 0
"""The left part of the symbol's last merge; -1 for units."""
RIGHT = 1
RANK = 2
"""The rank of the last merge."""
KEY = 3
"""The worst rank of all its merges: when it is there, in the order merges are done in."""
LEFT_LIMIT = 4
"""Up to which rank, it included, the left part could have merged with what was before it."""
RIGHT_LIMIT = 5
"""Below which rank the right part could have merged with what comes behind it."""
PLACE = 6
"""Where it is in `order`."""
SIZE = 7
"""How many symbols begin with it, itself included: they follow one another in `order`."""
COLUMNS = 8
NOT_MADE = -2
FAR = 0x7FFFFFFF


@kernel
def _find_row(left: int, right: int, starts: Offsets, rows: Ids) -> int:
    """Return the row of a merge, or -1."""
    if left < 0 or right < 0:
        return -1
    low, high = starts[left], starts[left + 1]
    while low < high:
        middle = (low + high) >> 1
        if rows[middle, 0] < right:
            low = middle + 1
        else:
            high = middle
    return low if low < starts[left + 1] and rows[low, 0] == right else -1


@kernel
def merge_spellings(
    symbols: Ids, ends: Offsets, starts: Offsets, rows: Ids, table: Ids, counts: Offsets
) -> None:
    """Merge the units of every symbol's spelling and note those that come out as themselves.

    Args:
        symbols: The units of all symbols, -1 where there is none; what they are merged to
            stands at the front of each afterwards.
        ends: Where the units of each symbol end.
        starts: See the module.
        rows: See the module.
        table: Filled: the parts, rank and key of each symbol; `NOT_MADE` as key.
        counts: Filled: how many symbols are left of each.
    """
    longest = np.int64(1)
    for number in range(ends.size):
        longest = max(longest, ends[number] - (ends[number - 1] if number > 0 else 0))
    found = np.empty(longest, np.int64)
    for number in range(ends.size):
        own = symbols[ends[number - 1] if number > 0 else 0 : ends[number]]
        count = own.size
        left, right, rank, key = np.int64(-1), np.int64(-1), np.int64(-1), np.int64(-1)
        for place in range(count - 1):
            found[place] = _find_row(
                np.int64(own[place]), np.int64(own[place + 1]), starts, rows
            )
        while count > 1:
            best, lowest = np.int64(-1), np.int64(FAR)
            for place in range(count - 1):
                if found[place] >= 0 and rows[found[place], 1] < lowest:
                    best, lowest = np.int64(place), np.int64(rows[found[place], 1])
            if best < 0:
                break
            left, right, rank, key = (
                np.int64(own[best]),
                np.int64(own[best + 1]),
                lowest,
                max(key, lowest),
            )
            own[best] = rows[found[best], 2]
            count -= 1
            for place in range(best + 1, count):
                own[place] = own[place + 1]
                found[place - 1] = found[place]
            if best > 0:
                before = np.int64(own[best - 1])
                found[best - 1] = _find_row(before, np.int64(own[best]), starts, rows)
            if best < count - 1:
                after = np.int64(own[best + 1])
                found[best] = _find_row(np.int64(own[best]), after, starts, rows)
        counts[number] = count
        table[number, LEFT], table[number, RIGHT] = left, right
        table[number, RANK], table[number, KEY] = rank, key
        if count != 1 or own[0] != number:
            table[number, KEY] = NOT_MADE


@kernel
def place_symbols(
    by_length: Offsets, table: Ids, child_starts: Offsets, children: Ids, order: Ids
) -> None:
    """Fill `order` and the places and sizes in `table`.

    Args:
        by_length: The symbols that are made, those of few units first.
        table: See the module; the last two columns are filled.
        child_starts: See the module.
        children: See the module.
        order: See the module; filled.
    """
    for symbol in by_length:
        table[symbol, SIZE] = 1
    for symbol in by_length[::-1]:
        if table[symbol, LEFT] >= 0:
            table[table[symbol, LEFT], SIZE] += table[symbol, SIZE]
    roots = np.int64(0)
    for symbol in by_length:
        if table[symbol, LEFT] < 0:
            table[symbol, PLACE] = roots
            roots += table[symbol, SIZE]
        place = np.int64(table[symbol, PLACE])
        order[place] = symbol
        place += 1
        for number in range(child_starts[symbol], child_starts[symbol + 1]):
            table[children[number, 0], PLACE] = place
            place += table[children[number, 0], SIZE]


@kernel
def may_follow(last: int, token: int, starts: Offsets, rows: Ids, table: Ids) -> bool:
    """Tell whether merging leaves two symbols side by side.

    Their histories are gone through backwards: what is at the border at the same time must
    not merge before one of the two merges with what is beside it.

    Args:
        last: The left symbol, one that is made.
        token: The right symbol, one that is made.
        starts: See the module.
        rows: See the module.
        table: See the module.
    """
    left, right = np.int64(last), np.int64(token)
    left_limit = right_limit = np.int64(FAR)
    while True:
        row = _find_row(left, right, starts, rows)
        if row >= 0 and rows[row, 1] < left_limit and rows[row, 1] <= right_limit:
            return False
        if table[left, LEFT] < 0 and table[right, LEFT] < 0:
            return True
        if table[right, KEY] >= table[left, KEY]:
            right_limit = np.int64(table[right, LEFT_LIMIT])
            right = np.int64(table[right, LEFT])
        else:
            left_limit = np.int64(table[left, RIGHT_LIMIT])
            left = np.int64(table[left, RIGHT])


@kernel
def _last_of(children: Ids, low: int, high: int, limit: int) -> int:
    """Return the end of the children from `low` on whose limit is at least `limit`."""
    while low < high:
        middle = (low + high) >> 1
        if children[middle, 1] >= limit:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def clear_followers(
    last: int,
    crossing_starts: Offsets,
    crossings: Ids,
    table: Ids,
    child_starts: Offsets,
    child_splits: Offsets,
    children: Ids,
    order: Ids,
    flags: Bytes,
) -> None:
    """Clear the flags of all symbols that merging does not leave behind `last`.

    Args:
        last: A symbol that is made.
        crossing_starts: See the module.
        crossings: See the module.
        table: See the module.
        child_starts: See the module.
        child_splits: See the module.
        children: See the module.
        order: See the module.
        flags: ``uint8[n]``, changed.
    """
    left = np.int64(last)
    death = limit = np.int64(FAR)
    while True:
        birth = table[left, KEY]
        for number in range(crossing_starts[left], crossing_starts[left + 1]):
            right, rank = np.int64(crossings[number, 0]), crossings[number, 1]
            if rank >= limit:
                break
            if table[right, KEY] >= death:
                continue
            start = split = np.int64(child_splits[right])
            end = _last_of(children, child_starts[right], split, max(birth, rank))
            stop = np.int64(table[right, PLACE]) + 1
            if end > child_starts[right]:
                child = children[end - 1, 0]
                stop = np.int64(table[child, PLACE]) + table[child, SIZE]
            for place in range(table[right, PLACE], stop):
                flags[order[place]] = 0
            if table[right, KEY] >= birth:
                end = _last_of(children, start, child_starts[right + 1], rank)
                for late in range(start, end):
                    child = children[late, 0]
                    stop = np.int64(table[child, PLACE]) + table[child, SIZE]
                    for place in range(table[child, PLACE], stop):
                        flags[order[place]] = 0
        if table[left, RIGHT] < 0:
            break
        death, limit = np.int64(table[left, KEY]), np.int64(table[left, RIGHT_LIMIT])
        left = np.int64(table[left, RIGHT])
