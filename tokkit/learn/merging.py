"""Drive the merge kernel: from words as token ids to a list of merges.

The kernel keeps only pairs seen at least `threshold` times. The threshold starts at a guess of
the count at which the vocabulary will be full; if the kernel runs out of pairs before that, all
pairs are counted again with a lower one. The result does not depend on the guesses.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from tokkit.errors import UsageError
from tokkit.kernels import merges as kernel
from tokkit.kernels import slots
from tokkit.kernels._jit import Bytes, Counts, Ids, Offsets
from tokkit.kernels.merge_state import (
    COUNT,
    HEAPED,
    KEY,
    LIMITED,
    MADE_AGAIN,
    MAX_BYTES,
    MAX_WORDS,
    MERGES,
    NO_COLON_SPACE,
    NO_PAIRS,
    NO_ROOM,
    NUMBERS,
    OCCURRENCES,
    PAUSED,
    POOLED,
    REPEATED,
    ROWS,
    TEXT,
    THRESHOLD,
    TOKENS,
    TOKENS_WANTED,
    State,
)
from tokkit.progress import Progress, silent
from tokkit.vocab import flatten

MOST_SLOTS = 2**31 - 2
UNLIMITED = 2**62
NO_MERGES: Ids = np.zeros((0, 3), dtype=np.int32)
ROOM = 1 << 17
"""Tokens there is room for at first; a vocabulary may be asked for that no text fills."""
SLICES, LONGEST_SLICE = 64, 4096
"""How often progress is reported, and the merges after which it is at the latest."""


class Words(NamedTuple):
    """Distinct words as flat token ids (see `tokkit.kernels`), and how often each occurs."""

    ids: Ids
    ends: Offsets
    counts: Counts


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Which tokens may be made.

    Attributes:
        max_bytes: Longest token.
        max_words: Most words in a token, words being runs of bytes other than ASCII white
            space; 0 for no limit.
        colon_space: Whether ``": "`` may occur in a token (looked at if `max_words` is not 0).
    """

    max_bytes: int = UNLIMITED
    max_words: int = 0
    colon_space: bool = True


NO_RULES = Rules()


@dataclass
class Learned:
    """What came out.

    Attributes:
        tokens: The bytes of all tokens, those given first; reserved ones have none.
        merges: ``int32[m, 3]``: left, right and merged id, in rank order.
        curve: The number of tokens the words take, by vocabulary size.
        totals: ``int64[len(tokens)]``, how often each token occurs in the segmented words.
        exhausted: Whether pairs ran out before the vocabulary was full.
    """

    tokens: list[bytes]
    merges: Ids
    curve: list[dict[str, Any]]
    totals: Counts
    exhausted: bool


def power_of_two(least: int) -> int:
    """Round up: 5 is 8."""
    return 1 << max(int(least) - 1, 1).bit_length()


def arrange(words: Words) -> tuple[Ids, Offsets, Counts]:
    """Lay words out in slots, most frequent first: slots, class starts and class counts.

    Raises:
        UsageError: If there are more than 2**31 tokens.
    """
    ids, ends, counts = words
    lengths = np.diff(ends, prepend=0)
    order = np.argsort(-counts, kind="stable")
    size = int(lengths.sum() + len(ends) + 1)
    if size > MOST_SLOTS:
        raise UsageError(
            f"{size} tokens in distinct pieces are more than can be merged at once "
            f"({MOST_SLOTS}): sample the corpus"
        )
    laid_out = np.empty(size, dtype=np.int32)
    slots.lay_out(ids, ends, order, laid_out)
    ordered = counts[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    word_starts = np.cumsum(lengths[order] + 1) - lengths[order] - 1
    class_starts = np.append(word_starts[first], size).astype(np.int64)
    return laid_out, class_starts, ordered[first].astype(np.int64)


@dataclass
class Merging:
    """A merge run: the kernel's state and what surrounds it.

    Attributes:
        state: See `tokkit.kernels.merges.State`.
        floor: The lowest useful threshold.
        reserved: Ids of tokens whose bytes no merge may make.
        earlier: Merges that came before those of this run.
        recounts: How often all pairs were counted.
        repeats: How often a token was made again.
    """

    state: State
    floor: int
    reserved: Collection[int]
    earlier: Ids
    recounts: int = 0
    repeats: int = 0

    @property
    def done(self) -> int:
        """The number of merges."""
        return int(self.state.numbers[MERGES])

    def count_pairs(self) -> Counts:
        """Count the hot pairs, with rows as in `tokkit.kernels.slots.count_pairs`.

        Most pairs are not hot, so they are counted in parts that share a small table.
        """
        state = self.state
        classes = state.class_starts, state.class_counts
        table = np.empty((power_of_two(max(8192, state.slots.size // 8)), 3), np.int64)
        parts = 1
        hot: list[Counts] = []
        while len(hot) < parts:
            table[:] = -1
            if slots.count_pairs(state.slots, *classes, len(hot), parts, table) < 0:
                parts, hot = 2 * parts, []
                continue
            pairs = table[table[:, KEY] >= 0]
            if state.numbers[LIMITED]:
                kernel.forbid(state, pairs)
            self.put_first(pairs)
            hot.append(pairs[pairs[:, COUNT] >= state.numbers[THRESHOLD]])
        return np.concatenate(hot)

    def put_first(self, pairs: Counts) -> None:
        """Let pairs that were merged before, and are back, be merged next, by their rank.

        They come back when a token is made that there was before: then the finished tokenizer
        merges them at once. It takes a vocabulary with tokens that its merges do not make, as
        every token that merges make is made by one of them only.
        """
        if not self.repeats:
            return
        merges = np.concatenate([self.earlier, self.state.merges[: self.done]]).astype(np.int64)
        keys = merges[:, 0] * 2**32 + merges[:, 1]
        order = np.argsort(keys, kind="stable")
        ranks = order[np.searchsorted(keys[order], pairs[:, KEY]).clip(max=len(keys) - 1)]
        back = keys[ranks] == pairs[:, KEY]
        pairs[back, COUNT] = UNLIMITED - ranks[back] * 2**32

    def recount(self) -> None:
        """Count all pairs anew and keep the hot ones, in arrays of the right size."""
        self.recounts += 1
        state = self.state
        size = slots.compact(state.slots, state.class_starts)
        # Old arrays go before new ones come: this is where memory peaks.
        empty = np.empty((1, 4), dtype=np.int64)
        self.state = state = state._replace(
            slots=state.slots[:size], rows=empty, heap=empty, pool=empty[0].astype(np.int32)
        )
        pairs = self.count_pairs()
        occurrences = int(pairs[:, OCCURRENCES].sum())
        largest = int(pairs[:, OCCURRENCES].max(initial=0))
        tokens = len(state.token_ends)
        rows = power_of_two(3 * (len(pairs) + 2 * min(largest, tokens)) + 4096)
        joined = max(largest, state.joined.shape[0])
        self.state = state._replace(
            rows=np.full((rows, 4), -1, dtype=np.int64),
            heap=np.empty((rows, 2), dtype=np.int64),
            pool=np.empty(
                occurrences + max(occurrences // 2, 2 * largest) + 4096, dtype=np.int32
            ),
            joined=np.empty((joined, 4), dtype=np.int32),
        )
        for number in (ROWS, HEAPED, POOLED):
            self.state.numbers[number] = 0
        kernel.add_rows(self.state, pairs)
        slots.fill_pool(self.state.slots, self.state.rows, self.state.pool)

    def make_room(self) -> None:
        """Enlarge the arrays of tokens and merges where they are full, and count again."""
        state = self.state
        size, room = int(state.numbers[TOKENS]), len(state.token_ends)
        used = int(state.token_ends[size - 1])
        arrays = token_arrays(
            state.token_data[:used],
            state.token_ends[:size],
            state.token_words[:size],
            2 * room if size == room else room,
        )
        merges = state.merges
        if self.done == len(merges):
            merges = np.append(merges, np.zeros_like(merges), axis=0)
        self.state = state._replace(merges=merges, **arrays)
        self.index_tokens()
        self.recount()

    def index_tokens(self) -> None:
        """Make tokens known by their bytes."""
        for token in self.reserved:
            kernel.index_tokens(self.state, token, token + 1, True)
        kernel.index_tokens(self.state, 0, int(self.state.numbers[TOKENS]), False)

    def lower_threshold(self) -> bool:
        """Lower the threshold to where the vocabulary should be full; false if it is lowest."""
        numbers = self.state.numbers
        threshold = int(numbers[THRESHOLD])
        if threshold <= self.floor:
            return False
        # The count of the k-th merge falls a little faster than 1 / k.
        missing = int(numbers[TOKENS_WANTED] - numbers[TOKENS])
        share = (self.done + 1) / (self.done + 1 + missing)
        guess = int(threshold * min(0.5, 0.8 * share**1.25))
        numbers[THRESHOLD] = max(self.floor, guess)
        self.recount()
        return True

    def run(self, merges: int) -> int:
        """Run until so many merges are done: `PAUSED`, `FINISHED`, or `NO_PAIRS` for good."""
        while True:
            outcome = kernel.learn(self.state, merges)
            if outcome == NO_ROOM:
                self.make_room()
            elif outcome == MADE_AGAIN:
                # Rare, see `put_first`: pairs with that token may not be hot, but become so.
                self.repeats += 1
                self.recount()
            elif outcome != NO_PAIRS or not self.lower_threshold():
                return int(outcome)


def guess_threshold(text: int, vocab_size: int) -> int:
    """Guess the count of the last merge, on the low side; measured on mixed text.

    Example: 88 MB, 32768 tokens -> 67.
    """
    return text // (40 * max(vocab_size, 1))


def learn_merges(
    words: Words,
    tokens: Sequence[bytes],
    vocab_size: int,
    *,
    min_count: int = 1,
    rules: Rules = NO_RULES,
    reserved: Mapping[int, bytes] = MappingProxyType({}),
    earlier: Ids = NO_MERGES,
    progress: Progress = silent,
    stage: str = "merging",
) -> Learned:
    """Merge the most frequent pair of adjacent tokens until there are `vocab_size` tokens.

    Pairs are ordered by count, then by lower left id, then by lower right id. A merge whose
    bytes are a token already makes that token, and the vocabulary does not grow.

    Args:
        words: What to learn from; every id less than ``len(tokens)``.
        tokens: The bytes of the tokens that exist; ``b""`` for ids that words do not contain.
        vocab_size: Number of tokens wanted.
        min_count: Pairs seen less often are not merged.
        rules: Which tokens may be made.
        reserved: By id, bytes that no merge may make, for ids without bytes in `tokens`.
        earlier: ``int32[m, 3]``, merges that `words` were segmented with.
        progress: Told how many tokens there are.
        stage: What to call this to `progress`.

    Raises:
        UsageError: If there are more than 2**31 tokens in the distinct words.
    """
    spelled = [reserved.get(token, spelling) for token, spelling in enumerate(tokens)]
    state = _start(words, spelled, min(vocab_size, UNLIMITED), rules)
    del words  # frees its memory if nobody else holds it
    run = Merging(state, min(max(min_count, 1), UNLIMITED), reserved, earlier)
    run.index_tokens()
    guess = guess_threshold(int(state.numbers[TEXT]), vocab_size)
    state.numbers[THRESHOLD] = max(run.floor, guess)
    run.recount()
    numbers = run.state.numbers
    curve = [{"vocab_size": len(tokens), "tokens": int(numbers[TEXT])}]
    step = min(max(1, (vocab_size - len(tokens)) // SLICES), LONGEST_SLICE)
    outcome = PAUSED
    while outcome == PAUSED:
        outcome = run.run(run.done + step)
        made = int(numbers[TOKENS])
        curve.append({"vocab_size": made, "tokens": int(numbers[TEXT])})
        progress(stage, made, vocab_size)
    return _finish(run, reserved, curve, exhausted=outcome == NO_PAIRS)


def _finish(
    run: Merging, reserved: Mapping[int, bytes], curve: list[dict[str, Any]], exhausted: bool
) -> Learned:
    """Read the results out of the kernel's state."""
    state = run.state
    size = int(state.numbers[TOKENS])
    data, ends = state.token_data.tobytes(), [0, *state.token_ends[:size].tolist()]
    tokens = [
        b"" if token in reserved else data[ends[token] : ends[token + 1]]
        for token in range(size)
    ]
    totals = np.zeros(size, dtype=np.int64)
    used = slots.compact(state.slots, state.class_starts)
    slots.count_tokens(state.slots[:used], state.class_starts, state.class_counts, totals)
    merges = np.concatenate([run.earlier, state.merges[: run.done]])
    if run.repeats:
        # A pair that came back keeps its first rank.
        merges = merges[np.sort(np.unique(merges[:, :2], axis=0, return_index=True)[1])]
    return Learned(tokens, merges[len(run.earlier) :], curve, totals, exhausted)


def _start(words: Words, tokens: Sequence[bytes], vocab_size: int, rules: Rules) -> State:
    """Prepare the kernel's state; the counts of pairs are not there yet."""
    laid_out, class_starts, class_counts = arrange(words)
    text = int((np.diff(words.ends, prepend=0) * words.counts).sum())
    room = max(min(vocab_size, ROOM), len(tokens))
    token_words = np.array([len(token.split()) for token in tokens], dtype=np.int32)
    state = State(
        slots=laid_out,
        class_starts=class_starts,
        class_counts=class_counts,
        rows=np.empty((1, 4), dtype=np.int64),
        heap=np.empty((1, 2), dtype=np.int64),
        pool=np.empty(1, dtype=np.int32),
        **token_arrays(*flatten(tokens), token_words, room),
        joined=np.empty((1, 4), dtype=np.int32),
        merges=np.zeros((room - len(tokens) + 64, 3), dtype=np.int32),
        numbers=np.zeros(NUMBERS, dtype=np.int64),
    )
    numbers = state.numbers
    numbers[TOKENS], numbers[TOKENS_WANTED] = len(tokens), vocab_size
    numbers[TEXT], numbers[REPEATED] = text, -1
    numbers[MAX_BYTES], numbers[MAX_WORDS] = rules.max_bytes, rules.max_words
    numbers[NO_COLON_SPACE] = not rules.colon_space
    numbers[LIMITED] = rules != NO_RULES
    return state


def token_arrays(data: Bytes, ends: Offsets, words: Ids, room: int) -> dict[str, Any]:
    """The part of the kernel's state that depends on the number of tokens; nothing indexed.

    Args:
        data: The bytes of the tokens there are.
        ends: Where each ends.
        words: How many words each holds.
        room: How many tokens to make room for.
    """
    more = room - len(ends)
    return {
        # The longest token that can be made has twice the bytes of another.
        "token_data": np.append(data, np.zeros(2 * len(data) + 16 * more, dtype=np.uint8)),
        "token_ends": np.append(ends, np.zeros(more, dtype=np.int64)),
        "token_words": np.append(words, np.zeros(more, dtype=np.int32)),
        "token_index": np.full(power_of_two(3 * room), -1, dtype=np.int32),
        "beside": np.zeros((2, room, 2), dtype=np.int64),
        "touched": np.zeros((2, room), dtype=np.int32),
    }
