"""Rows by a linear map from a donor's space, fitted on shared tokens by ridge regression.

Where mergekit-tokensurgeon's ``landmark_pca`` rotates, this fits any map, with its means.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import UsageError
from tokkit.kernels._jit import Ids
from tokkit.transplant.context import DONOR, VIRTUAL_ROWS, Composition, Context, Side
from tokkit.transplant.methods.pairs import Floats, Singles, find_outliers, pair_rows, relative
from tokkit.transplant.rows import Rows, stack

_BLOCK = 4096
"""How many rows are held in double precision at a time."""


def ridge(context: Context, side: Side) -> Composition:
    """Carry donor rows over by the linear map that carries those of shared tokens best.

    ``e = mean(Y) + (x - mean(X)) M`` with ``M = (Xcᵀ Xc + λ I)⁻¹ Xcᵀ Y``, where X are the
    donor's rows of the N shared tokens, ``Xc`` those less their mean, Y the source's rows, and
    ``λ = settings.ridge`` times the mean of ``|xc|²`` over shared tokens.

    Y is not known to a plan. With the Cholesky factor ``L Lᵀ = Xcᵀ Xc + λ I`` the d rows of
    ``L⁻¹ Xcᵀ`` are weights over source ids, that is virtual rows, and ``L⁻¹ (x - mean(X))``
    what each counts for in a new row; one more virtual row is the mean of Y.

    Both are dense: ``(d + 1) (N + n)`` entries of 8 bytes for n new tokens, 0.5 GB for d = 1024
    and N = n = 30,000, and while they are made half of that again.

    Raises:
        UsageError: If there is no donor, or a penalty of 0 leaves the map undetermined.
        ModelError: If the tokenizers share no token.
    """
    pairs = pair_rows(context, side)
    context.progress(f"ridge ({side})", 0, 3)
    center = pairs.atoms.mean(axis=0, dtype=np.float64)
    squares = _squares(pairs.atoms, center)
    penalty = context.settings.ridge * float(np.trace(squares)) / len(pairs.atoms)
    inverse = _inverse_factor(squares, penalty)
    context.progress(f"ridge ({side})", 1, 3)
    virtual = _virtual_rows(_carry(pairs.atoms, center, inverse).T, pairs.sources)
    context.progress(f"ridge ({side})", 2, 3)
    rows = _rows(_carry(pairs.targets, center, inverse), context.source_size + VIRTUAL_ROWS)
    errors, norms = _fit(pairs.targets, center, inverse, squares)
    context.progress(f"ridge ({side})", 3, 3)
    return Composition(
        rows,
        np.full(len(rows), DONOR, dtype=np.uint8),
        virtual,
        notes={"outliers": find_outliers(context, relative(errors, pairs.targets), norms)},
    )


def _squares(atoms: Singles, center: Floats) -> Floats:
    """Return ``Xcᵀ Xc``, ``float64[d, d]``."""
    total = np.zeros((atoms.shape[1], atoms.shape[1]))
    for start in range(0, len(atoms), _BLOCK):
        block = atoms[start : start + _BLOCK] - center
        total += block.T @ block
    return total


def _inverse_factor(squares: Floats, penalty: float) -> Floats:
    """Return ``L⁻¹`` of ``L Lᵀ = squares + penalty I``."""
    try:
        factor = np.linalg.cholesky(squares + penalty * np.eye(len(squares)))
    except np.linalg.LinAlgError as error:
        raise UsageError(
            "the shared tokens do not determine a linear map of the donor's rows: set ridge "
            "above 0"
        ) from error
    inverse: Floats = np.linalg.inv(factor)
    return inverse


def _carry(rows: Singles, center: Floats, inverse: Floats) -> Singles:
    """Return ``(rows - center) L⁻ᵀ``, ``float32[n, d]``."""
    found = np.empty(rows.shape, dtype=np.float32)
    for start in range(0, len(rows), _BLOCK):
        span = slice(start, start + _BLOCK)
        found[span] = (rows[span] - center) @ inverse.T
    return found


def _virtual_rows(weights: Singles, sources: Ids) -> Rows:
    """Make virtual rows of weights over shared tokens, and one of their mean."""
    mean = np.full((1, sources.size), 1 / sources.size, dtype=np.float32)
    return stack([_dense(weights, sources), _dense(mean, sources)])


def _rows(coordinates: Singles, first: int) -> Rows:
    """Make rows over the virtual rows from `first` on; the last of those is the mean."""
    whole = np.ones((len(coordinates), 1), dtype=np.float32)
    numbers = np.arange(first, first + coordinates.shape[1] + 1)
    return _dense(np.hstack([coordinates, whole]), numbers)


def _dense(weights: Singles, ids: NDArray[np.integer]) -> Rows:
    """Lay a dense matrix out row by row; its columns stand for `ids`."""
    return Rows(
        np.arange(1, len(weights) + 1, dtype=np.int64) * ids.size,
        np.tile(ids.astype(np.int32), len(weights)),
        np.ascontiguousarray(weights).ravel(),
    )


def _fit(
    targets: Singles, center: Floats, inverse: Floats, squares: Floats
) -> tuple[Floats, Floats]:
    """Tell how the same map would reproduce the donor's rows themselves.

    Returns:
        The norm of what it leaves of each row, and of the weights that shared tokens get: with
        ``a = (Xcᵀ Xc + λ I)⁻¹ xc`` they are ``|xc - Xcᵀ Xc a|`` and ``|Xc a|``.
    """
    solver = inverse.T @ inverse
    errors, norms = np.zeros(len(targets)), np.zeros(len(targets))
    for start in range(0, len(targets), _BLOCK):
        span = slice(start, start + _BLOCK)
        centred = targets[span] - center
        solved = centred @ solver
        carried = solved @ squares
        errors[span] = np.linalg.norm(centred - carried, axis=1)
        norms[span] = np.sqrt(np.maximum(np.einsum("nd,nd->n", solved, carried), 0))
    return errors, norms
