"""Sparsemax: few weights out of many scores."""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Counts, Ids, kernel

Matrix = NDArray[np.float32]


@kernel
def find_thresholds(scores: Matrix, thresholds: NDArray[np.float64], counts: Counts) -> None:
    """Find what sparsemax subtracts from the scores of each row.

    Sparsemax (arXiv 1602.02068, eq. 2) is the point of the simplex nearest to the scores z:
    ``max(z - t, 0)``, where t makes it sum to one. What lies below the mean excess of a set
    that holds all of the support is not in it; leaving it out until nothing is left to leave
    out gives t (Michelot, 1986).

    Args:
        scores: ``float32[n, k]``, k > 0, finite.
        thresholds: Filled: t of each row, ``float64[n]``.
        counts: Filled: how many scores of each row are above it.
    """
    width = scores.shape[1]
    active = np.empty(width, dtype=np.float32)
    for row in range(scores.shape[0]):
        highest = scores[row, 0]
        for column in range(1, width):
            highest = max(highest, scores[row, column])
        threshold = np.float64(highest) - 1.0
        total = 0.0
        count = 0
        for column in range(width):
            if scores[row, column] > threshold:
                active[count] = scores[row, column]
                total += np.float64(scores[row, column])
                count += 1
        left = 0
        while left != count:
            left = count
            threshold = (total - 1.0) / count
            total = 0.0
            count = 0
            for place in range(left):
                if active[place] > threshold:
                    active[count] = active[place]
                    total += np.float64(active[place])
                    count += 1
        thresholds[row] = threshold
        counts[row] = count


@kernel
def write_above(
    scores: Matrix,
    thresholds: NDArray[np.float64],
    columns: Ids,
    weights: NDArray[np.float32],
) -> None:
    """Write by how much scores are above the threshold of their row, where they are.

    Args:
        scores: ``float32[n, k]``.
        thresholds: ``float64[n]``.
        columns: Filled: the columns, ascending in each row.
        weights: Filled.
    """
    place = np.int64(0)
    for row in range(scores.shape[0]):
        for column in range(scores.shape[1]):
            if scores[row, column] > thresholds[row]:
                columns[place] = column
                weights[place] = scores[row, column] - thresholds[row]
                place += 1
