"""How unequal amounts are."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def gini(amounts: ArrayLike) -> NDArray[np.float64]:
    """Return Gini's coefficient: the mean difference of two amounts by twice their mean.

    It is Σᵢ Σⱼ |cᵢ - cⱼ| / (2 n² μ): 0 if all are alike, (n - 1) / n if one has everything.
    Of tokens per line, or per byte, of n languages it is the "tokenizer fairness Gini" of
    TokEval (Meister et al.).

    Args:
        amounts: From 0, ``[..., n]``.

    Returns:
        One coefficient for each row, ``float64[...]``; not a number where all are 0.
    """
    ordered = np.sort(np.asarray(amounts, dtype=np.float64), axis=-1)
    count = ordered.shape[-1]
    # In order, the i-th amount is the larger one of i - 1 pairs and the smaller one of n - i.
    weights = 2 * np.arange(1, count + 1) - count - 1
    with np.errstate(invalid="ignore"):
        found: NDArray[np.float64] = (ordered @ weights) / (count * ordered.sum(axis=-1))
    return found


def lorenz(amounts: ArrayLike) -> NDArray[np.float64]:
    """Return what share of everything those with the least have together.

    Args:
        amounts: From 0, ``[n]``.

    Returns:
        The shares of the first 0, 1, ... n in ascending order, ``float64[n + 1]``; not numbers
        where all are 0.
    """
    ordered = np.sort(np.asarray(amounts, dtype=np.float64))
    with np.errstate(invalid="ignore"):
        return np.append(0.0, np.cumsum(ordered) / ordered.sum())
