"""How alike two tokenizers cut the same text, and where they differ."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets

LONGEST = 64
"""Bytes of the longest stretch that is counted as a difference of its own."""
MOST = 1 << 19
"""Differences counted at once; beyond that the rarest are forgotten."""


class Difference(NamedTuple):
    """A stretch between two places where both cut, and not the same in between.

    Attributes:
        text: Its bytes.
        first: Where the first tokenizer cuts it, in bytes from its start; its end is one.
        second: Where the second does.
    """

    text: bytes
    first: tuple[int, ...]
    second: tuple[int, ...]

    def pieces(self) -> tuple[list[bytes], list[bytes]]:
        """Return the tokens of either."""
        first, second = (
            [self.text[start:end] for start, end in zip((0, *ends[:-1]), ends, strict=True)]
            for ends in (self.first, self.second)
        )
        return first, second


@dataclass
class Agreement:
    """Counts over documents that both tokenizers cut; `add` adds one.

    A boundary is a place inside a document where a token ends; its end is none. The F1 of
    boundaries is the same whichever tokenizer is called right; so is that of tokens, which are
    alike if they begin and end at the same places.

    Attributes:
        documents: How many were compared.
        skipped: How many were not, as one of the two rewrites them.
        identical: How many both cut at the same places.
        boundaries: How many there are by the first, by the second, and by both.
        tokens: The same of tokens.
        f1_sum: The boundary F1 of each document, added up; 1 where there is no boundary.
        lengths: Bytes, tokens of the first and of the second, for every document.
        differences: How often they differ in which way.
    """

    documents: int = 0
    skipped: int = 0
    identical: int = 0
    boundaries: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, dtype=np.int64))
    tokens: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, dtype=np.int64))
    f1_sum: float = 0.0
    lengths: list[tuple[int, int, int]] = field(default_factory=list)
    differences: Counter[Difference] = field(default_factory=Counter)

    def add(
        self,
        document: bytes,
        first: tuple[Ids, Offsets | None],
        second: tuple[Ids, Offsets | None],
    ) -> None:
        """Compare one more document, given ids and ends of its tokens by either."""
        self.lengths.append((len(document), len(first[0]), len(second[0])))
        if first[1] is None or second[1] is None:
            self.skipped += 1
            return
        # Tokens of no bytes, as of a space before the text, end where the one before does.
        one, other = np.unique(first[1]), np.unique(second[1])
        one, other = one[one > 0], other[other > 0]
        common = np.intersect1d(one, other, assume_unique=True)
        inner = np.array([max(ends.size - 1, 0) for ends in (one, other, common)])
        self.documents += 1
        self.identical += int(one.size == other.size == common.size)
        self.boundaries += inner
        self.f1_sum += 2 * inner[2] / (inner[0] + inner[1]) if inner[:2].any() else 1.0
        # How many tokens either has between two places where both cut.
        counts = np.diff(np.searchsorted(one, common, "right"), prepend=0)
        others = np.diff(np.searchsorted(other, common, "right"), prepend=0)
        alike = int(((counts == 1) & (others == 1)).sum())
        self.tokens += np.array([one.size, other.size, alike])
        self._count(document, one, other, common, np.flatnonzero((counts > 1) | (others > 1)))

    def _count(
        self,
        document: bytes,
        one: Offsets,
        other: Offsets,
        common: Offsets,
        places: NDArray[np.int64],
    ) -> None:
        """Count the stretches that end at the given places of `common` as differences."""
        ends = common[places]
        starts = np.where(places > 0, common[places - 1], 0)
        inside = [
            (np.searchsorted(cuts, starts, "right"), np.searchsorted(cuts, ends, "right"))
            for cuts in (one, other)
        ]
        for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            if end - start <= LONGEST:
                cuts = (
                    tuple((each[low[number] : high[number]] - start).tolist())
                    for each, (low, high) in zip((one, other), inside, strict=True)
                )
                self.differences[Difference(document[start:end], *cuts)] += 1
        if len(self.differences) > MOST:
            self.differences = Counter(dict(_ranked(self.differences)[: MOST // 2]))

    def f1(self, counts: NDArray[np.int64]) -> float:
        """Return the F1 of counts by the first, by the second and by both; 1 of nothing."""
        return float(2 * counts[2] / (counts[0] + counts[1])) if counts[:2].any() else 1.0

    def most_frequent(self, count: int) -> list[tuple[Difference, int]]:
        """Return the differences met most often; of equals the lower bytes."""
        return _ranked(self.differences)[:count]

    def most_costly(self, count: int) -> list[tuple[Difference, int]]:
        """Return the differences that make most tokens more or less in total."""
        costs = {
            each: seen * abs(len(each.second) - len(each.first))
            for each, seen in self.differences.items()
        }
        ranked = sorted(costs, key=lambda each: (-costs[each], each))
        return [(each, self.differences[each]) for each in ranked[:count] if costs[each]]


def _ranked(differences: Counter[Difference]) -> list[tuple[Difference, int]]:
    return sorted(differences.items(), key=lambda item: (-item[1], item[0]))


def multiset_jaccard(
    first: Iterable[tuple[bytes, int]], second: Iterable[tuple[bytes, int]]
) -> float:
    """Return how much two bags of tokens have in common, as a share of both together.

    Args:
        first: The tokens of one, and how often each was met.
        second: Those of the other.
    """
    one, other = Counter(dict(first)), Counter(dict(second))
    either = (one | other).total()
    return (one & other).total() / either if either else 1.0
