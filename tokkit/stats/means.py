"""How sure a mean of few independent values is, such as one per seed."""

import math

import numpy as np
from numpy.typing import ArrayLike

from tokkit.stats.bootstrap import Interval
from tokkit.stats.distributions import beta_quantile


def student_mean(values: ArrayLike, level: float = 0.95) -> Interval:
    """Estimate a mean with Student's interval (Biometrika 6, 1908).

    It is exact where values are normal, and for two or three values there is nothing better:
    drawing them anew (`clustered_mean`) never goes beyond the least and the greatest.

    Args:
        values: Independent ones, ``[n]``.
        level: The probability that the interval holds the truth.

    Returns:
        The mean and its interval, whose ends are not numbers for a single value.

    Raises:
        ValueError: If there is no value.
    """
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1 or not given.size:
        raise ValueError("a mean needs at least one value")
    mean, freedom = float(given.mean()), given.size - 1
    if not freedom:
        return Interval(mean, math.nan, math.nan)
    # T^2 / (T^2 + freedom) has a beta distribution.
    share = beta_quantile(1 - level, freedom / 2, 0.5)
    quantile = math.sqrt(freedom * (1 - share) / share)
    half = quantile * float(given.std(ddof=1)) / math.sqrt(given.size)
    return Interval(mean, mean - half, mean + half)
