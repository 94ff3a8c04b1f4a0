"""Whether conditions differ that were tried on the same problems."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tokkit.stats.distributions import chi_square_above


class McNemar(NamedTuple):
    """Two conditions on the same problems.

    Attributes:
        only_first: Problems solved under the first condition only.
        only_second: Problems solved under the second only.
        p_value: The probability of a split at least as uneven if neither is better.
    """

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Compare two conditions by McNemar's test (Psychometrika 12, 1947), exact and two-sided.

    Problems that both or neither solved say nothing of the difference; of the others each is
    as likely to fall either way if there is none.

    Args:
        first: Whether each problem was solved under the first condition, ``bool[n]``.
        second: The same under the second, in the same order.

    Raises:
        ValueError: If the two differ in length.
    """
    one, other = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(f"{one.shape} and {other.shape}: both conditions need all problems")
    only_first, only_second = int((one & ~other).sum()), int((other & ~one).sum())
    return McNemar(only_first, only_second, sign_test(only_first, only_second))


def sign_test(above: int, below: int) -> float:
    """Return the two-sided p-value of a split that is even if there is no difference.

    Exact: whole numbers until the last division, so that 1e-300 is right too.
    """
    n, smaller = above + below, min(above, below)
    term = total = 1
    for k in range(smaller):
        term = term * (n - k) // (k + 1)
        total += term
    if 2 * total >= 1 << n:
        return 1.0
    return 2 * total / (1 << n)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values of a family of tests by Holm's method (Scand. J. Statist. 6, 1979).

    What is at most 0.05 afterwards may be called significant at 5 % without more than 5 %
    chance of even one false call in the family.

    Args:
        p_values: One per test; a value that is not a number is no test, and stays.

    Returns:
        The adjusted ones, in the same order.
    """
    given = np.asarray(p_values, dtype=np.float64)
    adjusted = given.copy()
    tested = np.flatnonzero(~np.isnan(given))
    order = tested[np.argsort(given[tested], kind="stable")]
    weights = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(given[order] * weights), 1.0)
    return [float(value) for value in adjusted]


class CochranQ(NamedTuple):
    """Several conditions on the same problems.

    Attributes:
        statistic: Cochran's Q.
        degrees: Its degrees of freedom, one less than there are conditions.
        p_value: The probability of one at least as large if no condition is better.
    """

    statistic: float
    degrees: int
    p_value: float


def cochran_q(outcomes: ArrayLike) -> CochranQ:
    """Test whether several conditions differ (Cochran, Biometrika 37, 1950).

    The p-value is that of the chi-square distribution, which Q approaches as problems that
    not all conditions treat alike grow many; two dozen are usually enough.

    Args:
        outcomes: Whether each problem was solved under each condition, ``bool[n, k]``.

    Returns:
        The test; its p-value is 1 if every problem is treated alike.

    Raises:
        ValueError: If there are fewer than two conditions.
    """
    solved: NDArray[np.int64] = np.asarray(outcomes, dtype=bool).astype(np.int64)
    if solved.ndim != 2 or solved.shape[1] < 2:
        raise ValueError("outcomes are problems x conditions, and at least two conditions")
    k = solved.shape[1]
    columns, rows = solved.sum(0), solved.sum(1)
    total = int(rows.sum())
    spread = k * total - int((rows * rows).sum())
    if not spread:
        return CochranQ(0.0, k - 1, 1.0)
    statistic = (k - 1) * (k * int((columns * columns).sum()) - total * total) / spread
    return CochranQ(statistic, k - 1, chi_square_above(statistic, k - 1))
