"""Rows from the nearest shared tokens of a donor (mergekit-tokensurgeon: common_interpolation).

The weights are inversely proportional to the distance in the donor's space.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids
from tokkit.transplant.context import DONOR, Composition, Context, Side
from tokkit.transplant.methods.pairs import Floats, Singles, find_outliers, pair_rows, relative
from tokkit.transplant.rows import Rows

_TOKENS = 256
"""How many new tokens are looked at together."""
_LEAST_DISTANCE = 1e-6
_ROUNDING = 1e-5
"""More than single precision can be wrong by, relative to the squares that are compared."""


def knn(context: Context, side: Side) -> Composition:
    """Mix the source rows of the ``settings.neighbours`` nearest shared tokens.

    ``w_j ∝ 1 / max(|x - d_j|, 1e-6)``, summing to 1; Euclidean distances between the donor's
    rows, in float64 whatever the checkpoint holds. Of equally near tokens the first count.

    Raises:
        UsageError: If there is no donor.
        ModelError: If the tokenizers share no token.
    """
    pairs = pair_rows(context, side)
    size, count = len(pairs.targets), min(context.settings.neighbours, len(pairs.atoms))
    chosen = np.zeros((size, count), dtype=np.int32)
    weights = np.zeros((size, count))
    errors = np.zeros(size)
    center = pairs.atoms.mean(axis=0, dtype=np.float64).astype(np.float32)
    near, far = pairs.atoms - center, pairs.targets - center
    own = _squares(near)
    for start in range(0, size, _TOKENS):
        context.progress(f"knn ({side})", start, size)
        span = range(start, min(start + _TOKENS, size))
        candidates = _candidates(near, own, far[start : span.stop], count)
        for number, places in zip(span, candidates, strict=True):
            chosen[number], weights[number], errors[number] = _mix(
                pairs.atoms, places, pairs.targets[number], count
            )
    context.progress(f"knn ({side})", size, size)
    rows = Rows(
        np.arange(1, size + 1, dtype=np.int64) * count,
        pairs.sources[chosen].astype(np.int32).ravel(),
        weights.astype(np.float32).ravel(),
    )
    found = find_outliers(context, relative(errors, pairs.targets))
    return Composition(rows, np.full(size, DONOR, dtype=np.uint8), notes={"outliers": found})


def _candidates(
    near: Singles, own: Singles, far: Singles, count: int
) -> list[NDArray[np.int64]]:
    """Find for each target the atoms that may be among the nearest, in the order of ids.

    Squares and products in single precision bound each squared distance, less the square of
    the target, from both sides; what is nearer at best than `count` others at worst stays.

    Args:
        near: The atoms less their mean, ``float32[s, d]``.
        own: Their squares, ``float32[s]``.
        far: The targets less the same, ``float32[B, d]``.
        count: How many neighbours are wanted.
    """
    distances = (-2 * far) @ near.T
    distances += own * np.float32(1 + _ROUNDING)
    limits = np.partition(distances, count - 1, axis=1)[:, count - 1]
    limits += np.float32(2 * _ROUNDING) * _squares(far)
    distances -= own * np.float32(2 * _ROUNDING)
    return [np.flatnonzero(row <= limit) for row, limit in zip(distances, limits, strict=True)]


def _squares(rows: Singles) -> Singles:
    squares: Singles = np.einsum("nd,nd->n", rows, rows, dtype=np.float64).astype(np.float32)
    return squares


def _mix(
    atoms: Singles, near: NDArray[np.int64], target: Singles, count: int
) -> tuple[Ids, Floats, float]:
    """Return the nearest of some atoms, their weights, and how far their mixture is off."""
    wanted = target.astype(np.float64)
    distances = np.sqrt(np.square(atoms[near] - wanted).sum(axis=1))
    order = np.argsort(distances, kind="stable")[:count]
    chosen = near[order].astype(np.int32)
    weights = 1 / np.maximum(distances[order], _LEAST_DISTANCE)
    weights /= weights.sum()
    error = float(np.linalg.norm(wanted - weights @ atoms[chosen]))
    return chosen, weights, error
