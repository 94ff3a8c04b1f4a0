"""A batch merged: the most frequent pair of neighbours becomes one token, again and again.

As arXiv 2411.18553 has it: all neighbours of the batch that may be merged are counted, those
that overlap too; the most frequent pair, of equals the one met first, is merged from the left
wherever it stands; then everything is counted again. Tokens are their bytes: what is merged in
two ways is one token, which may be one of the vocabulary. Here only the neighbours of merged
places are counted again, which gives the same merges (`tests/reference/dynamic.py` recounts).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.dynamic.boundaries import Boundary, may_merge
from tokkit.errors import UsageError
from tokkit.kernels._jit import Ids
from tokkit.tokenizer import Tokenizer

NOWHERE = -1

Pair = tuple[int, int]


class Merge(NamedTuple):
    """One merge.

    Attributes:
        left: The id of the left token.
        right: That of the right one.
        result: That of both; new tokens have ids from the size of the vocabulary on.
        times: How often the two stood side by side.
    """

    left: int
    right: int
    result: int
    times: int


@dataclass(frozen=True)
class Merged:
    """A batch in tokens of its own.

    Attributes:
        sequences: The ids of each text, ``int32[n]``; those beyond the vocabulary are new.
        tokens: The bytes of each new token, in order of id.
        parts: The tokens of the vocabulary that each was merged from, when it was first.
        merges: What was merged, in order.
        base: The size of the vocabulary: the id of the first new token.
        lengths: How many tokens the batch had before each merge, and has now,
            ``int64[merges + 1]``.
    """

    sequences: list[Ids]
    tokens: list[bytes]
    parts: list[tuple[int, ...]]
    merges: list[Merge]
    base: int
    lengths: NDArray[np.int64]

    @property
    def reduction(self) -> float:
        """By which share the batch became shorter."""
        return 1 - float(self.lengths[-1] / self.lengths[0]) if self.lengths[0] else 0.0


def merge_batch(
    tokenizer: Tokenizer,
    sequences: Sequence[Ids],
    *,
    merges: int | None = None,
    reduction: float | None = None,
    boundary: Boundary = "pretokens",
) -> Merged:
    """Merge the frequent pairs of a batch.

    Args:
        tokenizer: Whose ids they are.
        sequences: The ids of each text; special tokens are never merged.
        merges: How many merges at most; None: as many as there are.
        reduction: By which share the batch is to become shorter; merging ends when it is.
        boundary: What merges stay within, a key of `BOUNDARIES`.

    Raises:
        UsageError: If `merges` is negative or `reduction` not below 1.
    """
    if (merges is not None and merges < 0) or not 0 <= (reduction or 0) < 1:
        raise UsageError(
            f"{merges} merges, a reduction of {reduction}: merges start at 0, and a "
            "reduction is a share from 0 to 1"
        )
    chain = _Chain(tokenizer, sequences, may_merge(tokenizer, boundary))
    done: list[Merge] = []
    lengths = [chain.size]
    enough = 0 if reduction is None else chain.size * (1 - reduction)
    while (merges is None or len(done) < merges) and chain.size > enough:
        merge = chain.merge_next()
        if merge is None:
            break
        done.append(merge)
        lengths.append(chain.size)
    base = len(tokenizer.vocab)
    return Merged(chain.sequences(), chain.new, chain.parts, done, base, np.array(lengths))


class _Chain:
    """The tokens of a batch as a linked list, and where each pair of neighbours stands.

    Attributes:
        size: How many tokens there are.
        new: The bytes of the tokens that are not in the vocabulary.
        parts: What each was merged from.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        sequences: Sequence[Ids],
        rule: Callable[[bytes, bytes], bool],
    ) -> None:
        self.new: list[bytes] = []
        self.parts: list[tuple[int, ...]] = []
        self._base = tokenizer.vocab.tokens
        self._ids = dict(tokenizer.vocab.ids)
        self._rule = rule
        self._allowed: dict[Pair, bool] = {}
        self._ends = np.cumsum([0, *map(len, sequences)]).tolist()
        self._tokens: list[int] = [
            token for sequence in sequences for token in sequence.tolist()
        ]
        self.size = len(self._tokens)
        self._before = list(range(-1, self.size - 1))
        self._after = list(range(1, self.size + 1))
        for start, end in zip(self._ends, self._ends[1:], strict=False):
            if start < end:
                self._before[start] = self._after[end - 1] = NOWHERE
        self._places: dict[Pair, set[int]] = {}
        self._order: dict[Pair, list[int]] = {}
        for place, after in enumerate(self._after):
            if after != NOWHERE:
                pair = self._tokens[place], self._tokens[after]
                self._places.setdefault(pair, set()).add(place)
                self._order.setdefault(pair, []).append(place)
        self._heap = [
            (-len(places), self._order[pair][0], pair) for pair, places in self._places.items()
        ]
        heapify(self._heap)

    def merge_next(self) -> Merge | None:
        """Merge the most frequent pair; None if none is left that may be merged."""
        while self._heap:
            count, first, pair = heappop(self._heap)
            places = self._places.get(pair)
            if not places:
                continue
            current = self._first(pair)
            if (-count, first) != (len(places), current):
                # It lost places since it was put here; what gained some was put in again.
                heappush(self._heap, (-len(places), current, pair))
            elif self._may_merge(pair):
                return self._merge(pair)
            else:
                del self._places[pair], self._order[pair]
        return None

    def sequences(self) -> list[Ids]:
        """Return the ids of each text."""
        found = []
        for start, end in zip(self._ends, self._ends[1:], strict=False):
            place, ids = start if start < end else NOWHERE, []
            while place != NOWHERE:
                ids.append(self._tokens[place])
                place = self._after[place]
            found.append(np.array(ids, dtype=np.int32))
        return found

    def _first(self, pair: Pair) -> int:
        """Return where a pair first stands."""
        order, places = self._order[pair], self._places[pair]
        while order[0] not in places:
            heappop(order)
        return order[0]

    def _may_merge(self, pair: Pair) -> bool:
        """Tell whether a pair may be merged; asked once."""
        if pair not in self._allowed:
            first, second = map(self._bytes, pair)
            self._allowed[pair] = bool(first and second) and self._rule(first, second)
        return self._allowed[pair]

    def _bytes(self, token: int) -> bytes:
        return (
            self._base[token] if token < len(self._base) else self.new[token - len(self._base)]
        )

    def _merge(self, pair: Pair) -> Merge:
        """Merge a pair wherever it stands, from the left."""
        result = self._id_of(pair)
        places = sorted(self._places[pair])
        changed: set[Pair] = set()
        for place in places:
            # In a run of equal tokens the one before may have taken this one.
            if place in self._places.get(pair, ()):
                self._join(place, result, changed)
        for each in changed:
            if each in self._places:
                entry = (-len(self._places[each]), self._first(each), each)
                heappush(self._heap, entry)
        return Merge(*pair, result, len(places))

    def _join(self, place: int, result: int, changed: set[Pair]) -> None:
        """Make the token at a place and the next one `result`."""
        taken = self._after[place]
        before, after = self._before[place], self._after[taken]
        for each in (before, place, taken):
            if each != NOWHERE and self._after[each] != NOWHERE:
                self._forget(each)
        self._tokens[place] = result
        self._after[place] = after
        if after != NOWHERE:
            self._before[after] = place
        self.size -= 1
        for each in (before, place):
            if each != NOWHERE and self._after[each] != NOWHERE:
                self._note(each, changed)

    def _forget(self, place: int) -> None:
        """No longer count the pair at a place."""
        pair = self._tokens[place], self._tokens[self._after[place]]
        places = self._places.get(pair)
        if places is not None:
            places.discard(place)
            if not places:
                del self._places[pair], self._order[pair]

    def _note(self, place: int, changed: set[Pair]) -> None:
        """Count the pair at a place, unless it is known that it may not be merged."""
        pair = self._tokens[place], self._tokens[self._after[place]]
        if self._allowed.get(pair, True):
            self._places.setdefault(pair, set()).add(place)
            heappush(self._order.setdefault(pair, []), place)
            changed.add(pair)

    def _id_of(self, pair: Pair) -> int:
        """Return the id of two tokens together, a new one if no token has their bytes."""
        merged = b"".join(map(self._bytes, pair))
        token = self._ids.get(merged)
        if token is None:
            token = self._ids[merged] = len(self._base) + len(self.new)
            self.new.append(merged)
            self.parts.append(tuple(part for each in pair for part in self._parts_of(each)))
        return token

    def _parts_of(self, token: int) -> tuple[int, ...]:
        return (token,) if token < len(self._base) else self.parts[token - len(self._base)]
