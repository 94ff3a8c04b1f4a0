"""How sure a proportion is."""

import math
from statistics import NormalDist

from tokkit.stats.bootstrap import Interval
from tokkit.stats.distributions import beta_quantile


def wilson(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Estimate a proportion with Wilson's score interval (JASA 22:158, 1927).

    It holds the truth about as often as it says, also for few trials and near 0 and 1.

    Args:
        successes: How many of the trials succeeded.
        trials: How many there were.
        level: The probability that the interval holds the truth.

    Returns:
        The share and its interval; not numbers if there was no trial.

    Raises:
        ValueError: If there are more successes than trials, or fewer than none.
    """
    _check(successes, trials)
    if not trials:
        return Interval(math.nan, math.nan, math.nan)
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    share = successes / trials
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = math.sqrt(z2 * (share * (1 - share) + z2 / (4 * trials)) / trials)
    half = spread / (1 + z2 / trials)
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == trials else middle + half
    return Interval(share, low, high)


def clopper_pearson(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Estimate a proportion with Clopper and Pearson's exact interval (Biometrika 26, 1934).

    It never holds the truth less often than it says, at the price of being wide.

    Args:
        successes: How many of the trials succeeded.
        trials: How many there were.
        level: The probability, at least, that the interval holds the truth.

    Returns:
        The share and its interval; not numbers if there was no trial.

    Raises:
        ValueError: If there are more successes than trials, or fewer than none.
    """
    _check(successes, trials)
    if not trials:
        return Interval(math.nan, math.nan, math.nan)
    tail, failures = (1 - level) / 2, trials - successes
    low = beta_quantile(tail, successes, failures + 1) if successes else 0.0
    high = beta_quantile(1 - tail, successes + 1, failures) if failures else 1.0
    return Interval(successes / trials, low, high)


def _check(successes: int, trials: int) -> None:
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials cannot be")
