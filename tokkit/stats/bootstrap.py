"""Intervals by drawing anew what was drawn at random: documents, or problems."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

_CELLS = 1 << 22
"""How many resampled documents are looked at once."""


class Interval(NamedTuple):
    """A value and where it lies with the probability asked for.

    Attributes:
        value: The estimate.
        low: The lower end; not a number where there are fewer than two documents.
        high: The upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def ratio_interval(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """Estimate a ratio of sums over documents, with its bootstrap interval.

    Each document keeps its numerator and denominator together, so that what makes a document
    hard for both cancels: the interval is of the paired comparison. Its ends are quantiles of
    the draws, widened for few documents as Student's are (Hesterberg, "What teachers should
    know about the bootstrap", arXiv 1411.5279, "expanded percentile").

    Args:
        numerators: One per document, such as its bits under one model.
        denominators: One per document, such as its bits under another, or its bytes.
        level: The probability that the interval holds the truth.
        draws: How often the documents are drawn anew, with replacement.
        seed: Of the draws.

    Returns:
        The ratio of the sums and its interval.

    Raises:
        ValueError: If the two differ in length, or there is nothing.
    """
    above = np.asarray(numerators, dtype=np.float64)
    below = np.asarray(denominators, dtype=np.float64)
    if above.shape != below.shape or above.ndim != 1 or not above.size:
        raise ValueError("as many numerators as denominators, and at least one, are needed")
    value = float(above.sum() / below.sum())
    if above.size < 2:
        return Interval(value, float("nan"), float("nan"))
    tail = _widened_tail((1 - level) / 2, above.size)
    low, high = np.quantile(_resampled(above, below, draws, seed), [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def clustered_mean(
    values: ArrayLike,
    clusters: ArrayLike,
    *,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Estimate a mean of values that belong together in clusters, with its interval.

    Answers to one problem, under several prompts say, are not independent; so problems are
    drawn anew, each with all its values. For a paired difference give the differences.

    Args:
        values: Such as whether each answer is right, ``[n]``.
        clusters: Which problem each belongs to: any values that can be told apart, ``[n]``.
        level: The probability that the interval holds the truth.
        draws: How often the clusters are drawn anew, with replacement.
        seed: Of the draws.

    Returns:
        The mean and its interval, by `ratio_interval`.

    Raises:
        ValueError: If the two differ in length, or there is nothing.
    """
    given = np.asarray(values, dtype=np.float64)
    _, places = np.unique(np.asarray(clusters), return_inverse=True)
    if given.shape != places.shape:
        raise ValueError(f"{given.size} values and {places.size} clusters: one for each")
    sums, sizes = np.bincount(places, weights=given), np.bincount(places)
    return ratio_interval(sums, sizes, level=level, draws=draws, seed=seed)


def resampled_sums(
    values: ArrayLike, *, draws: int = 2000, seed: int = 0
) -> NDArray[np.float64]:
    """Draw documents anew, and add up what they have, of many measures at once.

    All columns are of the same draws, so that whatever is made of them - a ratio of two, a
    measure of all - is of the paired comparison. The draws are those of `ratio_interval`.

    Args:
        values: What each document has of each measure, ``[documents, measures]``.
        draws: How often the documents are drawn anew, with replacement.
        seed: Of the draws.

    Returns:
        The sum of each draw, ``float64[draws, measures]``.

    Raises:
        ValueError: If there is no document.
    """
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 2 or not len(given):
        raise ValueError("a row for each document, and at least one, is needed")
    documents = len(given)
    random = np.random.default_rng(seed)
    chunk = max(_CELLS // documents, 1)
    parts = []
    for start in range(0, draws, chunk):
        shape = (min(chunk, draws - start), documents)
        chosen = random.integers(documents, size=shape)
        chosen += np.arange(shape[0])[:, None] * documents
        times = np.bincount(chosen.ravel(), minlength=chosen.size).reshape(shape)
        parts.append(times.astype(np.float64) @ given)
    return np.concatenate(parts)


def sample_interval(
    value: float, samples: ArrayLike, documents: int, *, level: float = 0.95
) -> Interval:
    """Return where a measure lies, by what it is in documents drawn anew.

    Args:
        value: The measure of all documents.
        samples: Of each draw of `resampled_sums`; draws in which it is not a number are left
            out.
        documents: How many there are, which decides how far the ends are moved out; see
            `ratio_interval`.
        level: The probability that the interval holds the truth.
    """
    drawn = np.asarray(samples, dtype=np.float64)
    drawn = drawn[np.isfinite(drawn)]
    if documents < 2 or not drawn.size:
        return Interval(value, float("nan"), float("nan"))
    tail = _widened_tail((1 - level) / 2, documents)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def _resampled(
    above: NDArray[np.float64], below: NDArray[np.float64], draws: int, seed: int
) -> NDArray[np.float64]:
    """Return the ratio of each draw, ``float64[draws]``."""
    random = np.random.default_rng(seed)
    chunk = max(_CELLS // above.size, 1)
    parts = []
    for start in range(0, draws, chunk):
        shape = (min(chunk, draws - start), above.size)
        chosen = random.integers(above.size, size=shape)
        parts.append(above[chosen].sum(1) / below[chosen].sum(1))
    return np.concatenate(parts)


def _widened_tail(tail: float, documents: int) -> float:
    """Return the share of the draws to leave out at each end for a share of the truth.

    Student's quantile is expanded in powers of one by the degrees of freedom (Fisher and
    Cornish, "The percentile points of distributions having known cumulants", 1960).
    """
    normal, freedom = NormalDist(), documents - 1
    z = normal.inv_cdf(1 - tail)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    student = z + (z**3 + z) / 4 / freedom + second / freedom**2
    return normal.cdf(-student * (documents / freedom) ** 0.5)
