"""How a text uses the tokens of a vocabulary, and how sure that is."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.efficiency import (
    DENOMINATORS,
    efficiencies,
    percentile_frequency,
    renyi_entropy,
)
from tokkit.stats import Interval, student_mean

Counts = NDArray[np.int64]
_SIZES: Mapping[str, str] = {
    "tokens": "tokens of the text",
    "token_types": "distinct tokens of the text",
    "vocabulary_utilisation": "distinct tokens of the text / ids of the vocabulary",
    "type_token_ratio": "distinct tokens / tokens of the text",
    "longest_token_bytes": "bytes of the longest token of the text",
}
"""What depends on how long a text is, so that there is no interval of it."""


class Use:
    """Measures of how often each token occurs.

    Args:
        counts: How often each id occurs in each part of a text, ``int64[parts, ids]``.
        lengths: The bytes of each token.
        alphas: The orders of Rényi's entropies; 1: Shannon's.
        documents: How many there are: no more parts have any.

    Attributes:
        values: Each measure.
        tokens: How many tokens the text has.
    """

    def __init__(
        self, counts: Counts, lengths: Counts, alphas: Sequence[float], documents: int
    ) -> None:
        whole = counts.sum(axis=0)
        self.tokens = int(whole.sum())
        shapes = _shapes(whole, lengths, alphas)
        self.values = _sizes(whole, lengths) | shapes
        parts = counts[:documents]
        without = [_shapes(whole - p, lengths, alphas) for p in parts if len(parts) > 1]
        self._without = {
            name: np.array([each[name] for each in without], dtype=np.float64)
            for name in shapes
        }

    def interval(self, name: str, less: "Use | None" = None) -> Interval:
        """Return a measure with its interval by leaving out a part at a time.

        This is the jackknife of groups (Tukey, 1958), with Student's quantile.

        Args:
            name: The measure.
            less: Another tokenizer on the same parts, whose measure is subtracted.
        """
        value = self.values[name] - (less.values[name] if less else 0)
        without = self._without.get(name, np.zeros(0))
        if less:
            without = without - less._without.get(name, np.zeros(0))
        if without.size < 2 or not np.isfinite(without).all():
            return Interval(value, math.nan, math.nan)
        pseudo = without.size * value - (without.size - 1) * without
        _, low, high = student_mean(pseudo)
        return Interval(value, value - (high - low) / 2, value + (high - low) / 2)


def definitions(alphas: Sequence[float]) -> dict[str, str]:
    """Say what each measure of `Use` is."""
    found = {
        **_SIZES,
        "mean_token_bytes": "bytes of tokens / tokens",
        "percentile_frequency": "share of the text that token types of the frequency ranks "
        "[floor(.03 n), floor(.83 n)) make up, of n types",
    }
    for alpha in alphas:
        said = "Shannon entropy" if alpha == 1 else f"Rényi entropy of order {alpha:g}"
        found[f"{_name(alpha)}_entropy"] = f"{said} of tokens, bits"
        for denominator, below in DENOMINATORS.items():
            name = f"{_name(alpha)}_efficiency_{denominator}"
            found[name] = f"{said} of tokens / {below}"
    return found


def _sizes(counts: Counts, lengths: Counts) -> dict[str, float]:
    tokens, types = int(counts.sum()), int((counts > 0).sum())
    return {
        "tokens": tokens,
        "token_types": types,
        "vocabulary_utilisation": types / counts.size,
        "type_token_ratio": types / tokens if tokens else math.nan,
        "longest_token_bytes": int(lengths[counts > 0].max()) if tokens else math.nan,
    }


def _shapes(counts: Counts, lengths: Counts, alphas: Sequence[float]) -> dict[str, float]:
    tokens = int(counts.sum())
    found = {
        "mean_token_bytes": float(counts @ lengths) / tokens if tokens else math.nan,
        "percentile_frequency": percentile_frequency(counts),
    }
    for alpha in alphas:
        entropy = renyi_entropy(counts, alpha)
        found[f"{_name(alpha)}_entropy"] = entropy
        for denominator, value in efficiencies(counts, entropy, counts.size).items():
            found[f"{_name(alpha)}_efficiency_{denominator}"] = value
    return found


def _name(alpha: float) -> str:
    return "shannon" if alpha == 1 else f"renyi_{alpha:g}"
