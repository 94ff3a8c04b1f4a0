"""Rows from few shared tokens each, by orthogonal matching pursuit in a donor's space.

Pati et al. 1993; for embeddings arXiv 2506.06607: the donor's row of a new token is
approximated by its rows of shared tokens, and the same weights are used for the source's rows.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import JobError
from tokkit.kernels._jit import Ids, Offsets, frozen
from tokkit.kernels.omp import pursue
from tokkit.transplant.context import DONOR, Composition, Context, Side
from tokkit.transplant.methods.pairs import Floats, Singles, find_outliers, pair_rows, relative
from tokkit.transplant.rows import Rows

_TOKENS = 256
"""How many new tokens are approximated at a time; fixed, as it decides how sums are rounded."""
_BLOCK = 1024
"""How many rows of the Gram matrix are computed at a time."""
_IN_MEMORY = 1 << 30
"""Bytes up to which the Gram matrix is kept in memory; a larger one lies in a file."""


def omp(context: Context, side: Side) -> Composition:
    """Make each row of at most ``settings.atoms`` source rows.

    Of the donor's rows ``d_i`` of shared tokens (not normalised) the one with the largest
    ``|<r, d_i>|`` is chosen, the first of equals; ``r`` is what the least squares fit by those
    chosen so far leaves of ``x``. Fewer are chosen where nothing is left.

    The Gram matrix of N shared tokens takes ``4 N²`` bytes: in memory up to 1 GB, else in a
    temporary file.

    Raises:
        UsageError: If there is no donor.
        ModelError: If the tokenizers share no token.
        JobError: If the temporary file has no room.
    """
    pairs = pair_rows(context, side)
    found = approximate(
        pairs.atoms,
        pairs.targets,
        context.settings.atoms,
        progress=lambda done, total: context.progress(f"omp ({side})", done, total),
    )
    is_used = np.arange(found.chosen.shape[1]) < found.counts[:, None]
    rows = Rows(
        np.cumsum(found.counts),
        pairs.sources[found.chosen[is_used]].astype(np.int32),
        found.weights[is_used].astype(np.float32),
    )
    origins = np.full(len(rows), DONOR, dtype=np.uint8)
    norms = np.linalg.norm(found.weights, axis=1)
    errors = relative(found.errors, pairs.targets)
    return Composition(rows, origins, notes={"outliers": find_outliers(context, errors, norms)})


@dataclass(frozen=True, eq=False)
class Approximation:
    """Targets as weighted sums of few atoms.

    Attributes:
        chosen: The atoms of each in the order of choice, ``int32[n, k]``; 0 from the count on.
        weights: Their coefficients, ``float64[n, k]``; 0 from the count on.
        counts: How many there are, ``int64[n]``.
        errors: The norm of what is left of each target, ``float64[n]``.
    """

    chosen: Ids
    weights: Floats
    counts: Offsets
    errors: Floats


def _silent(done: int, total: int) -> None:
    """Report nothing."""


def approximate(
    atoms: Singles,
    targets: Singles,
    most: int,
    *,
    progress: Callable[[int, int], None] = _silent,
) -> Approximation:
    """Approximate each target by at most `most` atoms, by orthogonal matching pursuit.

    Args:
        atoms: ``float32[N, d]``.
        targets: ``float32[n, d]``.
        most: How many atoms at most.
        progress: Told how many targets of how many are done.

    Raises:
        JobError: If the temporary file of the Gram matrix has no room.
    """
    size, width = targets.shape[0], min(most, atoms.shape[0])
    found = Approximation(
        np.zeros((size, width), dtype=np.int32),
        np.zeros((size, width)),
        np.zeros(size, dtype=np.int64),
        np.zeros(size),
    )
    progress(0, size)
    if not size or not width:
        return found
    gram = frozen(make_gram(atoms))
    for start in range(0, size, _TOKENS):
        span = slice(start, start + _TOKENS)
        gains = targets[span] @ atoms.T
        pursue(
            gram,
            frozen(gains),
            frozen(atoms),
            frozen(targets[span]),
            found.chosen[span],
            found.weights[span],
            found.counts[span],
            found.errors[span],
        )
        progress(min(start + _TOKENS, size), size)
    return found


def make_gram(atoms: Singles) -> NDArray[np.float32]:
    """Return the inner products of all atoms, ``float32[N, N]``, symmetric to the bit.

    Raises:
        JobError: If it needs a temporary file and there is no room for that.
    """
    size = atoms.shape[0]
    gram = _allocate(size)
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        block = atoms[start:stop] @ atoms[start:].T
        # Above the diagonal the block is kept, below it is mirrored.
        square = np.triu(block[:, : stop - start])
        gram[start:stop, start:stop] = square + np.triu(square, 1).T
        gram[start:stop, stop:] = block[:, stop - start :]
        gram[stop:, start:stop] = block[:, stop - start :].T
    return gram


def _allocate(size: int) -> NDArray[np.float32]:
    """Make room for a square matrix: in memory, or in a file that is gone when it is."""
    needed = 4 * size * size
    if needed <= _IN_MEMORY:
        return np.empty((size, size), dtype=np.float32)
    folder = tempfile.gettempdir()
    if shutil.disk_usage(folder).free < needed + _IN_MEMORY:
        raise JobError(
            f"{folder}: has no room for the {needed / 1e9:.0f} GB that the Gram matrix of "
            f"{size} shared tokens takes: set TMPDIR to a folder that has, or choose another "
            "method"
        )
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, dtype=np.float32, mode="w+", shape=(size, size))
    return np.asarray(mapped)
