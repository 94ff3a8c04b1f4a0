"""Losses, against the same sums token by token."""

from math import exp, inf, isnan, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.studies.markov.losses import (
    ngram_loss,
    theorem_bound,
    useful_size,
    window_characters,
)

ids = st.lists(st.integers(0, 3), min_size=1, max_size=60)


def slow_chance(train, history, token, size):
    """Witten and Bell's interpolation, by counting anew each time."""
    if not history:
        return (train.count(token) + 0.5) / (len(train) + 0.5 * size)
    n = len(history)
    after = [train[i + n] for i in range(len(train) - n) if train[i : i + n] == history]
    shorter = slow_chance(train, history[1:], token, size)
    if not after:
        return shorter
    kinds = len(set(after))
    return (after.count(token) + kinds * shorter) / (len(after) + kinds)


@given(ids, ids, st.integers(1, 4))
def test_losses_are_those_of_counting_token_by_token(train, test, order):
    slow = -sum(
        log(slow_chance(train, test[max(i - order + 1, 0) : i], token, 5))
        for i, token in enumerate(test)
    )
    found = ngram_loss(
        np.array(train, dtype=np.int32), np.array(test, dtype=np.int32), 5, 7, order
    )
    assert found == pytest.approx(slow / 7, abs=1e-9)


@pytest.mark.parametrize("history", [[], [0], [3], [1, 2], [4, 4]])
def test_chances_sum_to_one(history):
    train = np.random.default_rng(0).integers(0, 4, 50).astype(np.int32)

    def loss(tokens):
        return ngram_loss(train, np.array(tokens, dtype=np.int32), 5, 1, 3)

    chances = [exp((loss(history) if history else 0) - loss([*history, t])) for t in range(5)]
    assert sum(chances) == pytest.approx(1)


def test_windows_cover_what_they_cover():
    lengths = np.array([1, 4, 2, 2, 3])  # windows of two: 5 6 4 5
    assert window_characters(lengths, 2, 0) == 4
    assert window_characters(lengths, 2, 1) == 6
    assert window_characters(lengths, 2, 0.5) == 5
    assert window_characters(lengths, 5, 0.5) == 12
    assert isnan(window_characters(lengths, 6, 0.5))


def test_the_theorem_promises_more_of_larger_dictionaries():
    bounds = [theorem_bound(0.5, 0.2, size) for size in (4, 16, 256, 10**6)]
    assert bounds[0] == inf
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[2] == pytest.approx(0.5 / (1 - log(5) / (0.99 * log(256))))
    assert theorem_bound(0.5, 0.2, 10**300) == pytest.approx(0.5, abs=0.002)


def test_from_the_useful_size_on_the_theorem_says_more_than_characters():
    size = useful_size(0.5004, 0.6931, 0.2)
    assert theorem_bound(0.5004, 0.2, round(size) + 1) < 0.6931
    assert theorem_bound(0.5004, 0.2, round(size) - 1) > 0.6931
    assert useful_size(0.6, 0.6, 0.2) == inf
    assert useful_size(0, 0, 1) == inf
