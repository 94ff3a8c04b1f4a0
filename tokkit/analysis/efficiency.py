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


def renyi_entropy(counts: ArrayLike, alpha: float) -> float:
    """Return Rényi's entropy, in bits; Shannon's where `alpha` is 1.

    Args:
        counts: How often each token occurs; zeros are no tokens of the text.
        alpha: The order, zero or more.
    """
    shares = _shares(counts)
    if not shares.size:
        return math.nan
    if alpha == 1:
        return float(-(shares * np.log2(shares)).sum())
    # The largest share is taken out, so that high orders do not vanish.
    largest = float(shares.max())
    total = math.log2(float(((shares / largest) ** alpha).sum())) + alpha * math.log2(largest)
    return total / (1 - alpha)


def efficiencies(counts: ArrayLike, entropy: float, vocab: int) -> dict[str, float]:
    """Return the efficiency by each of `DENOMINATORS`; not a number below two outcomes.

    Args:
        counts: How often each token occurs.
        entropy: Their Shannon or Rényi entropy, in bits.
        vocab: How many tokens the vocabulary has.
    """
    given = np.asarray(counts)
    outcomes = (int((given > 0).sum()), vocab, min(vocab, int(given.sum())))
    return {
        name: entropy / math.log2(number) if number > 1 else math.nan
        for name, number in zip(DENOMINATORS, outcomes, strict=True)
    }


def percentile_frequency(counts: ArrayLike, first: int = 3, last: int = 83) -> float:
    """Return the share of a text that its tokens of middle frequency make up.

    Of `n` token types, the most frequent first, those of ranks ``floor(n first / 100)`` to
    ``floor(n last / 100)``, excluded, counted from 0 (Gowda and May, arXiv 2004.02334; the
    percentiles are those of tokenization-scorer).

    Args:
        counts: How often each token occurs.
        first: Where the middle begins, in percent.
        last: Where it ends.
    """
    shares = np.sort(_shares(counts))[::-1]
    middle = shares[shares.size * first // 100 : shares.size * last // 100]
    return float(middle.sum()) if shares.size else math.nan


def _shares(counts: ArrayLike) -> NDArray[np.float64]:
    given = np.asarray(counts, dtype=np.float64)
    found: NDArray[np.float64] = given[given > 0] / max(given.sum(), 1)
    return found
