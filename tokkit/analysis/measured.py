"""The measures of one group of documents, with their intervals."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis import word_types
from tokkit.analysis.counting import Counting, Label
from tokkit.analysis.measures import FORMS, NSL, NSL_DEFINITION, RATIOS, Ratio
from tokkit.analysis.tally import Tally
from tokkit.analysis.use import Use, definitions
from tokkit.analysis.word_types import WordTypes
from tokkit.stats import Interval, resampled_sums, sample_interval

_DRAWS = 2000
Row = dict[str, Any]


class Measured:
    """The measures of one group.

    Args:
        label: Which group.
        group: What was counted of it.
        counting: What was counted of all.
        base: The tokenizer that others are divided by.
        alphas: The orders of Rényi's entropies.
        seed: Of the draws.
    """

    def __init__(
        self,
        label: Label,
        group: Tally,
        counting: Counting,
        base: str,
        alphas: Sequence[float],
        seed: int,
    ) -> None:
        self._label = {"group_by": label[0], "group": label[1]}
        self._group = group
        self._counting = counting
        self._base = base
        self._totals = group.sums.sum(axis=0)
        self._definitions = definitions(alphas)
        self._uses = {name: self._use_of(name, alphas) for name in group.tokens}
        self._words = group.words.table()
        self._word_types = {name: self._types_of(name) for name in group.tokens}
        self._draws = resampled_sums(group.sums, draws=_DRAWS, seed=seed)

    def _use_of(self, name: str, alphas: Sequence[float]) -> Use:
        ids, counts = self._group.tokens[name].table()
        lengths = self._counting.token_bytes[name]
        return Use(counts, lengths[ids], lengths.size, alphas, self._group.documents)

    def _types_of(self, name: str) -> WordTypes:
        words, parts = self._words
        tokens = {form: self._counting.words.column(name, form)[words] for form in FORMS}
        return WordTypes(tokens, parts, self._group.documents)

    def rows(self, name: str) -> Iterator[Row]:
        """Yield the rows of a tokenizer."""
        start = {"tokenizer": name, **self._label}
        for ratio in RATIOS:
            value, samples = self._ratio(name, ratio)
            n = self._totals[self._place(name, ratio.below)]
            yield start | _row(ratio.name, ratio.definition, self._interval(value, samples), n)
        value, samples = self._nsl(name)
        n = self._totals[self._counting.columns[self._base, "tokens"]]
        nsl = self._interval(value, samples)
        yield start | _row(NSL, NSL_DEFINITION.format(self._base), nsl, n)
        yield from (start | row for row in self._types(name))
        yield from (start | row for row in self._use(name))

    def differences(self, first: str, second: str) -> Iterator[Row]:
        """Yield by how much each measure of the second is larger."""
        start = {"first": first, "second": second, **self._label}
        for ratio in RATIOS:
            (one, ones), (other, others) = (self._ratio(n, ratio) for n in (first, second))
            found = self._interval(other - one, others - ones)
            yield start | {"metric": ratio.name, **_with_interval("difference", found)}
        (one, ones), (other, others) = (self._nsl(name) for name in (first, second))
        found = self._interval(other - one, others - ones)
        yield start | {"metric": NSL, **_with_interval("difference", found)}
        for measures, metrics in (
            (self._word_types, word_types.definitions()),
            (self._uses, self._definitions),
        ):
            for metric in metrics:
                found = measures[second].interval(metric, measures[first])
                yield start | {"metric": metric, **_with_interval("difference", found)}

    def _place(self, name: str, column: str) -> int:
        found = self._counting.columns
        return found.get(("", column), found.get((name, column), -1))

    def _ratio(self, name: str, ratio: Ratio) -> tuple[float, NDArray[np.float64]]:
        """Return a ratio of all documents, and of each draw."""
        return self._divide(self._place(name, ratio.above), self._place(name, ratio.below))

    def _nsl(self, name: str) -> tuple[float, NDArray[np.float64]]:
        found = self._counting.columns
        return self._divide(found[name, "tokens"], found[self._base, "tokens"])

    def _divide(self, above: int, below: int) -> tuple[float, NDArray[np.float64]]:
        with np.errstate(invalid="ignore", divide="ignore"):
            value = float(self._totals[above] / self._totals[below])
            samples: NDArray[np.float64] = self._draws[:, above] / self._draws[:, below]
        samples[~np.isfinite(samples)] = np.nan
        return (value if np.isfinite(value) else float("nan")), samples

    def _interval(self, value: float, samples: NDArray[np.float64]) -> Interval:
        return sample_interval(value, samples, len(self._group.sums))

    def _use(self, name: str) -> Iterator[Row]:
        """Yield the measures of how often tokens occur."""
        use = self._uses[name]
        for metric, definition in self._definitions.items():
            utilisation = metric == "vocabulary_utilisation"
            n = len(self._counting.token_bytes[name]) if utilisation else use.tokens
            yield _row(metric, definition, use.interval(metric), n)

    def _types(self, name: str) -> Iterator[Row]:
        """Yield the measures of distinct words."""
        types = self._word_types[name]
        for metric, definition in word_types.definitions().items():
            yield _row(metric, definition, types.interval(metric), types.words)


def _row(metric: str, definition: str, found: Interval, n: float) -> Row:
    return {
        "metric": metric,
        "definition": definition,
        **_with_interval("value", found),
        "n": int(n),
    }


def _with_interval(name: str, found: Interval) -> Row:
    return {name: found.value, "low": found.low, "high": found.high}
