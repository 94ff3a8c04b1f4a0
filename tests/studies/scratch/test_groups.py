"""Numbers as groups of digits, beside cuts of their decimal strings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.errors import UsageError
from tokkit.studies.scratch.groups import Grouping, digit_counts
from tokkit.studies.scratch.rows import PAD

GROUPINGS = [Grouping(direction, size) for direction in ("l2r", "r2l") for size in (1, 2, 3, 4)]


def cut(digits, direction, size):
    """Cut a string of digits: ``cut("12345", "r2l", 3) == ["12", "345"]``."""
    if direction == "r2l":
        return [part[::-1] for part in cut(digits[::-1], "l2r", size)][::-1]
    return [digits[start : start + size] for start in range(0, len(digits), size)]


def spellings(size):
    """All tokens in the order of their ids."""
    return [f"{n:0{width}d}" for width in range(1, size + 1) for n in range(10**width)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("single", "1 2 3 4 5 6 7"),
        ("l2r3", "123 456 7"),
        ("r2l3", "1 234 567"),
        ("l2r2", "12 34 56 7"),
        ("r2l2", "1 23 45 67"),
    ],
)
def test_a_number_is_cut_as_its_name_says(name, expected):
    grouping = Grouping.parse(name)
    tokens = grouping.encode(np.array([1234567]))[0]
    assert " ".join(spellings(grouping.size)[token] for token in tokens) == expected


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.sampled_from(GROUPINGS))
def test_many_numbers_at_once_are_cut_like_strings(values, grouping):
    rows = grouping.encode(np.array(values))
    names = spellings(grouping.size)
    assert len(names) == grouping.vocab_size
    for value, row in zip(values, rows, strict=True):
        tokens = [names[token] for token in row if token != PAD]
        assert tokens == cut(str(value), grouping.direction, grouping.size)
        assert list(row[len(tokens) :]) == [PAD] * (len(row) - len(tokens))
        assert len(tokens) == grouping.most_tokens(len(str(value)))
    assert grouping.decode(rows).tolist() == values


@given(
    st.lists(st.lists(st.integers(PAD, 115), min_size=3, max_size=3), min_size=1, max_size=9)
)
def test_what_is_no_number_is_told_apart(rows):
    names = [*spellings(2), *["x"] * 6]
    said = Grouping("r2l", 2).decode(np.array(rows))
    for row, value in zip(rows, said, strict=True):
        text = "".join(names[token] for token in row if token != PAD)
        is_number = text.isdigit() and str(int(text)) == text
        assert value == (int(text) if is_number else -1)


def test_digits_are_counted_as_they_are_written():
    values = [0, 1, 9, 10, 99, 100, 10**17 - 1, 10**17]
    assert digit_counts(np.array(values)).tolist() == [len(str(value)) for value in values]


@pytest.mark.parametrize("name", ["", "l2r", "l2r0", "r2l5", "r2l12", "left2", "l2r2 "])
def test_other_names_are_refused(name):
    with pytest.raises(UsageError, match="no way to cut numbers"):
        Grouping.parse(name)
