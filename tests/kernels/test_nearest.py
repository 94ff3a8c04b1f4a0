"""The largest of each row, tile by tile, against sorting whole rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tokkit.kernels.nearest import keep_largest

VALUES = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])
MATRICES = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=VALUES)


@given(MATRICES, st.integers(1, 4), st.integers(1, 5))
def test_the_largest_come_first_and_of_equals_the_lowest_column(matrix, width, kept):
    rows, columns = matrix.shape
    best = np.full((rows, kept), -np.inf, dtype=np.float32)
    ids = np.full((rows, kept), -1, dtype=np.int32)
    for first in range(0, columns, width):
        keep_largest(np.ascontiguousarray(matrix[:, first : first + width]), first, best, ids)
    for row in range(rows):
        wanted = sorted(range(columns), key=lambda c: (-matrix[row, c], c))[:kept]
        assert ids[row].tolist() == wanted + [-1] * (kept - len(wanted))
        assert best[row, : len(wanted)].tolist() == [matrix[row, c] for c in wanted]


def test_what_is_no_number_is_passed_over():
    best = np.full((1, 2), -np.inf, dtype=np.float32)
    ids = np.full((1, 2), -1, dtype=np.int32)
    keep_largest(np.array([[np.nan, 1.0, np.nan]], dtype=np.float32), 5, best, ids)
    assert ids.tolist() == [[6, -1]]
