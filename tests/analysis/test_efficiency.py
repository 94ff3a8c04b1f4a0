import math
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.analysis.efficiency import Spectrum


def renyi_entropy(counts, alpha):
    return Spectrum(counts).entropy(alpha)


def percentile_frequency(counts, *ranks):
    return Spectrum(counts).percentile_frequency(*ranks)


def efficiencies(counts, alpha, vocab):
    return Spectrum(counts).efficiencies(renyi_entropy(counts, alpha), vocab)


# The tokens of the texts in the readme of tokenization-scorer, and what its tests say of them.
FIRST = Counter({"pick": 3, "@@ed": 2, "@@l": 1, "@@les": 1})
SECOND = Counter(
    ["pick", "@@e", "@@d", "pick", "@@l", "@@e", "@@d", "pick", "@@l", "@@e", "@@s"]
)


@pytest.mark.parametrize(
    ("alpha", "first", "second"),
    [
        (2.5, 0.8265064834225245, 0.9204840242168808),
        (3, 0.8031528501359657, 0.9105681923824472),
        (1, 0.9211854965885544, 0.9609557933859342),
    ],
)
def test_efficiency_by_observed_types_is_that_of_tokenization_scorer(alpha, first, second):
    for counts, published in ((FIRST, first), (SECOND, second)):
        found = efficiencies(list(counts.values()), alpha, 100)
        assert found["observed"] == pytest.approx(published, abs=1e-12)


def test_entropies_are_those_of_tokenization_scorer():
    assert renyi_entropy(list(FIRST.values()), 2.5) == pytest.approx(1.653012966845049)
    assert renyi_entropy(list(SECOND.values()), 2.5) == pytest.approx(2.1372977167241545)
    assert renyi_entropy(list(FIRST.values()), 1) == pytest.approx(1.8423709931771088)
    assert renyi_entropy(list(SECOND.values()), 1) == pytest.approx(2.2312702546075758)


@pytest.mark.parametrize(
    ("first", "last", "published"),
    [(3, 83, (0.857142857142857, 0.9090909090909092)), (30, 60, (2 / 7, 5 / 11))],
)
def test_percentile_frequency_is_that_of_tokenization_scorer(first, last, published):
    for counts, value in zip((FIRST, SECOND), published, strict=True):
        found = percentile_frequency(list(counts.values()), first, last)
        assert found == pytest.approx(value)


COUNTS = st.lists(st.integers(0, 50) | st.integers(1000, 1050), min_size=1, max_size=40).filter(
    any
)


@given(COUNTS, st.sampled_from([2, 3, 4]))
def test_entropy_of_whole_orders_is_a_fraction(counts, alpha):
    total = sum(counts)
    power_sum = sum(Fraction(count, total) ** alpha for count in counts)
    found = renyi_entropy(counts, alpha)
    assert found == pytest.approx(math.log2(power_sum) / (1 - alpha), abs=1e-9)


@given(COUNTS)
def test_entropy_falls_with_its_order_and_shannon_is_its_limit(counts):
    entropies = [renyi_entropy(counts, alpha) for alpha in (0, 0.5, 1, 2, 2.5, 3, 40)]
    assert entropies[0] == pytest.approx(math.log2(sum(count > 0 for count in counts)))
    assert all(a >= b - 1e-9 for a, b in pairwise(entropies))
    assert renyi_entropy(counts, 1 + 1e-6) == pytest.approx(entropies[2], abs=1e-4)


@given(COUNTS)
def test_middle_ranks_are_those_of_a_sorted_list(counts):
    shares = sorted((Fraction(c, sum(counts)) for c in counts if c), reverse=True)
    n = len(shares)
    middle = shares[math.floor(Fraction(3, 100) * n) : math.floor(Fraction(83, 100) * n)]
    assert percentile_frequency(counts) == pytest.approx(float(sum(middle)))


def test_denominators():
    found = efficiencies([8, 8, 0, 0], 2.5, 4)
    assert found == pytest.approx({"observed": 1, "vocabulary": 0.5, "attainable": 0.5})
    few = efficiencies([1, 1, 0, 0, 0, 0, 0, 0], 1, 8)
    assert few == pytest.approx({"observed": 1, "vocabulary": 1 / 3, "attainable": 1})


def test_where_nothing_can_be_told():
    assert all(map(math.isnan, efficiencies([0, 0], 2, 2).values()))
    alone = efficiencies([7], 2, 9)
    assert math.isnan(alone["observed"])
    assert alone["vocabulary"] == 0
    assert math.isnan(percentile_frequency([0]))
