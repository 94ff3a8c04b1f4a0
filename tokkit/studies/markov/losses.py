"""What models that are counted, not trained, lose on text as tokens.

A loss is the sum over held-out tokens of their negative log probability, in nats, by the number
of characters they spell: losses of different dictionaries can be compared.
"""

import math

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids

ADDED = 0.5
"""What is added to the count of every token, so that none is impossible."""
_SHARE = 0.99


def ngram_loss(train: Ids, test: Ids, size: int, characters: int, order: int = 1) -> float:
    """Return the loss of an n-gram model of tokens, nats per character.

    Single tokens have the probability ``(count + 0.5) / (all + 0.5 size)``. Longer n-grams are
    interpolated with shorter ones as Witten and Bell do (IEEE Trans. Inf. Theory 37(4), 1991):
    ``P(t|h) = (c(h, t) + T(h) P(t|h')) / (c(h) + T(h))``, ``T(h)`` being how many different
    tokens come after `h`, and ``h'`` the history without its first token.

    Args:
        train: The tokens to count, ``int32[n]``.
        test: The tokens to foretell, ``int32[m]``; the first have shorter histories.
        size: How many tokens there are.
        characters: How many characters the tokens to foretell spell.
        order: The longest n-gram.
    """
    counts = np.bincount(train, minlength=size) + ADDED
    chances = (counts / counts.sum())[test]
    # The number of the n-gram that ends at each place; -1 where training has none like it.
    known, read = train.astype(np.int64), test.astype(np.int64)
    for length in range(2, order + 1):
        grams, known, seen = np.unique(
            known[:-1] * size + train[length - 1 :], return_inverse=True, return_counts=True
        )
        histories, wanted = read[:-1], read[:-1] * size + test[length - 1 :]
        read = np.where(histories < 0, -1, _find(grams, wanted))
        shorter = chances[length - 1 :]
        chances[length - 1 :] = _interpolate(shorter, grams // size, seen, histories, read)
    return float(-np.log(chances).sum() / characters)


def _find(grams: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each wanted number among ascending ones; -1 if it is not there."""
    places = np.searchsorted(grams, wanted).clip(max=max(grams.size - 1, 0))
    if not grams.size:
        return np.full(wanted.size, -1)
    return np.where(grams[places] == wanted, places, -1)


def _interpolate(
    shorter: NDArray[np.float64],
    owners: NDArray[np.int64],
    seen: NDArray[np.int64],
    histories: NDArray[np.int64],
    grams: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the probabilities that n-grams give.

    Args:
        shorter: What shorter ones give, ``[m]``.
        owners: The history of each n-gram of training, ``[k]``.
        seen: How often each of those was seen, ``[k]``.
        histories: The history at each place, or -1, ``[m]``.
        grams: The n-gram at each place, or -1, ``[m]``.
    """
    most = int(max(owners.max(initial=-1), histories.max(initial=-1))) + 1
    # One more, for histories that training does not have: index -1.
    totals = np.bincount(owners, weights=seen, minlength=most + 1)
    kinds = np.bincount(owners, minlength=most + 1)
    own = np.where(grams < 0, 0, np.append(seen, 0)[grams])
    of, by = totals[histories], kinds[histories]
    found = (own + by * shorter) / np.maximum(of + by, 1)
    return np.where(of > 0, found, shorter)


def window_characters(lengths: NDArray[np.int64], window: int, share: float) -> float:
    """Return how many characters a window of tokens covers, but for a share of all windows.

    A model that sees `window` tokens sees at least so many characters nearly everywhere
    (arXiv 2605.13485): an average would hide the places where it sees few.

    Args:
        lengths: The characters of each token of a text, ``int64[n]``.
        window: How many tokens a model sees.
        share: Which share of windows may cover less, from 0 to 1.

    Returns:
        The quantile; not a number if the text has fewer tokens than a window.
    """
    if lengths.size < window:
        return math.nan
    sums = np.cumsum(np.append(0, lengths))
    return float(np.quantile(sums[window:] - sums[:-window], share, method="lower"))


def theorem_bound(rate: float, least_chance: float, size: int) -> float:
    """Return what theory promises single tokens of a large LZW dictionary, nats per character.

    ``H / (1 - e)`` with ``e = log(1 / d) / (0.99 log n)``: `H` the entropy rate, `d` the least
    probability of a symbol in any context, `n` the number of tokens (arXiv 2404.08335, on
    unigram models with greedy encoding). It holds in the limit of long texts, for large
    dictionaries learned from enough text, and it is loose: see `useful_size`.

    Args:
        rate: The entropy rate of the source.
        least_chance: The least probability in its matrix.
        size: How many tokens there are.

    Returns:
        The bound; infinite where the theorem says nothing.
    """
    loss = -math.log(least_chance) / (_SHARE * math.log(size))
    return rate / (1 - loss) if loss < 1 else math.inf


def useful_size(rate: float, unigram: float, least_chance: float) -> float:
    """Return from how many tokens on `theorem_bound` is below the loss of single characters.

    Infinite if characters are as good as anything.
    """
    gain = 1 - rate / unigram if unigram > 0 else 0.0
    exponent = -math.log(least_chance) / (_SHARE * gain) if gain > 0 else math.inf
    return math.exp(exponent) if exponent < 700 else math.inf
