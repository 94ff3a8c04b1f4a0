"""Methods that compose a new token from the pieces that spell it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transplant.small import context, matrix, tokenizer
from tokkit.transplant.context import COMPOSED, MEAN, MEAN_ROW, RANDOM
from tokkit.transplant.matrix import Matrix
from tokkit.transplant.methods import METHODS, pieces
from tokkit.transplant.planning import make_plan

SOURCE = tokenizer(b"th", b"er", b"ing", b"fa")
TARGET = tokenizer(b"father", b"thing", b"xyz", b"th", b"\xe2\x82")

# From the formulas, m counting the pieces of a token of n from 1 on.
FORMULAS = {
    ("mean", "input"): lambda m, n: 1,
    ("mean", "output"): lambda m, n: 1,
    ("last", "input"): lambda m, n: int(m == n),
    ("front", "output"): lambda m, n: 0.5 ** (m - 1),
    ("adaptivocab", "input"): lambda m, n: math.exp(2 * m),
    ("adaptivocab", "output"): lambda m, n: math.exp(-2 * m),
}
SPELLED = {
    b"father": [b"fa", b"th", b"er"],
    b"thing": [b"th", b"ing"],
    b"xyz": [b"x", b"y", b"z"],
    b"\xe2\x82": [b"\xe2", b"\x82"],
}


@pytest.mark.parametrize(("name", "side"), FORMULAS)
def test_rows_follow_the_formula(name, side):
    made = METHODS[name].method(context(SOURCE, TARGET), side)
    new = [TARGET.vocab.tokens[i] for i in context(SOURCE, TARGET).alignment.new]
    assert new == list(SPELLED)
    for number, token in enumerate(new):
        parts = [SOURCE.vocab.ids[part] for part in SPELLED[token]]
        shares = [FORMULAS[name, side](m, len(parts)) for m in range(1, len(parts) + 1)]
        expected = {
            part: share / sum(shares)
            for part, share in zip(parts, shares, strict=True)
            if share
        }
        assert dict(made.rows.row(number)) == pytest.approx(expected, rel=1e-6)
    assert (made.origins == COMPOSED).all()


def test_first_is_front_without_further_pieces():
    made = pieces.front(context(SOURCE, TARGET, decay=0.0), "output")
    firsts = [made.rows.row(number) for number in range(4)]
    assert firsts == [[(SOURCE.vocab.ids[parts[0]], 1.0)] for parts in SPELLED.values()]


def test_what_cannot_be_spelled_is_the_mean():
    source = tokenizer(b"ab", first=(b"?", b"a"))
    made = pieces.mean(context(source, tokenizer(b"abx")), "input")
    assert made.rows.row(len(made.rows) - 1) == [(len(source.vocab) + MEAN_ROW, 1.0)]
    assert made.origins[-1] == MEAN


@pytest.mark.parametrize("name", ["mean", "last", "front", "adaptivocab"])
@given(weights=st.lists(st.binary(min_size=2, max_size=6), max_size=8, unique=True))
def test_weights_add_up_to_one(name, weights):
    made = METHODS[name].method(context(SOURCE, tokenizer(*weights)), "output")
    sums = np.bincount(made.rows.owners, made.rows.weights, minlength=len(made.rows))
    np.testing.assert_allclose(sums, 1, rtol=1e-6)


@pytest.mark.parametrize("name", ["mean", "front"])
def test_shrunk_rows_are_nearer_to_the_mean_of_the_source_the_more_pieces_they_have(name):
    values = matrix(SOURCE).astype(np.float64)
    middle = values[: len(SOURCE.vocab)].mean(axis=0)
    plain, shrunk = (
        np.concatenate(list(Matrix(plan, "output", values).blocks(len(TARGET.vocab), "F64")))
        for plan in (
            make_plan(context(SOURCE, TARGET), each, each) for each in (name, f"{name}-shrunk")
        )
    )
    for token, row in enumerate(plain):
        count = len(SPELLED.get(TARGET.vocab.tokens[token], [b""]))
        expected = row / count + (1 - 1 / count) * middle
        np.testing.assert_allclose(shrunk[token], expected, atol=1e-6)


def test_what_cannot_be_spelled_stays_the_mean_when_it_is_shrunk():
    source = tokenizer(b"ab", first=(b"?", b"a"))
    made = METHODS["mean-shrunk"].method(context(source, tokenizer(b"aab", b"abx")), "input")
    place = made.origins.tolist().index(MEAN)
    assert made.rows.row(place) == [(len(source.vocab) + MEAN_ROW, 1.0)]


def test_random_rows_are_the_mean_and_noise():
    made = pieces.random(context(SOURCE, TARGET), "input")
    assert (made.noise == 1).all()
    assert (made.origins == RANDOM).all()
    assert pieces.global_mean(context(SOURCE, TARGET), "input").noise is None
