from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.stats import (
    clustered_mean,
    cochran_q,
    detectable_difference,
    holm,
    mcnemar,
    needed_pairs,
    paired_power,
)
from tokkit.stats.paired import sign_test


def brute_sign_test(above, below):
    """Of all ways in which so many coins can fall, the share at least as uneven."""
    n = above + below
    uneven = abs(above - below)
    falls = product((1, -1), repeat=n)
    return float(Fraction(sum(abs(sum(fall)) >= uneven for fall in falls), 2**n))


@given(st.integers(0, 6), st.integers(0, 6))
def test_the_sign_test_counts_all_ways_coins_fall(above, below):
    assert sign_test(above, below) == brute_sign_test(above, below)


@pytest.mark.parametrize(
    ("above", "below", "published"),
    # Measured on the counting transcripts of arXiv 2410.19730.
    [(3, 514, 1.07e-148), (170, 297, 4.47e-09), (61, 85, 0.0566)],
)
def test_published_p_values(above, below, published):
    assert sign_test(above, below) == pytest.approx(published, rel=5e-3)


def test_mcnemar_looks_at_what_only_one_condition_solved():
    first = [True] * 8 + [False] * 2 + [True] * 5 + [False] * 4
    second = [False] * 8 + [True] * 2 + [True] * 5 + [False] * 4
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (8, 2)
    assert found.p_value == brute_sign_test(8, 2)
    with pytest.raises(ValueError, match="all problems"):
        mcnemar([True], [True, False])


def test_holm_by_hand():
    # Sorted .01 .02 .03 .04: times 4, 3, 2, 1 is .04 .06 .06 .04, which must not fall again.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
    assert np.array_equal(holm([0.01, np.nan]), [0.01, np.nan], equal_nan=True)


def test_holm_calls_nothing_falsely_more_often_than_it_says():
    random = np.random.default_rng(2)
    false_calls = sum(min(holm(random.random(6).tolist())) <= 0.05 for _ in range(4000))
    assert 0.035 <= false_calls / 4000 <= 0.06


def test_cochran_by_hand():
    # Columns 4, 2, 1 of six rows with sums 3, 1, 2, 1, 0, 0: (3-1)(3*21-49)/(21-15).
    outcomes = [[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    found = cochran_q(outcomes)
    assert found.statistic == pytest.approx(28 / 6)
    assert found.degrees == 2
    assert found.p_value == pytest.approx(np.exp(-28 / 12))


def test_cochran_of_conditions_without_a_difference():
    random = np.random.default_rng(4)
    hard = random.random((400, 60, 1))
    low = sum(cochran_q(random.random((60, 4)) < each).p_value <= 0.05 for each in hard)
    assert 0.02 <= low / 400 <= 0.085
    assert cochran_q([[1, 1], [0, 0]]).p_value == 1
    with pytest.raises(ValueError, match="at least two"):
        cochran_q([[1], [0]])


def brute_power(pairs, difference, discordant):
    """Over all ways in which problems can go: only first, only second, neither matters."""
    better, worse = (discordant + difference) / 2, (discordant - difference) / 2
    total = 0.0
    for fall in product((1, -1, 0), repeat=pairs):
        above, below = fall.count(1), fall.count(-1)
        if brute_sign_test(above, below) <= 0.05:
            total += better**above * worse**below * (1 - discordant) ** fall.count(0)
    return total


@pytest.mark.parametrize(
    ("difference", "discordant"), [(0.3, 0.5), (0.9, 0.9), (0, 0.8), (1, 1)]
)
def test_power_over_everything_that_can_happen(difference, discordant):
    expected = brute_power(7, difference, discordant)
    assert paired_power(7, difference, discordant) == pytest.approx(expected, rel=1e-9)
    assert paired_power(7, -difference, discordant) == pytest.approx(expected, rel=1e-9)


def test_planning_agrees_with_power():
    pairs = needed_pairs(0.1, 0.25)
    assert paired_power(pairs, 0.1, 0.25) >= 0.8 > paired_power(pairs - 1, 0.1, 0.25)
    # Connor, Biometrics 43 (1987): about 194 by the normal approximation.
    assert 185 <= pairs <= 215
    found = detectable_difference(pairs, 0.25)
    assert found == pytest.approx(0.1, abs=2e-3)
    assert np.isnan(detectable_difference(5, 0.5))
    with pytest.raises(ValueError, match="at least as many discordant"):
        paired_power(10, 0.5, 0.2)
    with pytest.raises(ValueError, match="no study"):
        needed_pairs(0.0, 0.2)


def test_a_clustered_interval_does_not_take_answers_to_one_problem_as_many():
    random = np.random.default_rng(1)
    problems = np.repeat(np.arange(60), 10)
    values = np.repeat(random.random(60) < 0.5, 10)
    clustered = clustered_mean(values, problems, draws=2000)
    naive = clustered_mean(values, np.arange(600), draws=2000)
    assert clustered.value == naive.value == values.mean()
    assert (clustered.high - clustered.low) / (naive.high - naive.low) == pytest.approx(
        10**0.5, rel=0.1
    )


def test_clustered_intervals_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(5)
    names = [f"problem {number}" for number in range(40) for _ in range(3)]
    held = 0
    for seed in range(400):
        easy = np.repeat(random.beta(2, 2, 40), 3)
        found = clustered_mean(random.random(120) < easy, names, draws=500, seed=seed)
        held += found.low <= 0.5 <= found.high
    assert 0.92 <= held / 400 <= 0.98
    with pytest.raises(ValueError, match="one for each"):
        clustered_mean([1, 2], ["a"])
