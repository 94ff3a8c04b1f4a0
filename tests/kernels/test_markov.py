"""Drawing from a Markov chain against the same in plain Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.markov import draw_symbols as slow
from tokkit.kernels.markov import draw_symbols


@given(st.integers(2, 4), st.integers(0, 3), st.integers(0, 60), st.integers(0, 2**32))
def test_draws_what_plain_python_draws(size, order, length, seed):
    random = np.random.default_rng(seed)
    matrix = random.dirichlet(np.ones(size), size**order)
    before = random.integers(0, size, order)
    chances = random.random(length)
    context = int(before @ size ** np.arange(order)[::-1]) if order else 0
    found = np.empty(length, dtype=np.uint8)
    draw_symbols(chances, np.cumsum(matrix, axis=1), context, found)
    assert found.tolist() == slow(chances.tolist(), matrix.tolist(), order, before.tolist())


def test_the_docstring_example():
    found = np.empty(3, dtype=np.uint8)
    draw_symbols(np.array([0.7, 0.1, 0.9]), np.array([[0.5, 1], [0.2, 1]]), 0, found)
    assert found.tolist() == [1, 0, 1]


@pytest.mark.parametrize("chance", [0.0, np.nextafter(1.0, 0)])
def test_the_ends_of_the_chances_are_symbols(chance):
    found = np.empty(1, dtype=np.uint8)
    draw_symbols(np.array([chance]), np.array([[0.3, 0.999999, 0.9999999]]), 0, found)
    assert found.tolist() == [0 if chance == 0 else 2]
