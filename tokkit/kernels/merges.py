"""Learn merges: the most frequent pair of adjacent tokens becomes a token, again and again.

Words lie in slots (`tokkit.kernels.slots`), so that joining two neighbours touches nothing but
them::

    words "abc" (seen 5 times), "ab" (2): [ B  a  b  c  B  a  b  B ]     B = BOUNDARY
    after joining a, b into X:            [ B  X -2  c  B  X -2  B ]

A token that spans k > 1 slots has ``-k`` in its second and in its last slot, which is all it
takes to step to the next or to the previous token.

Only *hot* pairs, those with a count of at least `THRESHOLD`, have a row and a list of slots.
While every token is made once, a pair can only lose occurrences after it first appears, so a
cold pair stays cold, and leaving it out changes nothing. Whoever runs out of hot pairs lowers
the threshold and counts again (`tokkit.learn.merging`).
"""

from tokkit.kernels import merge_state as at
from tokkit.kernels._jit import Bytes, Counts, Ids, Offsets, kernel
from tokkit.kernels.merge_heap import push, settle_top, swap
from tokkit.kernels.merge_state import State


@kernel
def _step(slots: Ids, slot: int, direction: int) -> int:
    """Go from the token at `slot` to the next (1) or previous (-1) token or boundary."""
    mark = int(slots[slot + direction])
    if mark >= 0 or mark == at.BOUNDARY:
        return slot + direction
    return slot - direction * mark


@kernel
def _class_of(slot: int, guess: int, class_starts: Offsets) -> int:
    """Find the region a slot lies in, trying `guess` first."""
    if class_starts[guess] <= slot and slot < class_starts[guess + 1]:
        return guess
    low, high = 0, class_starts.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if class_starts[middle] <= slot:
            low = middle
        else:
            high = middle
    return low


@kernel
def _start_of(ends: Offsets, token: int) -> int:
    """Where the bytes of a token begin."""
    return int(ends[token - 1]) if token > 0 else 0


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
    while rows[place, at.KEY] != key and rows[place, at.KEY] != -1:
        place = (place + 1) & (rows.shape[0] - 1)
    return int(place)


@kernel
def _drop_top(state: State) -> None:
    """Remove the first entry of the heap."""
    state.numbers[at.HEAPED] -= 1
    used = state.numbers[at.HEAPED]
    swap(state.heap, 0, used)
    settle_top(state.heap, used)


@kernel
def _meet(last: int, first: int) -> int:
    """Return 1 if two tokens meet inside a word, by the bytes there (words end at blanks)."""
    for byte in (last, first):
        if byte == at.SPACE or 9 <= byte <= 13:
            return 0
    return 1


@kernel
def _may_join(
    numbers: Counts, data: Bytes, ends: Offsets, token_words: Ids, left: int, right: int
) -> bool:
    """Tell whether two tokens may become one: its bytes, its words, no ``": "`` in it."""
    left_start, right_start = _start_of(ends, left), _start_of(ends, right)
    if ends[left] - left_start + ends[right] - right_start > numbers[at.MAX_BYTES]:
        return False
    if numbers[at.MAX_WORDS] == 0:
        return True
    last, first = data[ends[left] - 1], data[right_start]
    if numbers[at.NO_COLON_SPACE] and last == at.COLON and first == at.SPACE:
        return False
    words = token_words[left] + token_words[right] - _meet(last, first)
    return bool(words <= numbers[at.MAX_WORDS])


@kernel
def forbid(state: State, pairs: Counts) -> None:
    """Set the count of pairs, given as `slots.count_pairs` does, to 0 if they may not join."""
    numbers, data = state.numbers, state.token_data
    ends, words = state.token_ends, state.token_words
    for pair in range(pairs.shape[0]):
        left, right = pairs[pair, at.KEY] >> 32, pairs[pair, at.KEY] & 0xFFFFFFFF
        if not _may_join(numbers, data, ends, words, left, right):
            pairs[pair, at.COUNT] = 0


@kernel
def _enter(state: State, key: int, count: int, occurrences: int) -> int:
    """Add the row of a new pair; return its number."""
    numbers, rows = state.numbers, state.rows
    row = _find(rows, key)
    rows[row, at.KEY] = key
    rows[row, at.COUNT] = count
    rows[row, at.START] = numbers[at.POOLED]
    rows[row, at.SIZE] = 0
    numbers[at.ROWS] += 1
    numbers[at.POOLED] += occurrences
    push(state.heap, numbers, count, key)
    return row


@kernel
def add_rows(state: State, pairs: Counts) -> None:
    """Add rows for pairs, given as `slots.count_pairs` does; their slots come later."""
    for pair in range(pairs.shape[0]):
        _enter(state, pairs[pair, at.KEY], pairs[pair, at.COUNT], pairs[pair, at.OCCURRENCES])


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
        first = _start_of(ends, token)
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
        start, end = _start_of(state.token_ends, token), state.token_ends[token]
        if end > start:
            entry = _find_token(state, start, end)
            if state.token_index[entry] == -1:
                state.token_index[entry] = -2 - token if reserved else token


@kernel
def _make_token(state: State, left: int, right: int) -> int:
    """Return the id of the token that joining two makes: new, existing, or -1 if reserved."""
    data, ends, words = state.token_data, state.token_ends, state.token_words
    token = state.numbers[at.TOKENS]
    write = ends[token - 1]
    for part in (left, right):
        for read in range(_start_of(ends, part), ends[part]):
            data[write] = data[read]
            write += 1
    entry = _find_token(state, ends[token - 1], write)
    found = int(state.token_index[entry])
    if found != -1:
        return max(found, -1)
    state.token_index[entry] = token
    ends[token] = write
    meet = _meet(data[ends[left] - 1], data[_start_of(ends, right)])
    words[token] = words[left] + words[right] - meet
    state.numbers[at.TOKENS] += 1
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
    left, right = state.rows[row, at.KEY] >> 32, state.rows[row, at.KEY] & 0xFFFFFFFF
    start = state.rows[row, at.START]
    used = lefts = rights = place = total = 0
    for entry in range(start, start + state.rows[row, at.SIZE]):
        slot = pool[entry]
        if slots[slot] != left:
            continue
        second = _step(slots, slot, 1)
        if slots[second] != right:
            continue
        place = _class_of(slot, place, class_starts)
        count = class_counts[place]
        after, before = _step(slots, second, 1), _step(slots, slot, -1)
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
        slots[second] = at.GONE
        slots[slot + 1] = slots[after - 1] = slot - after
        total += count
    state.numbers[at.TEXT] -= total
    return used, lefts, rights


@kernel
def _gain(state: State, left: int, right: int, count: int, occurrences: int) -> int:
    """Enter a new hot pair; return where in `pool` its slots go, or -1 if it must not join."""
    numbers = state.numbers
    if numbers[at.LIMITED] and not _may_join(
        numbers, state.token_data, state.token_ends, state.token_words, left, right
    ):
        return -1
    row = _enter(state, _key(left, right), count, occurrences)
    state.rows[row, at.SIZE] = occurrences
    return int(state.rows[row, at.START])


@kernel
def _account(state: State, left: int, right: int, merged: int, lefts: int, rights: int) -> None:
    """Update the pairs beside the joined ones.

    Where ``l`` was before ``left right``, the pair (l, left) becomes (l, merged); to the right
    likewise. The right side is entered first: in ``left right left right`` the pair
    (merged, left) appears and disappears again.
    """
    rows, touched, beside = state.rows, state.touched, state.beside
    threshold = state.numbers[at.THRESHOLD] if state.numbers[at.REPEATED] == -1 else 2**62
    for side in (1, 0):
        for entry in range(rights if side else lefts):
            token = int(touched[side, entry])
            count, occurrences = int(beside[side, token, 0]), int(beside[side, token, 1])
            key = _key(right, token) if side else _key(token, left)
            row = _find(rows, key)
            if rows[row, at.KEY] == key:
                rows[row, at.COUNT] -= count
            beside[side, token, 0] = -1
            if count >= threshold:
                one, other = (merged, token) if side else (token, merged)
                beside[side, token, 0] = _gain(state, one, other, count, occurrences)


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
    numbers, ends, token = state.numbers, state.token_ends, state.numbers[at.TOKENS]
    most = 2 * min(size, token + 1)
    length = ends[left] - _start_of(ends, left) + ends[right] - _start_of(ends, right)
    return bool(
        (numbers[at.ROWS] + most) * 3 < state.rows.shape[0] * 2
        and numbers[at.HEAPED] + most < state.heap.shape[0]
        and numbers[at.POOLED] + 2 * size <= state.pool.size
        and size <= state.joined.shape[0]
        and numbers[at.MERGES] < state.merges.shape[0]
        and token < ends.size
        and ends[token - 1] + length <= state.token_data.size
    )


@kernel
def _merge_row(state: State, row: int, merged: int) -> None:
    """Join a pair everywhere and note the merge."""
    numbers, rows = state.numbers, state.rows
    left, right = rows[row, at.KEY] >> 32, rows[row, at.KEY] & 0xFFFFFFFF
    used, lefts, rights = _join(state, row, merged)
    _account(state, left, right, merged, lefts, rights)
    _list_slots(state, used, lefts, rights)
    merge = state.merges[numbers[at.MERGES]]
    merge[0], merge[1], merge[2] = left, right, merged
    rows[row, at.COUNT] = -1
    rows[row, at.SIZE] = 0
    numbers[at.MERGES] += 1


@kernel
def learn(state: State, merges_wanted: int) -> int:
    """Merge pairs until the vocabulary is full, or someone has to see to something.

    Returns `FINISHED`; `PAUSED` with `merges_wanted` merges; `NO_PAIRS` if no hot pair is left;
    `NO_ROOM` if an array may become too small; `MADE_AGAIN` if the last merge made a token that
    there was already (`REPEATED`), so that its pairs have to be counted again.
    """
    numbers, heap, rows = state.numbers, state.heap, state.rows
    while numbers[at.MERGES] < merges_wanted:
        if numbers[at.TOKENS] >= numbers[at.TOKENS_WANTED]:
            return at.FINISHED
        if numbers[at.HEAPED] == 0:
            return at.NO_PAIRS
        key = heap[0, at.HEAP_KEY]
        row = _find(rows, key)
        if rows[row, at.COUNT] < numbers[at.THRESHOLD]:
            _drop_top(state)
        elif rows[row, at.COUNT] != heap[0, at.HEAP_COUNT]:
            heap[0, at.HEAP_COUNT] = rows[row, at.COUNT]
            settle_top(heap, numbers[at.HEAPED])
        elif not _has_room(state, key >> 32, key & 0xFFFFFFFF, rows[row, at.SIZE]):
            return at.NO_ROOM
        else:
            _drop_top(state)
            tokens = numbers[at.TOKENS]
            merged = _make_token(state, key >> 32, key & 0xFFFFFFFF)
            if merged >= 0:
                numbers[at.REPEATED] = merged if numbers[at.TOKENS] == tokens else -1
                _merge_row(state, row, merged)
                if numbers[at.REPEATED] >= 0:
                    return at.MADE_AGAIN
    return at.PAUSED
