"""What tokenizers make of a text: compression, words, and how they use their vocabularies."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from tokkit.analysis.counting import ALL, Counting
from tokkit.analysis.labelled import Labelled
from tokkit.analysis.measured import Measured, Row
from tokkit.analysis.tally import BLOCKS, PARTS
from tokkit.errors import CorpusError, UsageError
from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas as pd

ALPHAS = (1.0, 2.0, 2.5, 3.0)


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
            ``group``, ``metric``, ``definition``, ``value``, ``low``, ``high`` (of 95 %; empty
            where there is no such interval), and ``n``, what stands below the line.
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

    @property
    def drawn(self) -> str:
        """What is drawn anew for intervals."""
        return "documents" if self.documents <= BLOCKS else f"{BLOCKS:,} sets of documents"

    def summary(self) -> Row:
        """What was measured, without the tables."""
        return {
            "tokenizers": list(self.names),
            "base": self.base,
            "documents": self.documents,
            "bytes": self.size,
            "distinct_words": self.words[0],
            "words_left_out": self.words[1],
            "intervals": {
                "level": 0.95,
                "ratios": f"{self.drawn} drawn anew, the same for all tokenizers",
                "others": f"the jackknife of {PARTS} parts of the documents",
            },
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
        UsageError: If `base` is no tokenizer, an order no number, a field there twice, or there
            are too many groups.
    """
    import pandas as pd

    base = next(iter(tokenizers)) if base is None else base
    if base not in tokenizers:
        raise UsageError(f"the base {base!r} is no tokenizer here: {', '.join(tokenizers)}")
    if not all(math.isfinite(alpha) and alpha >= 0 for alpha in alphas):
        raise UsageError("an order of Rényi's entropy is a number, zero or more")
    if ALL[0] in fields or len(set(fields)) < len(fields):
        raise UsageError(f"each field is grouped by once, and none is called {ALL[0]!r}")
    counting = Counting(tokenizers, fields)
    counting.add_all(documents, progress)
    whole = counting.groups[ALL]
    if not whole.documents or not whole.sums[:, counting.columns["", "bytes"]].any():
        raise CorpusError("the documents have no text: there is nothing to analyze")
    results: list[Row] = []
    differences: list[Row] = []
    for label, group in counting.groups.items():
        found = Measured(label, group, counting, base, alphas, seed)
        for name in tokenizers:
            results += found.rows(name)
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


def _lengths(name: str, counting: Counting) -> Iterator[Row]:
    """Yield how many tokens are how long."""
    ids, parts = counting.groups[ALL].tokens[name].table()
    counts, lengths = parts.sum(axis=0), counting.token_bytes[name]
    in_vocab = np.bincount(lengths)
    occurrences = np.bincount(lengths[ids], weights=counts, minlength=in_vocab.size)
    met = np.bincount(lengths[ids], minlength=in_vocab.size)
    for length in np.flatnonzero(in_vocab).tolist():
        yield {
            "tokenizer": name,
            "bytes": length,
            "tokens": int(occurrences[length]),
            "share": occurrences[length] / max(counts.sum(), 1),
            "token_types": int(met[length]),
            "vocabulary": int(in_vocab[length]),
        }


def _records(frame: "pd.DataFrame") -> list[Row]:
    rows: list[Row] = json.loads(frame.to_json(orient="records", double_precision=15))
    return rows
