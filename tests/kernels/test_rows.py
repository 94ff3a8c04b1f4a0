"""Weighted sums of rows, against dense matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.kernels._jit import frozen
from tokkit.kernels.rows import square_words, sum_rows, sum_words
from tokkit.transplant.rows import Rows

ROWS, VIRTUAL, WIDTH = 6, 3, 4
ENTRIES = st.lists(
    st.lists(
        st.tuples(st.integers(0, ROWS + VIRTUAL - 1), st.floats(-2, 2, width=32)), max_size=5
    ),
    min_size=1,
    max_size=7,
)


def words_of(values):
    """Numbers cut off to bfloat16, and its bits."""
    bits = values.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(np.float32), (bits >> np.uint32(16)).astype(np.uint16)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@given(entries=ENTRIES, seed=st.integers(0, 99))
def test_rows_are_sums_of_rows(dtype, entries, seed):
    random = np.random.default_rng(seed)
    source = random.standard_normal((ROWS, WIDTH)).astype(np.float32)
    virtual = random.standard_normal((VIRTUAL, WIDTH))
    rows = Rows.of(entries)
    first = seed % len(rows)
    sums = np.full((len(rows) - first, WIDTH), np.nan)
    held = source.astype(np.float64) if dtype == "float64" else source
    add = sum_rows
    if dtype == "bfloat16":
        source, held = words_of(source)
        add = sum_words
    arrays = map(frozen, (rows.ends, rows.ids, rows.weights))
    add(*arrays, first, frozen(held), frozen(virtual), ROWS, sums)
    dense = rows.dense(ROWS + VIRTUAL) @ np.concatenate([source, virtual])
    np.testing.assert_allclose(sums, dense[first:], rtol=1e-12, atol=1e-12)


def test_squares_are_added_up_over_the_rows_in_use():
    source, words = words_of(np.random.default_rng(0).standard_normal((ROWS, WIDTH)))
    used = np.array([0, 2, 5], dtype=np.int32)
    centre = source[used].mean(axis=0, dtype=np.float64)
    squares = np.zeros(WIDTH)
    square_words(frozen(words), frozen(used), frozen(centre), squares)
    np.testing.assert_allclose(squares / 3, source[used].astype(np.float64).var(axis=0))
