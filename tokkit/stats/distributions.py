"""The distribution functions that the tests and intervals need."""

import math
from functools import lru_cache

_TINY = 1e-300
_PRECISION = 1e-15
_TERMS = 10_000
_HALVINGS = 60
"""Bisections; the last changes nothing that a float can show."""


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularized incomplete beta function I_x(a, b).

    By Lentz's method on its continued fraction (Abramowitz and Stegun, 26.5.8), from the side
    on which that converges fast.

    Args:
        a: Positive.
        b: Positive.
        x: From 0 to 1.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction of `incomplete_beta`."""
    above, below = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = below
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            below = 1 / _not_zero(1 + step * below)
            above = _not_zero(1 + step / above)
            value *= above * below
        if abs(above * below - 1) < _PRECISION:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


@lru_cache(maxsize=1 << 12)  # intervals of as many values ask for the same one
def beta_quantile(share: float, a: float, b: float) -> float:
    """Return where the beta distribution has `share` of its mass below, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if incomplete_beta(a, b, middle) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def binomial_at_most(k: int, n: int, p: float) -> float:
    """Return the probability of at most `k` successes in `n` trials."""
    if k < 0 or k >= n:
        return 0.0 if k < 0 else 1.0
    return incomplete_beta(n - k, k + 1, 1 - p)


def chi_square_above(x: float, degrees: int) -> float:
    """Return the probability that a chi-square variable is above `x`.

    A finite sum for whole degrees of freedom (Abramowitz and Stegun, 26.4.4 and 26.4.5).
    """
    if x <= 0:
        return 1.0
    half = x / 2
    if degrees % 2:
        start, total = 0.5, math.erfc(math.sqrt(half))
    else:
        start, total = 0.0, 0.0
    for step in range(degrees // 2):
        power = start + step
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(total, 1.0)
