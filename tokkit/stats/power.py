"""How many problems a paired comparison needs, and what it could have found.

The test is `mcnemar`'s, exact; so is its power: over all numbers of problems that could turn
out to be discordant (solved under one condition only), the probability that they split
unevenly enough.
"""

import math
from functools import lru_cache

from tokkit.stats.distributions import binomial_at_most

_MOST = 1 << 24
"""More problems than this nobody asks."""
_SIGMAS = 6.0
"""How far from the expected number of discordant problems the sum goes; the rest is < 1e-8."""


def paired_power(
    pairs: int, difference: float, discordant: float, *, level: float = 0.95
) -> float:
    """Return the probability that a difference is found.

    Args:
        pairs: How many problems are asked under both conditions.
        difference: By how much the shares solved differ, in truth.
        discordant: The share of problems solved under one condition only; at least
            the difference, at most 1.
        level: 1 less the p-value that counts as found.

    Raises:
        ValueError: If the difference is larger than what is discordant.
    """
    if not 0 <= abs(difference) <= discordant <= 1:
        raise ValueError(
            f"a difference of {difference} needs at least as many discordant problems, "
            f"not a share of {discordant}"
        )
    if not discordant:
        return 0.0
    share = (1 + abs(difference) / discordant) / 2  # of the discordant ones, the better's
    mean = pairs * discordant
    reach = _SIGMAS * math.sqrt(max(mean * (1 - discordant), 1.0)) + 1
    total = 0.0
    for n in range(max(math.floor(mean - reach), 0), min(math.ceil(mean + reach), pairs) + 1):
        most = _largest_minority(n, 1 - level)
        if most >= 0:
            # Either side may be the minority.
            found = binomial_at_most(most, n, 1 - share) + binomial_at_most(most, n, share)
            total += _binomial(n, pairs, discordant) * found
    return min(total, 1.0)


def needed_pairs(
    difference: float, discordant: float, *, power: float = 0.8, level: float = 0.95
) -> int:
    """Return how many problems make it likely that a difference is found.

    Power goes up with the number of problems, but for small steps back where the exact test
    cannot use one more; so a few problems less may do as well.

    Args:
        difference: By how much the shares solved differ, in truth; not 0.
        discordant: The share of problems solved under one condition only.
        power: The probability wanted.
        level: 1 less the p-value that counts as found.

    Raises:
        ValueError: If the difference is 0 or so small that no study could find it, or larger
            than what is discordant.
    """
    high = 1
    while paired_power(high, difference, discordant, level=level) < power:
        high *= 2
        if not difference or high > _MOST:
            raise ValueError(f"no study finds a difference of {difference}")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if paired_power(middle, difference, discordant, level=level) < power:
            low = middle
        else:
            high = middle
    return high


def detectable_difference(
    pairs: int, discordant: float, *, power: float = 0.8, level: float = 0.95
) -> float:
    """Return the smallest difference that so many problems are likely to show.

    Args:
        pairs: How many problems are asked under both conditions.
        discordant: The share of problems solved under one condition only.
        power: The probability wanted.
        level: 1 less the p-value that counts as found.

    Returns:
        The difference, to a ten-thousandth; not a number if even one of all discordant
        problems is not found.
    """
    low, high = 0.0, discordant
    if paired_power(pairs, high, discordant, level=level) < power:
        return math.nan
    while high - low > 1e-4:
        middle = (low + high) / 2
        if paired_power(pairs, middle, discordant, level=level) < power:
            low = middle
        else:
            high = middle
    return high


@lru_cache(maxsize=1 << 16)
def _largest_minority(n: int, alpha: float) -> int:
    """Return the most even split of `n` that is significant, by its smaller part; or -1."""
    low, high = -1, n // 2
    while low < high:  # 2 P(at most k of n) grows with k
        middle = (low + high + 1) // 2
        if 2 * binomial_at_most(middle, n, 0.5) <= alpha:
            low = middle
        else:
            high = middle - 1
    return low


def _binomial(k: int, n: int, p: float) -> float:
    """Return the probability of just `k` successes in `n` trials."""
    if p == 1:
        return float(k == n)
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p))
