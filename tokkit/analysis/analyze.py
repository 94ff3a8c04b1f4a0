"""What tokenizers make of a text: compression, words, and how they use their vocabularies."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.counting import ALL, BLOCKS, Counting, Group, Label
from tokkit.analysis.efficiency import (
    DENOMINATORS,
    efficiencies,
    percentile_frequency,
    renyi_entropy,
)
from tokkit.analysis.labelled import Labelled
from tokkit.analysis.measures import (
    ALONE,
    NSL,
    NSL_DEFINITION,
    RATIOS,
    SPACED,
    TOKENS,
    TYPES,
    Ratio,
)
from tokkit.errors import CorpusError, UsageError
from tokkit.progress import Progress, silent
from tokkit.stats import Interval, resampled_sums, sample_interval
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas as pd

ALPHAS = (1.0, 2.0, 2.5, 3.0)
_DRAWS = 2000
Row = dict[str, Any]


@dataclass(frozen=True)
class Analysis:
    """What tokenizers make of a text.

    Attributes:
        names: What the tokenizers are called.
        base: The one whose tokens the others' are divided by.
        documents: How many documents there are.
        size: Their bytes.
        words: How many distinct words were kept, and how many occurrences came too late.
        results: One row per tokenizer, group and measure: ``tokenizer``, ``group_by``,
            ``group``, ``metric``, ``definition``, ``value``, ``low``, ``high`` (of 95 %,
            documents drawn anew; empty where there is no such interval), and ``n``, what
            stands below the line.
        differences: One row per pair of tokenizers, group and measure: ``first``, ``second``,
            ``group_by``, ``group``, ``metric``, ``difference`` (second minus first, on the
            same documents), ``low``, ``high``.
        token_lengths: One row per tokenizer and length: ``tokenizer``, ``bytes``, ``tokens``
            and ``share`` of the text, ``token_types`` of the text, ``vocabulary``: how many
            tokens of the vocabulary are so long.
    """

    names: Sequence[str]
    base: str
    documents: int
    size: int
    words: tuple[int, int]
    results: "pd.DataFrame"
    differences: "pd.DataFrame"
    token_lengths: "pd.DataFrame"

    @property
    def frames(self) -> "dict[str, pd.DataFrame]":
        """The tables by name."""
        return {
            "results": self.results,
            "differences": self.differences,
            "token_lengths": self.token_lengths,
        }

    def summary(self) -> Row:
        """What was measured, without the tables."""
        return {
            "tokenizers": list(self.names),
            "base": self.base,
            "documents": self.documents,
            "bytes": self.size,
            "distinct_words": self.words[0],
            "words_left_out": self.words[1],
            "drawn_anew": "documents" if self.documents <= BLOCKS else f"{BLOCKS} sets of them",
        }

    def as_json(self) -> Row:
        """Everything, as JSON."""
        return self.summary() | {
            "results": _records(self.results),
            "differences": _records(self.differences),
            "token_lengths": _records(self.token_lengths),
        }

    def __rich__(self) -> Any:
        from rich.console import Group as Parts

        from tokkit.analysis.analyze_showing import analysis_parts

        return Parts(*analysis_parts(self))


def analyze(
    tokenizers: Mapping[str, Tokenizer],
    documents: Iterable[Labelled],
    *,
    fields: Sequence[str] = (),
    base: str | None = None,
    alphas: Sequence[float] = ALPHAS,
    seed: int = 0,
    progress: Progress = silent,
) -> Analysis:
    """Measure what tokenizers make of a text, in one pass and bounded memory.

    Args:
        tokenizers: By name.
        documents: The texts with their groups.
        fields: What the groups of each document are of.
        base: Whose tokens the others' are divided by; None: the first one's.
        alphas: The orders of Rényi's entropies; 1: Shannon's.
        seed: Of the intervals' draws.
        progress: Told ``("counting", bytes so far, 0)``.

    Raises:
        CorpusError: If the documents have no text.
        UsageError: If `base` is no tokenizer, or there are too many groups.
    """
    import pandas as pd

    base = next(iter(tokenizers)) if base is None else base
    if base not in tokenizers:
        raise UsageError(f"the base {base!r} is no tokenizer here: {', '.join(tokenizers)}")
    counting = Counting(tokenizers, fields)
    counting.add_all(documents, progress)
    whole = counting.groups[ALL]
    if not whole.documents or not whole.sums[:, counting.columns["", "bytes"]].any():
        raise CorpusError("the documents have no text: there is nothing to analyze")
    results: list[Row] = []
    differences: list[Row] = []
    for label, group in counting.groups.items():
        found = _Measured(label, group, counting, base, seed)
        for name in tokenizers:
            results += found.rows(name, alphas)
        for pair in combinations(tokenizers, 2):
            differences += found.differences(*pair)
    lengths = [row for name in tokenizers for row in _lengths(name, counting)]
    return Analysis(
        tuple(tokenizers),
        base,
        whole.documents,
        int(whole.sums[:, counting.columns["", "bytes"]].sum()),
        (len(counting.words), counting.missed),
        pd.DataFrame(results),
        pd.DataFrame(differences, columns=_DIFFERENCE),
        pd.DataFrame(lengths),
    )


_DIFFERENCE = ["first", "second", "group_by", "group", "metric", "difference", "low", "high"]


class _Measured:
    """The measures of one group."""

    def __init__(
        self, label: Label, group: Group, counting: Counting, base: str, seed: int
    ) -> None:
        self._label = {"group_by": label[0], "group": label[1]}
        self._group = group
        self._counting = counting
        self._base = base
        self._totals = group.sums.sum(axis=0)
        self._draws = resampled_sums(group.sums, draws=_DRAWS, seed=seed)

    def rows(self, name: str, alphas: Sequence[float]) -> Iterator[Row]:
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
        yield from (start | row for row in _of_counts(self._group.tokens[name], alphas))
        lengths = self._counting.token_bytes[name]
        yield from (start | row for row in _of_lengths(self._group.tokens[name], lengths))

    def differences(self, first: str, second: str) -> Iterator[Row]:
        """Yield by how much each measure of the second is larger."""
        for ratio in RATIOS:
            (one, ones), (other, others) = (self._ratio(n, ratio) for n in (first, second))
            yield {
                "first": first,
                "second": second,
                **self._label,
                "metric": ratio.name,
                **_with_interval("difference", self._interval(other - one, others - ones)),
            }

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

    def _types(self, name: str) -> Iterator[Row]:
        """Yield the measures of distinct words."""
        own = self._group.words
        for form, label in (("alone", ALONE), ("spaced", SPACED)):
            tokens = self._counting.words.column(name, form)[: own.size][own]
            values = {
                "type_fertility": tokens.mean() if tokens.size else np.nan,
                "strr": (tokens == 1).mean() if tokens.size else np.nan,
            }
            for metric, value in values.items():
                definition = TYPES[metric].format(label)
                yield _row(f"{metric}_{form}", definition, _only(value), tokens.size)


def _of_counts(counts: NDArray[np.int64], alphas: Sequence[float]) -> Iterator[Row]:
    """Yield the measures of how often tokens occur."""
    tokens, types = int(counts.sum()), int((counts > 0).sum())
    values = {
        "tokens": (tokens, 1),
        "token_types": (types, 1),
        "vocabulary_utilisation": (types / counts.size, counts.size),
        "type_token_ratio": (types / tokens if tokens else np.nan, tokens),
        "percentile_frequency": (percentile_frequency(counts), tokens),
    }
    for metric, (value, n) in values.items():
        yield _row(metric, TOKENS[metric], _only(value), n)
    for alpha in alphas:
        name = "shannon" if alpha == 1 else f"renyi_{alpha:g}"
        said = "Shannon entropy" if alpha == 1 else f"Rényi entropy of order {alpha:g}"
        entropy = renyi_entropy(counts, alpha)
        yield _row(f"{name}_entropy", f"{said} of tokens, bits", _only(entropy), tokens)
        for denominator, value in efficiencies(counts, alpha, counts.size).items():
            definition = f"{said} of tokens / {DENOMINATORS[denominator]}"
            yield _row(f"{name}_efficiency_{denominator}", definition, _only(value), tokens)


def _of_lengths(counts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Iterator[Row]:
    """Yield the measures of how long tokens are."""
    tokens = int(counts.sum())
    mean = float(counts @ lengths) / tokens if tokens else np.nan
    longest = int(lengths[counts > 0].max()) if tokens else np.nan
    yield _row("mean_token_bytes", TOKENS["mean_token_bytes"], _only(mean), tokens)
    yield _row("longest_token_bytes", TOKENS["longest_token_bytes"], _only(longest), tokens)


def _lengths(name: str, counting: Counting) -> Iterator[Row]:
    """Yield how many tokens are how long."""
    counts, lengths = counting.groups[ALL].tokens[name], counting.token_bytes[name]
    occurrences = np.bincount(lengths, weights=counts)
    met, in_vocab = np.bincount(lengths, weights=counts > 0), np.bincount(lengths)
    for length in np.flatnonzero(in_vocab).tolist():
        yield {
            "tokenizer": name,
            "bytes": length,
            "tokens": int(occurrences[length]),
            "share": occurrences[length] / max(counts.sum(), 1),
            "token_types": int(met[length]),
            "vocabulary": int(in_vocab[length]),
        }


def _only(value: float) -> Interval:
    return Interval(float(value), float("nan"), float("nan"))


def _row(metric: str, definition: str, found: Interval, n: float) -> Row:
    return {
        "metric": metric,
        "definition": definition,
        **_with_interval("value", found),
        "n": int(n),
    }


def _with_interval(name: str, found: Interval) -> Row:
    return {name: found.value, "low": found.low, "high": found.high}


def _records(frame: "pd.DataFrame") -> list[Row]:
    rows: list[Row] = json.loads(frame.to_json(orient="records", double_precision=15))
    return rows
