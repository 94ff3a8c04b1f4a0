"""Rows by a linear map from the donor's space."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import ridge as reference
from tests.transplant.donors import SHARED, apply, parts, random_rows, with_donor
from tests.transplant.small import context, matrix, tokenizer
from tokkit.errors import UsageError
from tokkit.transplant.context import DONOR, VIRTUAL_ROWS
from tokkit.transplant.methods.ridge import ridge


@given(
    st.integers(1, 40),
    st.integers(0, 2**32),
    st.sampled_from([0.001, 0.01, 1, 100]),
    st.sampled_from([0, 2]),
)
def test_rows_are_those_of_the_closed_form(width, seed, penalty, mean):
    made_of = with_donor(random_rows(width, seed, mean), shared=SHARED, ridge=penalty)
    source = matrix(made_of.source, width=7, seed=seed) + mean
    made = ridge(made_of, "output")
    shared, new, sources = parts(made_of, "output")
    wanted = reference.predict(shared, source[sources], new, penalty)
    assert apply(made, source) == pytest.approx(wanted, abs=1e-5 * max(1, np.abs(wanted).max()))
    assert made.origins.tolist() == [DONOR] * len(new)
    assert len(made.virtual) == width + 1
    assert made.rows.ids.min() == len(made_of.source.vocab) + VIRTUAL_ROWS


@pytest.mark.parametrize("penalty", [0, 1e-9, 0.01])
def test_a_rotated_and_shifted_copy_of_the_donor_is_recovered(penalty):
    width = 24
    made_of = with_donor(random_rows(width, 3), shared=SHARED, ridge=penalty)
    rotation = np.linalg.qr(random_rows(width, 4, 0)(width))[0]
    shared, new, sources = parts(made_of)
    source = matrix(made_of.source, width=width)
    source[sources] = shared @ rotation + 0.3
    made = apply(ridge(made_of, "input"), source)
    wanted = new @ rotation + 0.3
    cosines = (made * wanted).sum(1) / np.linalg.norm(made, axis=1)
    assert cosines / np.linalg.norm(wanted, axis=1) == pytest.approx(1, abs=1e-5)
    if penalty < 0.01:
        assert made == pytest.approx(wanted, abs=1e-5)


def test_a_map_that_nothing_determines_is_refused_without_a_penalty():
    def flat(size):
        rows = random_rows(6)(size)
        rows[:, 2] = 1
        return rows

    with pytest.raises(UsageError, match="set ridge above 0"):
        ridge(with_donor(flat, ridge=0), "input")
    assert np.isfinite(ridge(with_donor(flat), "input").rows.weights).all()


def test_planted_rows_are_said():
    def planted(size):
        rows = random_rows(12, mean=0)(size)
        rows[:, 6:] *= 1e-3
        rows[258, 6:] = 5  # where shared tokens hardly reach
        return rows

    made_of = with_donor(planted, new=[b"n%d" % number for number in range(30)])
    found = ridge(made_of, "input").notes["outliers"]
    assert [each["id"] for each in found] == [258]


def test_no_new_tokens_and_no_donor():
    assert len(ridge(with_donor(random_rows(5), new=()), "input").rows) == 0
    with pytest.raises(UsageError, match="needs a donor"):
        ridge(context(tokenizer(), tokenizer(b"ab")), "input")
