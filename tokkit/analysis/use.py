"""How a text uses the tokens of a vocabulary, and how sure that is."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.efficiency import DENOMINATORS, Spectrum
from tokkit.analysis.jackknife import Jackknifed

Counts = NDArray[np.int64]
_SIZES: Mapping[str, str] = {
    "tokens": "tokens of the text",
    "token_types": "distinct tokens of the text",
    "vocabulary_utilisation": "distinct tokens of the text / ids of the vocabulary",
    "type_token_ratio": "distinct tokens / tokens of the text",
    "longest_token_bytes": "bytes of the longest token of the text",
}
_GIVEN = ("tokens", "longest_token_bytes")
"""What just is so of a text: no interval says how far an extreme, or an amount, would move."""

_SHARES = ("vocabulary_utilisation", "type_token_ratio", "percentile_frequency")


class Use(Jackknifed):
    """Measures of how often each token occurs.

    Args:
        counts: How often each id occurs in each part of a text, ``int64[parts, ids]``; ids
            that do not occur may be left out.
        lengths: The bytes of each token, ``int64[ids]``.
        vocab: How many ids the vocabulary has.
        alphas: The orders of Rényi's entropies; 1: Shannon's.
        documents: How many there are: no more parts have any.

    Attributes:
        tokens: How many tokens the text has.
    """

    def __init__(
        self,
        counts: Counts,
        lengths: Counts,
        vocab: int,
        alphas: Sequence[float],
        documents: int,
    ) -> None:
        whole = counts.sum(axis=0)
        parts = counts[:documents] if min(documents, len(counts)) > 1 else counts[:0]
        without = [_measures(whole - part, lengths, vocab, alphas) for part in parts]
        for each in without:
            for name in _GIVEN:
                del each[name]
        values = _measures(whole, lengths, vocab, alphas)
        shares = [name for name in values if name in _SHARES or "_efficiency_" in name]
        super().__init__(values, without, shares)
        self.tokens = int(whole.sum())


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


def _measures(
    counts: Counts, lengths: Counts, vocab: int, alphas: Sequence[float]
) -> dict[str, float]:
    spectrum = Spectrum(counts)
    tokens, types = spectrum.tokens, spectrum.types
    found: dict[str, float] = {
        "tokens": tokens,
        "token_types": types,
        "vocabulary_utilisation": types / vocab,
        "type_token_ratio": types / tokens if tokens else math.nan,
        "longest_token_bytes": int(lengths[counts > 0].max()) if tokens else math.nan,
        "mean_token_bytes": float(counts @ lengths) / tokens if tokens else math.nan,
        "percentile_frequency": spectrum.percentile_frequency(),
    }
    for alpha in alphas:
        entropy = spectrum.entropy(alpha)
        found[f"{_name(alpha)}_entropy"] = entropy
        for denominator, value in spectrum.efficiencies(entropy, vocab).items():
            found[f"{_name(alpha)}_efficiency_{denominator}"] = value
    return found


def _name(alpha: float) -> str:
    return "shannon" if alpha == 1 else f"renyi_{alpha:g}"
