import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.analysis.inequality import gini, lorenz

AMOUNTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)


def by_definition(amounts):
    count, mean = len(amounts), sum(amounts) / len(amounts)
    return sum(abs(a - b) for a in amounts for b in amounts) / (2 * count**2 * mean)


@given(AMOUNTS)
def test_gini_is_its_definition(amounts):
    assert gini(amounts) == pytest.approx(by_definition(amounts), abs=1e-12)


@given(AMOUNTS)
def test_gini_is_the_area_that_the_lorenz_curve_leaves(amounts):
    curve = lorenz(amounts)
    area = float(np.trapezoid(curve, dx=1 / len(amounts)))
    assert gini(amounts) == pytest.approx(1 - 2 * area, abs=1e-12)


@given(AMOUNTS)
def test_lorenz_curves_are_convex_from_none_to_everything(amounts):
    curve = lorenz(amounts)
    assert (curve[0], curve[-1]) == (0, pytest.approx(1))
    assert (np.diff(curve, n=2) >= -1e-12).all()


def test_gini_counted_by_hand():
    assert gini([1, 1, 1]) == 0
    assert gini([0, 0, 0, 5]) == pytest.approx(3 / 4)
    assert gini([[1, 3], [3, 1], [2, 2]]) == pytest.approx([1 / 4, 1 / 4, 0])
    assert np.isnan(gini([0, 0]))
