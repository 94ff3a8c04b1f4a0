"""Matching pursuit through the Gram matrix against a least squares problem per step."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.reference import omp as reference
from tokkit.kernels import omp as kernels
from tokkit.kernels._jit import frozen


def pursue(atoms, targets, most):
    size = len(targets)
    chosen = np.zeros((size, most), np.int32)
    weights = np.ones((size, most))
    counts, errors = np.zeros(size, np.int64), np.zeros(size)
    arrays = [frozen(each) for each in (atoms @ atoms.T, targets @ atoms.T, atoms, targets)]
    kernels.pursue(*arrays, chosen, weights, counts, errors)
    return chosen, weights, counts, errors


@st.composite
def problems(draw):
    """Atoms of very different norms, alike in one direction, and targets near few of them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size, width = draw(st.integers(1, 30)), draw(st.integers(1, 12))
    atoms = rng.standard_normal((size, width)) + draw(st.sampled_from([0, 1, 3]))
    atoms *= np.exp(rng.normal(0, draw(st.sampled_from([0, 0.5, 1])), (size, 1)))
    targets = rng.standard_normal((2, width)) * draw(st.sampled_from([0.01, 1, 100]))
    return atoms.astype(np.float32), targets.astype(np.float32)


@given(problems(), st.integers(1, 8))
def test_atoms_and_coefficients_are_those_of_the_definition(problem, most):
    atoms, targets = problem
    most = min(most, len(atoms), max(1, atoms.shape[1] // 2))
    chosen, weights, counts, errors = pursue(atoms, targets, most)
    for number, target in enumerate(targets):
        # What is as good as equal is decided by rounding.
        assume(reference.margin(target, atoms, most) > 1e-4)
        wanted, coefficients = reference.pursue(target, atoms, most)
        count = counts[number]
        assert chosen[number, :count].tolist() == wanted
        scale = np.abs(coefficients).max()
        assert weights[number, :count] == pytest.approx(
            coefficients, rel=1e-6, abs=1e-6 * scale
        )
        assert not weights[number, count:].any()
        left = target - coefficients @ atoms[wanted]
        size = float(np.linalg.norm(target))
        assert errors[number] == pytest.approx(np.linalg.norm(left), rel=1e-5, abs=1e-5 * size)


def test_the_first_of_equal_atoms_is_chosen_also_across_stretches():
    atoms = np.zeros((5000, 3), np.float32)
    atoms[[7, 2100, 4999], 0] = 1
    atoms[[2050, 4100], 1] = -2
    chosen, weights, counts, errors = pursue(atoms, np.array([[3, 1, 0]], np.float32), 4)
    assert counts.tolist() == [2]
    assert chosen[0, :2].tolist() == [7, 2050]
    assert weights.tolist() == [[3, -0.5, 0, 0]]
    assert errors.tolist() == [0]


def test_it_stops_where_nothing_is_left():
    atoms = np.eye(4, dtype=np.float32)
    targets = np.array([[0, 0, 2, 0], [0, 0, 0, 0], [1, 0, 0, -3]], np.float32)
    chosen, weights, counts, errors = pursue(atoms, targets, 4)
    assert counts.tolist() == [1, 0, 2]
    assert chosen[0, 0] == 2
    assert chosen[2, :2].tolist() == [3, 0]
    assert weights[2].tolist() == [-3, 1, 0, 0]
    assert not errors.any()


def test_it_stops_at_atoms_that_those_chosen_span():
    atoms = np.array([[1, 0, 0], [1, 0, 1e-5], [1, 0, -1e-5]], np.float32)
    chosen, _, counts, errors = pursue(atoms, np.array([[1, 5, 0.5]], np.float32), 3)
    assert counts.tolist() == [1]
    assert chosen[0, 0] == 1
    assert errors[0] == pytest.approx(np.hypot(5, 0.5), rel=1e-4)
