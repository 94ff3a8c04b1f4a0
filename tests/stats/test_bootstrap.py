import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.analysis.inequality import gini
from tokkit.stats import ratio_interval, resampled_sums, sample_interval

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


# --- many measures of the same draws --------------------------------------------------------


COUNTS = st.tuples(st.integers(1, 1000), st.integers(1, 1000))


@given(st.lists(COUNTS, min_size=1, max_size=20), st.integers(0, 5))
def test_sums_of_all_measures_are_of_the_draws_of_ratios(pairs, seed):
    table = np.array(pairs)
    sums = resampled_sums(table, draws=60, seed=seed)
    found = sample_interval(
        table[:, 0].sum() / table[:, 1].sum(), sums[:, 0] / sums[:, 1], len(table)
    )
    expected = ratio_interval(table[:, 0], table[:, 1], draws=60, seed=seed)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_draws_in_which_nothing_can_be_said_are_left_out():
    assert sample_interval(1.0, [np.nan, 1, 2, np.inf], 9).high <= 2
    assert np.isnan(sample_interval(1.0, [1, 2], 1).low)
    assert np.isnan(sample_interval(1.0, [np.nan], 9).low)


def test_the_interval_of_a_measure_of_inequality_holds_the_truth():
    random = np.random.default_rng(11)
    means, held = np.array([10.0, 20, 40, 80]), 0
    truth = gini(means)
    for _ in range(300):
        documents = random.lognormal(0, 0.5, (80, 1)) * random.gamma(9, means / 9, (80, 4))
        samples = gini(resampled_sums(documents, draws=400))
        found = sample_interval(float(gini(documents.sum(axis=0))), samples, 80)
        held += found.low <= truth <= found.high
    assert 0.91 <= held / 300 <= 0.985
