"""Documents drawn anew, and how far premiums and inequalities move with them."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.inequality import gini
from tokkit.analysis.parity_counts import Counts, Sizes
from tokkit.stats import Interval, resampled_sums, sample_interval

_DRAWS = 2000

Samples = NDArray[np.float64]
"""A value per draw and language, ``float64[draws, languages]``."""


class Draws:
    """Documents drawn anew, the same ones for all tokenizers and languages.

    Args:
        sizes: How long the documents are.
        counts: Their tokens, by tokenizer.
        pivot: The language that others are compared with.
        seed: Of the draws.
    """

    def __init__(
        self, sizes: Sizes, counts: Mapping[str, Counts], pivot: str, seed: int
    ) -> None:
        self._sizes = sizes
        self._counts = counts
        self._pivot = list(sizes.languages).index(pivot)
        self._seed = seed

    @cached_property
    def _tables(self) -> dict[str, Samples]:
        """What the draws add up to, by tokenizer: tokens; ``""``: bytes."""
        tables = {"": self._sizes.bytes, **{n: c.tokens for n, c in self._counts.items()}}
        return self._split(list(tables), np.concatenate(list(tables.values()), axis=1))

    @cached_property
    def _ratios(self) -> dict[str, Samples]:
        """The same of the ratios of each document."""
        names = list(self._counts)
        return self._split(names, np.concatenate([self.ratios(n) for n in names], axis=1))

    def _split(self, names: list[str], table: NDArray[np.generic]) -> dict[str, Samples]:
        sums = resampled_sums(table, draws=_DRAWS, seed=self._seed)
        return dict(zip(names, np.split(sums, len(names), axis=1), strict=True))

    def ratios(self, name: str) -> NDArray[np.float64]:
        """Return the premium of each document, ``float64[documents, languages]``."""
        tokens = self._counts[name].tokens
        # A text of the pivot that leaves no token at all counts as one.
        found: NDArray[np.float64] = tokens / np.maximum(tokens[:, [self._pivot]], 1)
        return found

    def premiums(self, name: str) -> Samples:
        """Return the premiums, ratios of sums, of each draw."""
        tokens = self._tables[name]
        with np.errstate(divide="ignore", invalid="ignore"):  # draws without the pivot
            found: Samples = tokens / tokens[:, [self._pivot]]
        return found

    def ratio_of_sums(self, name: str) -> list[Interval]:
        """Return the premium of each language, a ratio of sums."""
        tokens = self._counts[name].tokens.sum(axis=0)
        return self._intervals(tokens / tokens[self._pivot], self.premiums(name))

    def mean_of_ratios(self, name: str) -> list[Interval]:
        """Return the mean of the premiums of documents, for each language."""
        samples = self._ratios[name] / self._sizes.documents
        return self._intervals(self.ratios(name).mean(axis=0), samples)

    def _intervals(self, values: NDArray[np.float64], samples: Samples) -> list[Interval]:
        pairs = zip(values.tolist(), samples.T, strict=True)
        return [self.interval(value, column) for value, column in pairs]

    def gini(self, name: str, per: str, used: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return Gini's coefficient of tokens per line or byte of each draw."""
        tokens = self._tables[name]
        amounts = tokens if per == "line" else tokens / self._tables[""]
        return gini(amounts[:, used])

    def interval(self, value: float, samples: NDArray[np.float64]) -> Interval:
        """Return a value with the interval that its draws span."""
        return sample_interval(value, samples, self._sizes.documents)
