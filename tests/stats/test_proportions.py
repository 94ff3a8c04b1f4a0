import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.stats import clopper_pearson, wilson
from tokkit.stats.distributions import binomial_at_most, chi_square_above


def exact_at_most(k, n, p):
    """The binomial distribution by adding fractions."""
    p = Fraction(p)
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 19))
def test_the_binomial_distribution(n, k, twentieths):
    p = Fraction(twentieths, 20)
    expected = float(exact_at_most(min(k, n), n, p))
    assert binomial_at_most(k, n, float(p)) == pytest.approx(expected, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, methods 3 and 5.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_wilson_intervals(successes, trials, low, high):
    found = wilson(successes, trials)
    assert found.value == successes / trials
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_published_exact_intervals(successes, trials, low, high):
    found = clopper_pearson(successes, trials)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.integers(1, 30), st.data())
def test_the_ends_of_exact_intervals_leave_half_the_rest_on_either_side(trials, data):
    successes = data.draw(st.integers(0, trials))
    found = clopper_pearson(successes, trials)
    if successes:
        above = 1 - exact_at_most(successes - 1, trials, found.low)
        assert float(above) == pytest.approx(0.025, rel=1e-6)
    if successes < trials:
        below = exact_at_most(successes, trials, found.high)
        assert float(below) == pytest.approx(0.025, rel=1e-6)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
@given(st.integers(1, 500), st.data())
def test_intervals_mirror_and_widen(interval, trials, data):
    successes = data.draw(st.integers(0, trials))
    found, mirrored = interval(successes, trials), interval(trials - successes, trials)
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-9)
    assert 0 <= found.low <= found.value <= found.high <= 1
    wider = interval(successes, trials, level=0.99)
    assert wider.low <= found.low
    assert wider.high >= found.high


@pytest.mark.parametrize("truth", [0.05, 0.3, 0.5, 0.97])
@pytest.mark.parametrize(("interval", "least"), [(wilson, 0.93), (clopper_pearson, 0.95)])
def test_intervals_hold_the_truth_as_often_as_they_say(interval, least, truth):
    """Exactly, over everything that 90 trials can give."""
    held = 0.0
    for successes in range(91):
        found = interval(successes, 90)
        if found.low <= truth <= found.high:
            held += (
                math.comb(90, successes) * truth**successes * (1 - truth) ** (90 - successes)
            )
    assert least <= held <= 0.995


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
def test_no_trial_says_nothing(interval):
    assert all(map(math.isnan, interval(0, 0)))
    with pytest.raises(ValueError, match="3 successes in 2 trials"):
        interval(3, 2)


@pytest.mark.parametrize(
    ("x", "degrees"),
    [(3.841459, 1), (5.991465, 2), (7.814728, 3), (9.487729, 4), (18.307038, 10)],
)
def test_published_points_of_the_chi_square_distribution(x, degrees):
    assert chi_square_above(x, degrees) == pytest.approx(0.05, abs=1e-7)
    assert chi_square_above(0, degrees) == 1
