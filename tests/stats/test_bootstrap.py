import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.stats import ratio_interval

POSITIVE = st.floats(0.01, 1e6)


def test_the_value_is_the_ratio_of_the_sums():
    found = ratio_interval([1, 2, 3], [4, 4, 4])
    assert found.value == 0.5
    assert found.low < found.value < found.high


def simulate(random, documents):
    """Documents of skewed lengths whose two measures have much in common; the truth is 0.8."""
    sizes = random.lognormal(0, 0.8, documents)
    hard = random.gamma(8, 1 / 8, documents)
    noise = random.lognormal(-0.02, 0.2, (2, documents))
    return 0.8 * sizes * hard * noise[0], sizes * hard * noise[1]


@pytest.mark.parametrize("documents", [30, 150])
def test_the_interval_holds_the_truth_as_often_as_it_says(documents):
    random = np.random.default_rng(7)
    held = 0
    for _ in range(600):
        found = ratio_interval(*simulate(random, documents), draws=600)
        held += found.low <= 0.8 <= found.high
    assert 0.92 <= held / 600 <= 0.98


def test_pairing_makes_the_interval_narrow():
    above, below = simulate(np.random.default_rng(3), 100)
    paired = ratio_interval(above, below)
    shuffled = ratio_interval(above, np.roll(below, 1))
    assert paired.high - paired.low < (shuffled.high - shuffled.low) / 2


@given(
    st.lists(st.tuples(POSITIVE, POSITIVE), min_size=2, max_size=20),
    st.sampled_from([0.25, 2, 64]),
)
def test_scaling_the_numerators_scales_the_interval(pairs, factor):
    above, below = np.array(pairs).T
    one, other = (
        ratio_interval(above, below, draws=50),
        ratio_interval(above * factor, below, draws=50),
    )
    assert one.low <= one.high
    np.testing.assert_allclose(np.array(one) * factor, other, rtol=1e-6)


@given(st.lists(POSITIVE, min_size=2, max_size=20))
def test_documents_that_agree_leave_no_doubt(sizes):
    found = ratio_interval(2 * np.array(sizes), sizes, draws=50)
    np.testing.assert_allclose(found, 2, rtol=1e-9)


def test_the_same_seed_gives_the_same_interval_however_much_is_looked_at_once(monkeypatch):
    above, below = simulate(np.random.default_rng(3), 100)
    whole = ratio_interval(above, below, seed=5)
    assert ratio_interval(above, below, seed=5) == whole
    assert ratio_interval(above, below, seed=6) != whole
    monkeypatch.setattr("tokkit.stats.bootstrap._CELLS", 777)
    assert ratio_interval(above, below, seed=5) == whole


def test_one_document_says_nothing_about_the_others():
    found = ratio_interval([1], [2])
    assert found.value == 0.5
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_unequal_lengths_and_nothing_are_errors():
    with pytest.raises(ValueError, match="as many numerators"):
        ratio_interval([1, 2], [1])
    with pytest.raises(ValueError, match="at least one"):
        ratio_interval([], [])
