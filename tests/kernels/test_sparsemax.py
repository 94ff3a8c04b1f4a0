"""Sparsemax, against sorting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tests.reference import focus
from tokkit.kernels.sparsemax import find_thresholds, write_above

scores = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.floats(-1, 1, width=16) | st.sampled_from([0.0, 0.5, 1.0]),
)


def sparsemax(matrix):
    thresholds = np.empty(len(matrix))
    counts = np.empty(len(matrix), dtype=np.int64)
    find_thresholds(matrix, thresholds, counts)
    columns = np.empty(counts.sum(), dtype=np.int32)
    weights = np.empty(counts.sum(), dtype=np.float32)
    write_above(matrix, thresholds, columns, weights)
    dense = np.zeros(matrix.shape)
    dense[np.repeat(np.arange(len(matrix)), counts), columns] = weights
    return dense, counts


@settings(max_examples=80)
@given(scores)
def test_sparsemax_is_its_definition(matrix):
    dense, counts = sparsemax(matrix)
    wanted = [focus.sparsemax([float(score) for score in row]) for row in matrix]
    np.testing.assert_allclose(dense, wanted, atol=1e-6)
    np.testing.assert_allclose(dense.sum(axis=1), 1, atol=1e-6)
    assert (counts >= 1).all()


def test_sparsemax_of_many_scores_that_hardly_differ():
    matrix = np.random.default_rng(1).normal(0.3, 0.05, (2, 400)).astype(np.float32)
    dense, counts = sparsemax(matrix)
    wanted = [focus.sparsemax([float(score) for score in row]) for row in matrix]
    np.testing.assert_allclose(dense, wanted, atol=1e-6)
    assert (counts > 3).all()


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ([0.5, 0.3, -0.9], [0.6, 0.4, 0]),
        ([1, -1, -1], [1, 0, 0]),
        ([0.2] * 4, [0.25] * 4),
        ([7], [1]),
    ],
)
def test_sparsemax_of_some(row, wanted):
    dense, _ = sparsemax(np.array([row], dtype=np.float32))
    np.testing.assert_allclose(dense, [wanted], atol=1e-6)
