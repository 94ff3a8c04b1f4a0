"""What is counted of the documents of one group, in memory that does not grow with them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets

BLOCKS = 1024
"""Documents that are kept apart; later ones are dealt out in turn to as many sets."""
PARTS = 16
"""Parts of a text that are told apart for the intervals of what is no ratio of sums."""
Rows = NDArray[np.float64]


class Occurrences:
    """How often each token occurs in each part of a text; those never met take little room.

    Args:
        size: How many tokens there are.
    """

    def __init__(self, size: int) -> None:
        # There is one for every tokenizer and group, so small numbers are used while they do.
        self._places: NDArray[np.unsignedinteger] = np.zeros(size, dtype=np.uint16)  # 0: none
        self._met = 0
        self._counts = np.zeros((PARTS, 1), dtype=np.uint32)  # enough for 10^10 times one token

    def add(self, ids: Ids, parts: NDArray[np.int64]) -> None:
        """Count tokens, given in which part each is."""
        new = _distinct(ids[self._places[ids] == 0].astype(np.int64))
        if new.size:
            self._make_room(self._met + new.size)
            self._places[new] = np.arange(self._met + 1, self._met + 1 + new.size)
            self._met += new.size
        places = parts * self._counts.shape[1] + self._places[ids]
        np.add.at(self._counts.reshape(-1), places, np.uint32(1))

    def _make_room(self, met: int) -> None:
        if met > np.iinfo(self._places.dtype).max:
            self._places = self._places.astype(np.uint32)
        room = self._counts.shape[1]
        if met >= room:
            more = max(met + 1, room * 5 // 4) - room
            self._counts = np.pad(self._counts, ((0, 0), (0, more)))

    def table(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the ids that were met, and how often in each part, ``int64[parts, ids]``."""
        ids = np.flatnonzero(self._places)
        return ids, self._counts[:, self._places[ids]].astype(np.int64)


class Places:
    """In which parts of a text each word occurs."""

    def __init__(self) -> None:
        self._keys = np.zeros(0, dtype=np.int64)
        self._new: list[NDArray[np.int64]] = []

    def add(self, words: Ids, parts: NDArray[np.int64]) -> None:
        """Take note of words, given in which part each is; -1 is none."""
        chosen = words >= 0
        self._new.append(_distinct(words[chosen] * PARTS + parts[chosen]))
        if sum(map(len, self._new)) > self._keys.size:
            self._merge()

    def _merge(self) -> None:
        self._keys = _distinct(np.concatenate([self._keys, *self._new]))
        self._new = []

    def table(self) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """Return the words that were met, and the parts each is in, a bit for each."""
        self._merge()
        words, starts = np.unique(self._keys // PARTS, return_index=True)
        bits = np.left_shift(1, self._keys % PARTS).astype(np.uint16)
        return words, np.bitwise_or.reduceat(bits, starts) if words.size else bits


class Tally:
    """Counts of documents.

    Up to `BLOCKS` documents have a row of their own; later ones are dealt out in turn to the
    same rows, so that what is drawn anew for intervals are documents, or sets of documents
    that are all alike.

    Args:
        sizes: How many ids each tokenizer has.
        width: How many columns the rows have.

    Attributes:
        documents: How many there are.
        sums: What they have of each column; a row is a document, or a set.
        tokens: How often each id occurs in each part, by tokenizer.
        words: In which parts each word occurs.
    """

    def __init__(self, sizes: Mapping[str, int], width: int) -> None:
        self.documents = 0
        self.sums: Rows = np.zeros((0, width))
        self.tokens = {name: Occurrences(size) for name, size in sizes.items()}
        self.words = Places()

    def add(
        self,
        rows: Rows,
        tokens: Mapping[str, tuple[Ids, Offsets]],
        words: tuple[Ids, Offsets],
    ) -> None:
        """Add documents.

        Args:
            rows: What each has of each column.
            tokens: Their ids end to end, and where those of each end, by tokenizer.
            words: The indices of their words, -1 for none, and where those of each end.
        """
        parts = (self.documents + np.arange(len(rows))) % PARTS
        for name, (ids, ends) in tokens.items():
            self.tokens[name].add(ids, np.repeat(parts, np.diff(ends, prepend=0)))
        indices, ends = words
        self.words.add(indices, np.repeat(parts, np.diff(ends, prepend=0)))
        self._add_rows(rows)

    def _add_rows(self, rows: Rows) -> None:
        if len(self.sums) < BLOCKS:
            room = BLOCKS - len(self.sums)
            self.sums = np.concatenate([self.sums, rows[:room]])
            self.documents += len(rows[:room])
            rows = rows[room:]
        while len(rows):
            place = self.documents % BLOCKS
            part, rows = rows[: BLOCKS - place], rows[BLOCKS - place :]
            self.sums[place : place + len(part)] += part
            self.documents += len(part)


def pick(values: Ids, ends: Offsets, numbers: Sequence[int]) -> tuple[Ids, Offsets]:
    """Return the values of some documents end to end, and where those of each end."""
    if len(numbers) == len(ends):
        return values, ends
    places = np.asarray(numbers, dtype=np.int64)
    until, starts = ends[places], np.append(0, ends)[places]
    spans = zip(starts.tolist(), until.tolist(), strict=True)
    chosen = [np.zeros(0, dtype=np.int32), *(values[a:b] for a, b in spans)]
    return np.concatenate(chosen), np.cumsum(until - starts)


def _distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return distinct values from 0 in order; `numpy.unique` takes several times as long."""
    ordered = np.sort(values)
    found: NDArray[np.int64] = ordered[np.diff(ordered, prepend=-1) > 0]
    return found
