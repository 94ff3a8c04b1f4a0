"""Learn merges: the most frequent pair of adjacent tokens becomes a token, again and again.

Words lie in *slots*, one token per word position, so that joining two neighbours touches
nothing but them::

    words "abc" (seen 5 times), "ab" (2): [ B  a  b  c  B  a  b  B ]     B = BOUNDARY
    after joining a, b into X:            [ B  X -2  c  B  X -2  B ]

A token that spans k > 1 slots has ``-k`` in its second and in its last slot, which is all it
takes to step to the next or to the previous token. Words are ordered by count, largest first,
so a word's count is a property of its region: `class_starts`, `class_counts`.

Only *hot* pairs, those with a count of at least `THRESHOLD`, have a row and a list of slots.
While every token is made once, a pair can only lose occurrences after it first appears, so a
cold pair stays cold, and leaving it out changes nothing. Whoever runs out of hot pairs lowers
the threshold and counts again (`tokkit.learn.merging`).
"""

from typing import NamedTuple

from tokkit.kernels._jit import Bytes, Counts, Ids, Offsets, kernel

BOUNDARY = -(2**31)
"""The slot before, between and after words."""

GONE = -1
"""A slot whose token was joined to the one before it."""

# Columns of `State.rows` (the first is -1 where a row is free), and of `State.heap`.
KEY, COUNT, START, SIZE = 0, 1, 2, 3
OCCURRENCES = 2  # in the tables of `count_pairs`, in place of START
HEAP_COUNT, HEAP_KEY = 0, 1

# Indices of `State.numbers`.
THRESHOLD = 0  # pairs seen less often have no row
TOKENS, TOKENS_WANTED = 1, 2
MERGES, ROWS, HEAPED, POOLED = 3, 4, 5, 6  # how much of each array is used
TEXT = 7  # tokens in the corpus: every word's tokens times its count
MAX_BYTES, MAX_WORDS, NO_COLON_SPACE = 8, 9, 10  # what a token may be; see `_may_join`
REPEATED = 11  # the token that the last merge made a second time, or -1
LIMITED = 12  # whether any of the limits is set
NUMBERS = 13

# What `learn` returns.
PAUSED, FINISHED, NO_PAIRS, NO_ROOM, MADE_AGAIN = 0, 1, 2, 3, 4

SPACE, COLON = 32, 58


class State(NamedTuple):
    """Everything that learning changes.

    Attributes:
        slots: ``int32[n]``, see the module.
        class_starts: ``int64[c + 1]``, first slot of each region of equal counts, and `n`.
        class_counts: ``int64[c]``, the count of the words in each.
        rows: ``int64[r, 4]``, open addressing: key of the pair (left id times 2**32, plus right
            id), count, first entry and number of entries in `pool`; `r` is a power of two.
        heap: ``int64[r, 2]``, count and key, the next pair to join first.
        pool: ``int32[p]``, the slots where pairs start, ascending for each pair.
        token_data: ``uint8[b]``, the bytes of all tokens.
        token_ends: ``int64[t]``, where each ends.
        token_words: ``int32[t]``, how many words each holds.
        token_index: ``int32[i]``, open addressing: token ids by their bytes, -1 where free, -2
            minus the id for tokens that must not be made; `i` is a power of two.
        beside: ``int64[2, t, 2]``, scratch, zero: count and occurrences of each token to the
            left and to the right of the pair being joined.
        touched: ``int32[2, t]``, scratch: which of those are not zero.
        joined: ``int32[j, 4]``, scratch: slot and token to the left, slot joined, token to the
            right of each occurrence.
        merges: ``int32[m, 3]``, left, right and merged id.
        numbers: ``int64[NUMBERS]``.
    """

    slots: Ids
    class_starts: Offsets
    class_counts: Counts
    rows: Counts
    heap: Counts
    pool: Ids
    token_data: Bytes
    token_ends: Offsets
    token_words: Ids
    token_index: Ids
    beside: Counts
    touched: Ids
    joined: Ids
    merges: Ids
    numbers: Counts


@kernel
def lay_out(ids: Ids, ends: Offsets, order: Offsets, slots: Ids) -> None:
    """Write words, given as flat lists of ids, into `slots` in the given order."""
    slots[0] = BOUNDARY
    write = 1
    for word in order:
        start = ends[word - 1] if word > 0 else 0
        for read in range(start, ends[word]):
            slots[write] = ids[read]
            write += 1
        slots[write] = BOUNDARY
        write += 1


@kernel
def _next(slots: Ids, slot: int) -> int:
    """Step to the token, or the boundary, after the token at `slot`."""
    mark = int(slots[slot + 1])
    if mark >= 0 or mark == BOUNDARY:
        return slot + 1
    return slot - mark


@kernel
def _previous(slots: Ids, slot: int) -> int:
    """Step to the token, or the boundary, before the token at `slot`."""
    mark = int(slots[slot - 1])
    if mark >= 0 or mark == BOUNDARY:
        return slot - 1
    return slot + mark


@kernel
def compact(slots: Ids, class_starts: Offsets) -> int:
    """Give every token one slot, in place; return how many slots are left."""
    read = write = place = 0
    while read < slots.size:
        while place < class_starts.size and class_starts[place] == read:
            class_starts[place] = write
            place += 1
        slots[write] = slots[read]
        read = read + 1 if slots[read] == BOUNDARY else _next(slots, read)
        write += 1
    class_starts[class_starts.size - 1] = write
    return write


@kernel
def _class_of(slot: int, guess: int, class_starts: Offsets) -> int:
    """Find the region a slot lies in, trying `guess` first."""
    if class_starts[guess] <= slot and slot < class_starts[guess + 1]:
        return guess
    low = 0
    high = class_starts.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if class_starts[middle] <= slot:
            low = middle
        else:
            high = middle
    return low


@kernel
def _key(left: int, right: int) -> int:
    """Pack a pair of ids; keys are ordered as pairs are."""
    return int(left) * 4294967296 + int(right)


@kernel
def _find(rows: Counts, key: int) -> int:
    """Find the row of a pair, or the free row where it would go."""
    # 30-bit multipliers of 31-bit ids: nothing overflows, compiled or not.
    mixed = (key >> 32) * 0x2545F491 + (key & 0xFFFFFFFF) * 0x1B873593
    place = (mixed ^ (mixed >> 17) ^ (mixed >> 31)) & (rows.shape[0] - 1)
    while rows[place, KEY] != key and rows[place, KEY] != -1:
        place = (place + 1) & (rows.shape[0] - 1)
    return int(place)


@kernel
def _comes_first(heap: Counts, one: int, other: int) -> bool:
    """Tell which pair is first: larger count, then lower left id, then lower right id."""
    if heap[one, HEAP_COUNT] != heap[other, HEAP_COUNT]:
        return bool(heap[one, HEAP_COUNT] > heap[other, HEAP_COUNT])
    return bool(heap[one, HEAP_KEY] < heap[other, HEAP_KEY])


@kernel
def _swap(heap: Counts, one: int, other: int) -> None:
    """Exchange two entries of the heap."""
    for column in range(2):
        kept = heap[one, column]
        heap[one, column] = heap[other, column]
        heap[other, column] = kept


@kernel
def push(heap: Counts, numbers: Counts, count: int, key: int) -> None:
    """Add a pair to the heap."""
    place = numbers[HEAPED]
    heap[place, HEAP_COUNT] = count
    heap[place, HEAP_KEY] = key
    while place > 0 and _comes_first(heap, place, (place - 1) // 2):
        _swap(heap, place, (place - 1) // 2)
        place = (place - 1) // 2
    numbers[HEAPED] += 1


@kernel
def _settle_top(heap: Counts, used: int) -> None:
    """Move the first entry of the heap down to where it belongs."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= used:
            return
        if child + 1 < used and _comes_first(heap, child + 1, child):
            child += 1
        if not _comes_first(heap, child, place):
            return
        _swap(heap, child, place)
        place = child


@kernel
def _drop_top(state: State) -> None:
    """Remove the first entry of the heap."""
    state.numbers[HEAPED] -= 1
    used = state.numbers[HEAPED]
    _swap(state.heap, 0, used)
    _settle_top(state.heap, used)


@kernel
def _may_join(
    numbers: Counts, data: Bytes, ends: Offsets, token_words: Ids, left: int, right: int
) -> bool:
    """Tell whether two tokens may become one: its bytes, its words, no ``": "`` in it.

    A word is a maximal run of bytes that are not spaces, as in the trainer of SuperBPE.
    """
    left_start = ends[left - 1] if left > 0 else 0
    right_start = ends[right - 1] if right > 0 else 0
    if ends[left] - left_start + ends[right] - right_start > numbers[MAX_BYTES]:
        return False
    if numbers[MAX_WORDS] == 0:
        return True
    last, first = data[ends[left] - 1], data[right_start]
    if numbers[NO_COLON_SPACE] and last == COLON and first == SPACE:
        return False
    words = token_words[left] + token_words[right]
    return bool(words - int(last != SPACE and first != SPACE) <= numbers[MAX_WORDS])


@kernel
def count_pairs(state: State, table: Counts, only: int, part: int, parts: int) -> int:
    """Count one of `parts` of the adjacent pairs that may be joined.

    Args:
        state: See `State`.
        table: ``int64[r, 3]``, all rows free, open addressing: key, count and occurrences.
        only: Count pairs with this token only, if it is not -1.
        part: Which part of the pairs to count.
        parts: A power of two.

    Returns:
        The number of pairs, or -1 if `table` became two thirds full.
    """
    slots, class_starts, class_counts = state.slots, state.class_starts, state.class_counts
    numbers, data, ends = state.numbers, state.token_data, state.token_ends
    limited, words = numbers[LIMITED] != 0, state.token_words
    used = place = after = 0
    while after < slots.size:
        slot = after
        after = slot + 1 if slots[slot] == BOUNDARY else _next(slots, slot)
        if slots[slot] == BOUNDARY or slots[after] == BOUNDARY:
            continue
        left, right = int(slots[slot]), int(slots[after])
        if only >= 0 and only not in (left, right):
            continue
        if parts > 1 and ((left * 0x27D4EB2F + right * 0x165667B1) >> 20) & (parts - 1) != part:
            continue
        if limited and not _may_join(numbers, data, ends, words, left, right):
            continue
        row = _find(table, _key(left, right))
        if table[row, KEY] == -1:
            used += 1
            if used * 3 > table.shape[0] * 2:
                return -1
            table[row, KEY] = _key(left, right)
            table[row, COUNT] = table[row, OCCURRENCES] = 0
        place = _class_of(slot, place, class_starts)
        table[row, COUNT] += class_counts[place]
        table[row, OCCURRENCES] += 1
    return used


@kernel
def add_rows(state: State, pairs: Counts) -> None:
    """Enter pairs, given as `count_pairs` leaves them, and make room for their slots."""
    numbers, rows = state.numbers, state.rows
    for pair in range(pairs.shape[0]):
        key = pairs[pair, KEY]
        row = _find(rows, key)
        if rows[row, KEY] == -1:
            numbers[ROWS] += 1
        rows[row, KEY] = key
        rows[row, COUNT] = pairs[pair, COUNT]
        rows[row, START] = numbers[POOLED]
        rows[row, SIZE] = 0
        numbers[POOLED] += pairs[pair, OCCURRENCES]
        push(state.heap, numbers, pairs[pair, COUNT], key)


@kernel
def fill_pool(state: State, only: int) -> None:
    """Write the slots of every pair that has a row, or of those with the token `only`."""
    slots, rows, pool = state.slots, state.rows, state.pool
    after = 0
    while after < slots.size:
        slot = after
        after = slot + 1 if slots[slot] == BOUNDARY else _next(slots, slot)
        if slots[slot] == BOUNDARY or slots[after] == BOUNDARY:
            continue
        left, right = int(slots[slot]), int(slots[after])
        if only < 0 or only in (left, right):
            key = _key(left, right)
            row = _find(rows, key)
            if rows[row, KEY] == key:
                pool[rows[row, START] + rows[row, SIZE]] = slot
                rows[row, SIZE] += 1


@kernel
def count_tokens(state: State, totals: Counts) -> None:
    """Add to `totals` how often each token occurs."""
    slots, class_starts, class_counts = state.slots, state.class_starts, state.class_counts
    place = 0
    slot = 1
    while slot < slots.size:
        if slots[slot] == BOUNDARY:
            slot += 1
        else:
            place = _class_of(slot, place, class_starts)
            totals[slots[slot]] += class_counts[place]
            slot = _next(slots, slot)


@kernel
def _find_token(state: State, start: int, end: int) -> int:
    """Find the entry of `token_index` for the bytes from `start` to `end` of `token_data`."""
    data, ends, index = state.token_data, state.token_ends, state.token_index
    mixed = 0
    for place in range(start, end):
        mixed = (mixed * 1000003 + int(data[place]) + 1) & 0x3FFFFFFFFF
    entry = (mixed ^ (mixed >> 19)) & (index.size - 1)
    while index[entry] != -1:
        token = index[entry] if index[entry] >= 0 else -2 - index[entry]
        first = ends[token - 1] if token > 0 else 0
        same = ends[token] - first == end - start
        place = 0
        while same and place < end - start:
            same = data[first + place] == data[start + place]
            place += 1
        if same:
            return entry
        entry = (entry + 1) & (index.size - 1)
    return entry


@kernel
def index_tokens(state: State, first: int, last: int, reserved: bool) -> None:
    """Enter the tokens from `first` up to `last` into `token_index`; the lowest id wins."""
    for token in range(first, last):
        start = state.token_ends[token - 1] if token > 0 else 0
        if state.token_ends[token] > start:
            entry = _find_token(state, start, state.token_ends[token])
            if state.token_index[entry] == -1:
                state.token_index[entry] = -2 - token if reserved else token


@kernel
def _make_token(state: State, left: int, right: int) -> int:
    """Return the id of the token that joining two makes: new, existing, or -1 if reserved."""
    data, ends, words = state.token_data, state.token_ends, state.token_words
    token = state.numbers[TOKENS]
    write = ends[token - 1]
    for part in (left, right):
        for read in range(ends[part - 1] if part > 0 else 0, ends[part]):
            data[write] = data[read]
            write += 1
    entry = _find_token(state, ends[token - 1], write)
    if state.token_index[entry] >= 0:
        return int(state.token_index[entry])
    if state.token_index[entry] < -1:
        return -1
    state.token_index[entry] = token
    ends[token] = write
    meet = data[ends[left] - 1] != SPACE and data[ends[right - 1] if right > 0 else 0] != SPACE
    words[token] = words[left] + words[right] - int(meet)
    state.numbers[TOKENS] += 1
    return int(token)


@kernel
def _touch(beside: Counts, side: int, token: int, count: int) -> int:
    """Note that `token` lies beside a joined pair; return 1 if it is the first time."""
    first = beside[side, token, 1] == 0
    beside[side, token, 0] += count
    beside[side, token, 1] += 1
    return int(first)


@kernel
def _join(state: State, row: int, merged: int) -> tuple[int, int, int]:
    """Replace every occurrence of a pair by `merged`, left to right as they overlap.

    Fills `joined`, `beside` and `touched`; returns how much of `joined` is used, and how many
    tokens were touched to the left and to the right.
    """
    slots, pool, joined, touched = state.slots, state.pool, state.joined, state.touched
    beside, class_starts, class_counts = state.beside, state.class_starts, state.class_counts
    left, right = state.rows[row, KEY] >> 32, state.rows[row, KEY] & 0xFFFFFFFF
    start = state.rows[row, START]
    used = lefts = rights = place = total = 0
    for entry in range(start, start + state.rows[row, SIZE]):
        slot = pool[entry]
        if slots[slot] != left:
            continue
        second = _next(slots, slot)
        if slots[second] != right:
            continue
        place = _class_of(slot, place, class_starts)
        count = class_counts[place]
        after, before = _next(slots, second), _previous(slots, slot)
        joined[used, 0], joined[used, 1] = before, slots[before]
        joined[used, 2], joined[used, 3] = slot, slots[after]
        used += 1
        if slots[before] >= 0:
            touched[0, lefts] = slots[before]
            lefts += _touch(beside, 0, slots[before], count)
        if slots[after] >= 0:
            touched[1, rights] = slots[after]
            rights += _touch(beside, 1, slots[after], count)
        slots[slot] = merged
        slots[second] = GONE
        slots[slot + 1] = slots[after - 1] = slot - after
        total += count
    state.numbers[TEXT] -= total
    return used, lefts, rights


@kernel
def _lose(rows: Counts, key: int, count: int) -> None:
    """Lower the count of a pair, if it is hot."""
    row = _find(rows, key)
    if rows[row, KEY] == key:
        rows[row, COUNT] -= count


@kernel
def _gain(state: State, left: int, right: int, count: int, occurrences: int) -> int:
    """Enter a new hot pair; return where in `pool` its slots go, or -1 if it must not join."""
    numbers, rows = state.numbers, state.rows
    if numbers[LIMITED] and not _may_join(
        numbers, state.token_data, state.token_ends, state.token_words, left, right
    ):
        return -1
    key = _key(left, right)
    row = _find(rows, key)
    rows[row, KEY] = key
    rows[row, COUNT] = count
    rows[row, START] = numbers[POOLED]
    rows[row, SIZE] = occurrences
    numbers[ROWS] += 1
    numbers[POOLED] += occurrences
    push(state.heap, numbers, count, key)
    return int(rows[row, START])


@kernel
def _account(state: State, left: int, right: int, merged: int, lefts: int, rights: int) -> None:
    """Update the pairs beside the joined ones.

    Where ``l`` was before ``left right``, the pair (l, left) becomes (l, merged); to the right
    likewise. The right side is entered first: in ``left right left right`` the pair
    (merged, left) appears and disappears again.
    """
    rows, touched, beside = state.rows, state.touched, state.beside
    threshold = state.numbers[THRESHOLD] if state.numbers[REPEATED] == -1 else 2**62
    for entry in range(rights):
        token = int(touched[1, entry])
        count, occurrences = int(beside[1, token, 0]), int(beside[1, token, 1])
        _lose(rows, _key(right, token), count)
        beside[1, token, 0] = -1
        if count >= threshold:
            beside[1, token, 0] = _gain(state, merged, token, count, occurrences)
    for entry in range(lefts):
        token = int(touched[0, entry])
        count, occurrences = int(beside[0, token, 0]), int(beside[0, token, 1])
        _lose(rows, _key(token, left), count)
        beside[0, token, 0] = -1
        if count >= threshold:
            beside[0, token, 0] = _gain(state, token, merged, count, occurrences)


@kernel
def _list_slots(state: State, used: int, lefts: int, rights: int) -> None:
    """Write the slots of the pairs that `_gain` entered, and clear the scratch arrays."""
    joined, beside, pool = state.joined, state.beside, state.pool
    for entry in range(used):
        for side in range(2):
            token = joined[entry, 1 + 2 * side]
            if token >= 0 and beside[side, token, 0] >= 0:
                pool[beside[side, token, 0]] = joined[entry, 2 * side]
                beside[side, token, 0] += 1
    for side in range(2):
        for entry in range(rights if side else lefts):
            token = state.touched[side, entry]
            beside[side, token, 0] = beside[side, token, 1] = 0


@kernel
def _has_room(state: State, left: int, right: int, size: int) -> bool:
    """Tell whether one more merge is sure to fit into every array."""
    numbers, ends, token = state.numbers, state.token_ends, state.numbers[TOKENS]
    most = 2 * min(size, token + 1)
    bytes_used = ends[token - 1] + ends[left] + ends[right]
    bytes_used -= (ends[left - 1] if left > 0 else 0) + (ends[right - 1] if right > 0 else 0)
    return bool(
        (numbers[ROWS] + most) * 3 < state.rows.shape[0] * 2
        and numbers[HEAPED] + most < state.heap.shape[0]
        and numbers[POOLED] + 2 * size <= state.pool.size
        and size <= state.joined.shape[0]
        and numbers[MERGES] < state.merges.shape[0]
        and token < ends.size
        and bytes_used <= state.token_data.size
    )


@kernel
def _merge_row(state: State, row: int, merged: int) -> None:
    """Join a pair everywhere and note the merge."""
    numbers, rows = state.numbers, state.rows
    left, right = rows[row, KEY] >> 32, rows[row, KEY] & 0xFFFFFFFF
    used, lefts, rights = _join(state, row, merged)
    _account(state, left, right, merged, lefts, rights)
    _list_slots(state, used, lefts, rights)
    state.merges[numbers[MERGES], 0] = left
    state.merges[numbers[MERGES], 1] = right
    state.merges[numbers[MERGES], 2] = merged
    rows[row, COUNT] = -1
    rows[row, SIZE] = 0
    numbers[MERGES] += 1


@kernel
def learn(state: State, merges_wanted: int) -> int:
    """Merge pairs until the vocabulary is full, or someone has to see to something.

    Returns `FINISHED`; `PAUSED` with `merges_wanted` merges; `NO_PAIRS` if no hot pair is left;
    `NO_ROOM` if an array may become too small; `MADE_AGAIN` if the last merge made a token that
    there was already (`REPEATED`), so that its pairs have to be counted again.
    """
    numbers, heap, rows = state.numbers, state.heap, state.rows
    while numbers[MERGES] < merges_wanted:
        if numbers[TOKENS] >= numbers[TOKENS_WANTED]:
            return FINISHED
        if numbers[HEAPED] == 0:
            return NO_PAIRS
        key = heap[0, HEAP_KEY]
        row = _find(rows, key)
        if rows[row, COUNT] < numbers[THRESHOLD]:
            _drop_top(state)
        elif rows[row, COUNT] != heap[0, HEAP_COUNT]:
            heap[0, HEAP_COUNT] = rows[row, COUNT]
            _settle_top(heap, numbers[HEAPED])
        elif not _has_room(state, key >> 32, key & 0xFFFFFFFF, rows[row, SIZE]):
            return NO_ROOM
        else:
            _drop_top(state)
            tokens = numbers[TOKENS]
            merged = _make_token(state, key >> 32, key & 0xFFFFFFFF)
            if merged >= 0:
                numbers[REPEATED] = merged if numbers[TOKENS] == tokens else -1
                _merge_row(state, row, merged)
                if numbers[REPEATED] >= 0:
                    return MADE_AGAIN
    return PAUSED
