"""What is counted of the documents of one group, in memory that does not grow with them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets

BLOCKS = 1024
"""Documents that are kept apart; later ones are dealt out in turn to as many sets."""
PARTS = 16
"""Parts of a text whose tokens are counted apart, for the intervals of entropies."""
Rows = NDArray[np.float64]


class Tally:
    """Counts of documents.

    Up to `BLOCKS` documents have a row of their own; later ones are dealt out in turn to the
    same rows, so that what is drawn anew for intervals are documents, or sets of documents
    that are all alike.

    Args:
        sizes: How many ids each tokenizer has.
        width: How many columns the rows have.
        parts: Into how many parts documents are dealt whose tokens are counted apart.

    Attributes:
        documents: How many there are.
        sums: What they have of each column; a row is a document, or a set.
        tokens: How often each id occurs in each part, ``int64[parts, ids]``, by tokenizer.
        words: Which of the words occur.
    """

    def __init__(self, sizes: Mapping[str, int], width: int, parts: int = 1) -> None:
        self.documents = 0
        self.sums: Rows = np.zeros((0, width))
        self.tokens = {name: np.zeros((parts, n), dtype=np.int64) for name, n in sizes.items()}
        self.words = np.zeros(0, dtype=np.bool_)

    def add(
        self, rows: Rows, tokens: Mapping[str, tuple[Ids, Offsets]], words: Ids, known: int
    ) -> None:
        """Add documents.

        Args:
            rows: What each has of each column.
            tokens: Their ids end to end, and where those of each end, by tokenizer.
            words: The index of each of their words, -1 for none.
            known: How many words there are in the table.
        """
        for name, (ids, ends) in tokens.items():
            parts = self.tokens[name]
            for place, counts in enumerate(parts):
                first = (place - self.documents) % len(parts)
                _count(counts, pick(ids, ends, range(first, len(rows), len(parts)))[0])
        self._add_rows(rows)
        if known > self.words.size:
            self.words = np.append(self.words, np.zeros(known - self.words.size, dtype=bool))
        self.words[words[words >= 0]] = True

    def counts(self, name: str) -> NDArray[np.int64]:
        """Return how often each id of a tokenizer occurs, ``int64[ids]``."""
        found: NDArray[np.int64] = self.tokens[name].sum(axis=0)
        return found

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


def _count(counts: NDArray[np.int64], ids: Ids) -> None:
    if ids.size < counts.size:
        np.add.at(counts, ids, 1)
    else:
        counts += np.bincount(ids, minlength=counts.size)
