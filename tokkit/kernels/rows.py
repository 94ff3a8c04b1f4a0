"""Weighted sums of the rows of a matrix.

The matrix has the rows 0 to ``source.shape[0] - 1``; ids from `first_virtual` on are rows of
`virtual`. Sums are accumulated in ``float64``, whatever the matrix holds.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets, kernel

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Words = NDArray[np.uint16]


@kernel
def sum_rows(
    ends: Offsets,
    ids: Ids,
    weights: Floats,
    first: int,
    source: Floats,
    virtual: Doubles,
    first_virtual: int,
    sums: Doubles,
) -> None:
    """Write the rows from `first` on of a sparse matrix times `source` into `sums`.

    Args:
        ends: Where the entries of each row end, ``int64[n]``.
        ids: The rows that are added up, ``int32[entries]``.
        weights: How much of each, ``float32[entries]``.
        first: The first row wanted; as many are written as `sums` has.
        source: The matrix, ``float32`` or ``float64[rows, width]``.
        virtual: Its virtual rows, ``float64[k, width]``.
        first_virtual: The id of the first of them.
        sums: Where the sums go, ``float64[wanted, width]``.
    """
    for row in range(sums.shape[0]):
        sums[row, :] = 0.0
        start = ends[first + row - 1] if first + row > 0 else 0
        for entry in range(start, ends[first + row]):
            number = ids[entry]
            weight = np.float64(weights[entry])
            if number >= first_virtual:
                for column in range(sums.shape[1]):
                    sums[row, column] += weight * virtual[number - first_virtual, column]
            else:
                for column in range(sums.shape[1]):
                    sums[row, column] += weight * source[number, column]


@kernel
def sum_words(
    ends: Offsets,
    ids: Ids,
    weights: Floats,
    first: int,
    source: Words,
    virtual: Doubles,
    first_virtual: int,
    sums: Doubles,
) -> None:
    """Do what `sum_rows` does for a matrix of bfloat16, held as its bits, ``uint16``."""
    bits = np.empty(sums.shape[1], dtype=np.uint32)
    values = bits.view(np.float32)
    shift = np.uint32(16)
    for row in range(sums.shape[0]):
        sums[row, :] = 0.0
        start = ends[first + row - 1] if first + row > 0 else 0
        for entry in range(start, ends[first + row]):
            number = ids[entry]
            weight = np.float64(weights[entry])
            if number >= first_virtual:
                for column in range(sums.shape[1]):
                    sums[row, column] += weight * virtual[number - first_virtual, column]
            else:
                for column in range(sums.shape[1]):
                    bits[column] = np.uint32(source[number, column]) << shift
                for column in range(sums.shape[1]):
                    sums[row, column] += weight * values[column]


@kernel
def square_words(source: Words, used: Ids, centre: Doubles, squares: Doubles) -> None:
    """Add the squared distances of rows of bfloat16 from `centre` up in `squares`.

    Args:
        source: The matrix as bits, ``uint16[rows, width]``.
        used: The rows that count, ``int32[k]``.
        centre: ``float64[width]``.
        squares: ``float64[width]``, zero at first.
    """
    bits = np.empty(source.shape[1], dtype=np.uint32)
    values = bits.view(np.float32)
    for number in used:
        for column in range(source.shape[1]):
            bits[column] = np.uint32(source[number, column]) << np.uint32(16)
        for column in range(source.shape[1]):
            distance = values[column] - centre[column]
            squares[column] += distance * distance
