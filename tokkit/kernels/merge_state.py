"""What the merge kernel works on; importing it does not load Numba's compiler."""

from typing import NamedTuple

from tokkit.kernels._jit import Bytes, Counts, Ids, Offsets

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
