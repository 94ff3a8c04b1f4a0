"""Rows of tokens of unequal lengths."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tokkit.lm.train_run import IGNORED
from tokkit.studies.scratch.rows import PAD, column, join, lengths, lesson

TOKENS = st.lists(st.integers(0, 9), max_size=4)


def padded(rows):
    width = max(map(len, rows), default=0)
    filled = [[*row, *[PAD] * (width - len(row))] for row in rows]
    return np.array(filled, dtype=np.int64).reshape(len(rows), width)


@given(st.lists(st.tuples(TOKENS, TOKENS, TOKENS), min_size=1, max_size=8))
def test_rows_are_joined_like_lists(parts):
    rows = join(*(padded(own) for own in zip(*parts, strict=True)))
    expected = [[token for part in row for token in part] for row in parts]
    assert rows.tolist() == padded(expected).tolist()
    assert lengths(rows).tolist() == [len(row) for row in expected]


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 9), min_size=1, max_size=4),
            st.lists(st.integers(0, 9), min_size=1, max_size=4),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_only_answers_are_to_be_foretold(pairs):
    questions, answers = (padded(own) for own in zip(*pairs, strict=True))
    inputs, targets = lesson(questions, answers)
    for (question, answer), read, wanted in zip(pairs, inputs, targets, strict=True):
        whole = question + answer
        assert read[: len(whole) - 1].tolist() == whole[:-1]
        places = range(len(question) - 1, len(whole) - 1)
        assert [wanted[place] for place in places] == answer
        assert (np.delete(wanted, places) == IGNORED).all()
    assert inputs.min() >= 0


def test_a_column_is_the_same_token_everywhere():
    assert column(7, 3).tolist() == [[7], [7], [7]]
