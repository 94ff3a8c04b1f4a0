"""How evenly a text uses the tokens of a vocabulary.

Entropies are of the distribution of tokens, in bits. An efficiency divides by the most that is
possible, the logarithm of how many tokens there are, and three such numbers are in use: the
tokens that were observed (tokenization-scorer), the whole vocabulary (Zouhar et al.,
arXiv 2306.16842), and the smaller of the vocabulary and the text (TkTkT).
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

DENOMINATORS: Mapping[str, str] = {
    "observed": "log2 of the token types in the text",
    "vocabulary": "log2 of the vocabulary",
    "attainable": "log2 of the vocabulary or the tokens of the text, whichever are fewer",
}
"""What an efficiency divides by, by the name it carries in tables."""


_FEW = 1 << 10
"""Tokens that occur less often than that are counted by how often they do."""


class Spectrum:
    """How many tokens occur how often: all that entropies depend on, and soon computed.

    Args:
        counts: How often each token occurs, whole numbers; zeros are no tokens of the text.

    Attributes:
        tokens: How many tokens the text has.
        types: How many of them are distinct.
    """

    def __init__(self, counts: ArrayLike) -> None:
        given = np.asarray(counts, dtype=np.int64)
        given = given[given > 0]
        few = given < _FEW
        times = np.bincount(given[few], minlength=1)
        present, many = np.flatnonzero(times), np.sort(given[~few])
        self._counts = np.concatenate([present, many])
        self._times = np.concatenate([times[present], np.ones(many.size, dtype=np.int64)])
        self.tokens = int(self._counts @ self._times)
        self.types = int(self._times.sum())

    @property
    def _shares(self) -> NDArray[np.float64]:
        return self._counts / max(self.tokens, 1)

    def entropy(self, alpha: float) -> float:
        """Return Rényi's entropy, in bits; Shannon's where `alpha` is 1.

        Args:
            alpha: The order, zero or more.
        """
        if not self.types:
            return math.nan
        shares, times = self._shares, self._times
        if alpha == 1:
            return float(-(times * shares * np.log2(shares)).sum())
        # The largest share is taken out, so that high orders do not vanish.
        largest = float(shares[-1])
        total = math.log2(float((times * (shares / largest) ** alpha).sum()))
        return (total + alpha * math.log2(largest)) / (1 - alpha)

    def efficiencies(self, entropy: float, vocab: int) -> dict[str, float]:
        """Return the efficiency by each of `DENOMINATORS`; not a number below two outcomes.

        Args:
            entropy: The Shannon or Rényi entropy, in bits.
            vocab: How many tokens the vocabulary has.
        """
        outcomes = (self.types, vocab, min(vocab, self.tokens))
        return {
            name: entropy / math.log2(number) if number > 1 else math.nan
            for name, number in zip(DENOMINATORS, outcomes, strict=True)
        }

    def percentile_frequency(self, first: int = 3, last: int = 83) -> float:
        """Return the share of a text that its tokens of middle frequency make up.

        Of `n` token types, the most frequent first, those of ranks ``floor(n first / 100)`` to
        ``floor(n last / 100)``, excluded, counted from 0 (Gowda and May, arXiv 2004.02334; the
        percentiles are those of tokenization-scorer).

        Args:
            first: Where the middle begins, in percent.
            last: Where it ends.
        """
        if not self.types:
            return math.nan
        ranks = np.append(0, np.cumsum(self._times[::-1]))
        inside = np.clip(ranks, self.types * first // 100, self.types * last // 100)
        return float(np.diff(inside) @ self._shares[::-1])
