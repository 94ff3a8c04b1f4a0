"""Which tokens of a unigram model come next: most of them are decided beforehand."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.longest import Trie
from tokkit.kernels._jit import frozen
from tokkit.kernels.lattice import Entries, Network, next_winners
from tokkit.kernels.overlap import judge, measure_margins
from tokkit.segment.unigram import Unigram
from tokkit.vocab import flatten


class Margins:
    """By how much each token is better than any other way to write the end of it.

    Attributes:
        network: The vocabulary and its scores, for kernels.

    Args:
        segmenter: What segments pieces.
        ids: The id of each spelling, in ascending order of the spellings.
        size: The number of ids in question.
    """

    def __init__(self, segmenter: Unigram, ids: Mapping[bytes, int], size: int) -> None:
        self._trie = Trie.of(ids)
        data, ends = flatten(list(ids))
        self._data, self._ends = frozen(data), frozen(ends)
        self.network = _network(segmenter, self._trie)
        values = self.network.values
        self._margins = np.empty(self._data.size, dtype=np.float32)
        self._least = np.empty(self._trie.labels.size, dtype=np.float32)
        measure_margins(self.network, self._data, self._ends, self._margins, self._least)
        own = self._margins[np.append(0, self._ends[:-1])] if values.size else self._margins
        self._size = size
        self._always = np.zeros(max(size, segmenter.scores.size), dtype=np.uint8)
        self._always[self._trie.ids] = own > 0
        self._closest = np.argsort(np.abs(own), kind="stable")
        self._differences = np.abs(own)[self._closest]
        highest = np.abs(np.append(values, segmenter.unk_score)).max()
        self._range = float(highest) * (self._trie.depth + 1)

    def winners(self, entries: Entries) -> NDArray[np.uint8]:
        """Return with which tokens the best path to their end ends, ``uint8[size]`` by id."""
        flags = self._always.copy()
        is_close = np.zeros(self._ends.size, dtype=np.uint8)
        tolerance = self._rounding(entries)
        count = np.searchsorted(self._differences, tolerance, side="right")
        is_close[self._closest[:count]] = 1
        ids = self._trie.ids
        judge(
            self.network,
            entries,
            self._trie.highs,
            self._ends,
            self._margins,
            self._least,
            ids,
            tolerance,
            flags,
            is_close,
        )
        chosen = np.flatnonzero(is_close)
        next_winners(self.network, entries, self._data, self._ends, ids, chosen, flags)
        return flags[: self._size]

    def _rounding(self, entries: Entries) -> float:
        """Bound how much rounding changes the difference of two sums that end with a token.

        Each of at most ``depth + 4`` additions is off by half a unit in the last place of the
        largest sum there can be; the margins themselves are rounded to 32 bits.
        """
        unit = 2.0**-24 if self.network.single else 2.0**-53
        largest = float(np.abs(entries.bases).max() + np.abs(entries.shifts).max())
        sums = 2.0 * (self._trie.depth + 4) * unit * (largest + self._range)
        return sums + 2.0**-22 * self._range


def _network(segmenter: Unigram, trie: Trie) -> Network:
    """Put a vocabulary and its scores together for kernels."""
    return Network(
        trie.children,
        trie.labels,
        trie.stops,
        trie.lows,
        np.array([trie.walk(bytes([byte])) for byte in range(256)], np.int32),
        segmenter.scores[trie.ids],
        segmenter.unk_score,
        segmenter.single_precision,
        trie.depth,
    )


def open_piece() -> Entries:
    """Return the entries before a piece."""
    return Entries(np.zeros(1, np.int32), np.zeros(1), np.zeros(1))
