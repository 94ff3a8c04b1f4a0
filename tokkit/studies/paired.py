"""Conditions that were tried on the same problems: shares, pairs, and what may be starred."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit.stats import (
    Interval,
    clustered_mean,
    cochran_q,
    detectable_difference,
    mcnemar,
    wilson,
)

if TYPE_CHECKING:
    import pandas

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
"""Marks for p-values after Holm's correction."""


def stars(p_value: float) -> str:
    """Mark a corrected p-value: ``"***"`` below 0.001, ``"**"`` 0.01, ``"*"`` 0.05."""
    return next((mark for limit, mark in STARS if p_value < limit), "")


def share(right: NDArray[np.bool_], problems: NDArray[np.int64]) -> Interval:
    """Estimate a share of answers with its 95 % interval.

    Wilson's if each problem is answered once; else problems are drawn anew with all their
    answers.

    Args:
        right: Which answers are right, ``bool[n]``.
        problems: Which problem each is to, ``int64[n]``.
    """
    if np.unique(problems).size == problems.size:
        return wilson(int(right.sum()), right.size)
    return clustered_mean(right, problems)


def share_columns(
    name: str, right: NDArray[np.bool_], problems: NDArray[np.int64]
) -> dict[str, float | None]:
    """Return a share and its interval as columns `name`, `name_low` and `name_high`.

    Args:
        name: Of the share.
        right: See `share`.
        problems: See `share`.
    """
    found = share(right, problems)
    ends = {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    return {key: None if np.isnan(value) else value for key, value in ends.items()}


def compare_pairs(
    table: "pandas.DataFrame", clusters: NDArray[np.int64] | None = None, *, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Compare each two conditions on the problems that both have.

    Of several answers to a problem there is the share that is right: it counts as solved under
    the condition where that is larger.

    Args:
        table: Problems x conditions: the share of answers that are right, NaN for none.
        clusters: Which problems of the table belong together, ``int64[problems]``; the
            interval of the difference draws them anew together. None: each is by itself.
        seed: Of these draws.

    Yields:
        `first` and `second`, the conditions; `n` problems; `accuracy_first` and
        `accuracy_second`; `only_first` and `only_second`, problems that were solved under one
        only; the `difference` (first less second) with its 95 % interval; the exact `p_value`
        of McNemar's test; and `detectable`, the smallest difference that so many problems with
        as many discordant ones show with a power of 80 % (not corrected; None: none).
    """
    if clusters is None:
        clusters = np.arange(len(table))
    for first, second in combinations(table.columns, 2):
        both = table[[first, second]].notna().all(axis=1).to_numpy()
        if not both.any():
            continue
        one, other = table[first].to_numpy()[both], table[second].to_numpy()[both]
        test = mcnemar(one > other, other > one)
        gap = _mean(one - other, clusters[both], seed)
        yield {
            "first": first,
            "second": second,
            "n": one.size,
            "accuracy_first": float(one.mean()),
            "accuracy_second": float(other.mean()),
            "only_first": test.only_first,
            "only_second": test.only_second,
            "difference": gap.value,
            "difference_low": gap.low,
            "difference_high": gap.high,
            "p_value": test.p_value,
            "detectable": _detectable(one.size, test.only_first + test.only_second),
        }


def _mean(differences: NDArray[np.float64], clusters: NDArray[np.int64], seed: int) -> Interval:
    """Estimate a mean difference; that of one per cluster is computed once, in any order."""
    if np.unique(clusters).size < clusters.size:
        return clustered_mean(differences, clusters, seed=seed)
    return _mean_of_singles(tuple(np.sort(differences).tolist()), seed)


@lru_cache(maxsize=1024)
def _mean_of_singles(differences: tuple[float, ...], seed: int) -> Interval:
    return clustered_mean(differences, np.arange(len(differences)), seed=seed)


@lru_cache(maxsize=1024)
def _detectable(pairs: int, discordant: int) -> float | None:
    """Return the smallest difference that is likely to show; None if not even the largest."""
    least = detectable_difference(pairs, discordant / pairs) if discordant else float("nan")
    return None if np.isnan(least) else least


def compare_all(table: "pandas.DataFrame") -> dict[str, Any] | None:
    """Test by Cochran's Q whether three conditions or more differ, on problems all have.

    Args:
        table: See `compare_pairs`.

    Returns:
        `conditions`, `n`, `q`, `degrees`, `p_value`; None if there is nothing to test.
    """
    whole = table.dropna()
    if table.shape[1] < 3 or not len(whole) or not whole.isin([0.0, 1.0]).all(axis=None):
        return None
    test = cochran_q(whole.to_numpy() > 0.5)
    return {
        "conditions": list(table.columns),
        "n": len(whole),
        "q": test.statistic,
        "degrees": test.degrees,
        "p_value": test.p_value,
    }
