"""Rows from the nearest shared tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import knn as reference
from tests.transplant.donors import NEW, SHARED, parts, random_rows, with_donor
from tests.transplant.small import context, tokenizer
from tokkit.errors import ModelError, UsageError
from tokkit.transplant.context import DONOR
from tokkit.transplant.methods.knn import knn


def coarse_rows(width, seed, step, shift):
    """Rows on a grid far from the origin: with many equal distances, and rows that coincide."""

    def make(size):
        rng = np.random.default_rng(seed)
        return (np.rint(rng.standard_normal((size, width)) / step) * step + shift).astype("f4")

    return make


@given(
    st.integers(1, 6),
    st.integers(0, 2**32),
    st.sampled_from([1, 0.5, 1e-3]),
    st.sampled_from([0, 1, 100]),
    st.sampled_from([1, 2, 10, 400]),
)
def test_rows_are_those_of_the_definition(width, seed, step, shift, neighbours):
    made_of = with_donor(coarse_rows(width, seed, step, shift), neighbours=neighbours)
    made = knn(made_of, "input")
    shared, new, sources = parts(made_of)
    for number, target in enumerate(new):
        chosen, weights = reference.mix(target, shared, neighbours)
        entries = made.rows.row(number)
        assert [entry[0] for entry in entries] == sources[chosen].tolist()
        assert [entry[1] for entry in entries] == pytest.approx(weights, rel=1e-5)
    assert made.origins.tolist() == [DONOR] * len(new)


def test_sides_have_their_own_neighbours_and_weights_sum_to_one():
    made_of = with_donor(
        lambda size: {"input": random_rows(20)(size), "output": random_rows(16, 1)(size)},
        shared=SHARED,
    )
    rows = {side: knn(made_of, side).rows for side in ("input", "output")}
    assert not np.array_equal(rows["input"].ids, rows["output"].ids)
    for each in rows.values():
        assert each.weights.reshape(len(NEW), -1).sum(axis=1) == pytest.approx(1)


def test_planted_rows_are_said_and_copies_are_none():
    def planted(size):
        rows = random_rows(8)(size)
        rows[258] *= -40
        rows[259] = rows[0]
        return rows

    made_of = with_donor(planted, new=[b"n%d" % number for number in range(30)])
    found = knn(made_of, "input").notes["outliers"]
    assert [(each["id"], each["token"]) for each in found] == [(258, "n2")]


def test_what_is_missing_is_said():
    assert len(knn(with_donor(random_rows(5), new=()), "input").rows) == 0
    with pytest.raises(UsageError, match="needs a donor"):
        knn(context(tokenizer(), tokenizer(b"ab")), "input")
    apart = with_donor(random_rows(5))
    object.__setattr__(apart.alignment, "shared", np.zeros(0, np.int32))
    with pytest.raises(ModelError, match="share no token"):
        knn(apart, "input")
