"""Two tokenizers side by side: vocabularies, cuts, and what a text costs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.agreement import Agreement, Difference, multiset_jaccard
from tokkit.analysis.boundaries import Boundaries
from tokkit.analysis.overlap import Overlap, overlap
from tokkit.errors import CorpusError
from tokkit.stats import Interval, ratio_interval
from tokkit.tokenizer import Tokenizer
from tokkit.visible import spell_bytes

if TYPE_CHECKING:
    import pandas as pd

BATCH = 256
_SHOWN = 8
_FIGURES = (
    "exact_match",
    "boundary_precision",
    "boundary_recall",
    "boundary_f1_micro",
    "boundary_f1_macro",
    "token_f1",
    "token_multiset_jaccard",
)


@dataclass(frozen=True)
class Comparison:
    """What two tokenizers have in common.

    Attributes:
        names: What they are called.
        vocab: Their vocabularies.
        agreement: Their cuts of the texts.
        jaccard: Of the bags of tokens the texts become, as bytes.
        cost: Tokens of the second by tokens of the first, a ratio of sums, with its interval
            over documents; each document keeps both counts together.
    """

    names: tuple[str, str]
    vocab: Overlap
    agreement: Agreement
    jaccard: float
    cost: Interval

    @property
    def totals(self) -> tuple[int, int, int]:
        """Bytes of all documents, and tokens of the first and of the second."""
        n_bytes, first, second = map(sum, zip(*self.agreement.lengths, strict=True))
        return n_bytes, first, second

    @property
    def frames(self) -> "dict[str, pd.DataFrame]":
        """The tables by name: ``measures`` and ``differences``."""
        return {"measures": self.measures(), "differences": self.differences()}

    def measures(self) -> "pd.DataFrame":
        """Return one row per figure: ``metric``, ``value``, ``low``, ``high`` if there are."""
        import pandas as pd

        found, vocab = self.as_json(0), self.vocab
        values = {
            "vocabulary_shared": vocab.shared,
            "vocabulary_jaccard": vocab.jaccard,
            "vocabulary_coverage_first": vocab.coverage[0],
            "vocabulary_coverage_second": vocab.coverage[1],
            **{name: found[name] for name in _FIGURES},
        }
        rows = [{"metric": name, "value": value} for name, value in values.items()]
        ratio = {"metric": "token_ratio", **self.cost._asdict()}
        return pd.DataFrame([*rows, ratio], columns=["metric", "value", "low", "high"])

    def differences(self, count: int = 1000) -> "pd.DataFrame":
        """Return where the cuts differ most often, one row per way.

        Columns: ``text`` (as people read it), ``hex``, ``first`` and ``second`` (the tokens),
        ``count``, and ``tokens_more``: how many tokens more the second makes of all of them.
        """
        import pandas as pd

        columns = ["text", "hex", "first", "second", "count", "tokens_more"]
        rows = (_row(*each) for each in self.agreement.most_frequent(count))
        return pd.DataFrame(rows, columns=columns)

    def as_json(self, count: int = 50) -> dict[str, Any]:
        """Everything, as JSON, with so many of the differences."""
        counted, found = self.agreement, self.agreement.boundaries
        n_bytes, first, second = self.totals
        return {
            "tokenizers": list(self.names),
            "vocabulary": self.vocab.as_json(),
            "documents": len(counted.lengths),
            "bytes": n_bytes,
            "tokens": [first, second],
            "compared_documents": counted.documents,
            "identical_documents": counted.identical,
            "exact_match": counted.identical / counted.documents if counted.documents else None,
            "boundaries": dict(zip(("first", "second", "both"), found.tolist(), strict=True)),
            "boundary_precision": _share(found[2], found[1]),
            "boundary_recall": _share(found[2], found[0]),
            "boundary_f1_micro": counted.f1(found),
            "boundary_f1_macro": _share(counted.f1_sum, counted.documents),
            "token_f1": counted.f1(counted.tokens),
            "token_multiset_jaccard": self.jaccard,
            "token_ratio": self.cost._asdict(),
            "most_frequent_differences": [_row(*each) for each in counted.most_frequent(count)],
            "most_costly_differences": [_row(*each) for each in counted.most_costly(count)],
        }

    def __rich__(self) -> Any:
        from rich.console import Group

        from tokkit.analysis.showing import comparison_parts

        return Group(*comparison_parts(self, _SHOWN))


def compare(
    first: Tokenizer,
    second: Tokenizer,
    documents: Iterable[bytes],
    *,
    names: tuple[str, str] = ("first", "second"),
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Compare two tokenizers on texts.

    Args:
        first: One of them.
        second: The other.
        documents: The texts.
        names: What the two are called.
        seed: Of the interval's draws.
        progress: Told ``("comparing", bytes so far, 0)``.

    Raises:
        CorpusError: If the documents have no text.
    """
    tokenizers = Boundaries(first), Boundaries(second)
    agreement = Agreement()
    counts = [np.zeros(len(each), dtype=np.int64) for each in (first, second)]
    rest, done = iter(documents), 0
    while batch := list(islice(rest, BATCH)):
        cuts = [each.of_batch(batch) for each in tokenizers]
        for document, one, other in zip(batch, *cuts, strict=True):
            agreement.add(document, one, other)
        for total, cut in zip(counts, cuts, strict=True):
            total += np.bincount(np.concatenate([ids for ids, _ in cut]), minlength=total.size)
        done += sum(map(len, batch))
        if progress:
            progress("comparing", done, 0)
    if not any(length for length, _, _ in agreement.lengths):
        raise CorpusError("the documents have no text: there is nothing to compare")
    bags = [_bag(each, count) for each, count in zip((first, second), counts, strict=True)]
    # Documents without text would only make draws in which there is nothing to divide by.
    tokens = np.array([each for each in agreement.lengths if each[0]])
    cost = ratio_interval(tokens[:, 2], tokens[:, 1], seed=seed)
    return Comparison(names, overlap(first, second), agreement, multiset_jaccard(*bags), cost)


def _bag(tokenizer: Tokenizer, counts: NDArray[np.int64]) -> list[tuple[bytes, int]]:
    """Return the tokens that were met and how often; ids with the same bytes are one."""
    found: dict[bytes, int] = {}
    for token_id in np.flatnonzero(counts).tolist():
        token = tokenizer.vocab.tokens[token_id]
        found[token] = found.get(token, 0) + int(counts[token_id])
    return list(found.items())


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _row(difference: Difference, seen: int) -> dict[str, Any]:
    """Describe one way of differing."""
    first, second = difference.pieces()
    return {
        "text": spell_bytes(difference.text),
        "hex": difference.text.hex(),
        "first": join_pieces(first),
        "second": join_pieces(second),
        "count": seen,
        "tokens_more": seen * (len(second) - len(first)),
    }


def join_pieces(pieces: Sequence[bytes]) -> str:
    """Show tokens next to each other: ``"123│45"``."""
    return "│".join(map(spell_bytes, pieces))
