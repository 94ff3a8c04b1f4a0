"""Nearest vectors against sorting all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.transplant.methods import nearest as module
from tokkit.transplant.methods.nearest import cosines, nearest

VECTORS = st.integers(0, 1 << 32).map(
    lambda seed: np.random.default_rng(seed).standard_normal((7, 6)).astype(np.float32)
)
CHOICES = st.lists(st.integers(0, 6), min_size=1, max_size=25)


def slow(queries, candidates, count):
    """Numbers and cosines of the nearest, by sorting them all; equal vectors by number."""
    left, right = queries.astype(np.float64), candidates.astype(np.float64)
    lengths = np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)
    similar = left @ right.T / np.where(lengths > 0, lengths, 1)
    order = np.argsort(-similar.round(12), axis=1, kind="stable")[:, :count]
    return order, np.take_along_axis(similar, order, axis=1)


@given(VECTORS, CHOICES, CHOICES, st.data())
def test_the_nearest_come_first_and_equal_ones_by_number(vectors, asked, offered, data):
    count = data.draw(st.integers(1, len(offered)))
    queries, candidates = vectors[asked], vectors[offered]
    places, similar = nearest(queries, candidates, count)
    right, cosine = slow(queries, candidates, count)
    assert places.tolist() == right.tolist()
    np.testing.assert_allclose(similar, cosine, atol=1e-12)


@pytest.fixture(scope="module")
def many():
    draws = np.random.default_rng(0)
    queries, candidates = (
        draws.standard_normal((n, 16)).astype(np.float32) for n in (300, 5000)
    )
    candidates[::7] = candidates[3]
    candidates[11] = 0
    queries[5] = 0
    return queries, candidates


@pytest.mark.parametrize("count", [1, 3, 40])
def test_tiles_and_blocks_change_nothing(many, count, monkeypatch):
    whole = nearest(*many, count)
    right, cosine = slow(*many, count)
    assert whole[0].tolist() == right.tolist()
    np.testing.assert_allclose(whole[1], cosine, atol=1e-12)
    monkeypatch.setattr(module, "_QUERIES", 13)
    monkeypatch.setattr(module, "_TILE", 101)
    again = nearest(*many, count)
    assert whole[0].tobytes() == again[0].tobytes()
    assert whole[1].tobytes() == again[1].tobytes()


def test_progress_counts_queries(many):
    calls = []
    nearest(*many, 2, lambda *call: calls.append(call))
    assert calls == [("nearest tokens", 256, 300), ("nearest tokens", 300, 300)]


def test_cosines_of_pairs(many, monkeypatch):
    queries, candidates = many
    vectors = np.concatenate([queries, candidates])
    left = np.arange(300)
    right = 300 + np.arange(300)
    found = cosines(vectors, left, right)
    for place in (0, 5, 11, 299):
        a, b = (each.astype(np.float64) for each in (queries[place], candidates[place]))
        wanted = a @ b / (np.linalg.norm(a) * np.linalg.norm(b) or 1)
        assert found[place] == pytest.approx(wanted, abs=1e-12)
    monkeypatch.setattr(module, "_PAIRS", 7)
    assert cosines(vectors, left, right).tobytes() == found.tobytes()
    assert cosines(vectors, left[:0], right[:0]).size == 0
