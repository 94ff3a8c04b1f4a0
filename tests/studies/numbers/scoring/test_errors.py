import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.studies.numbers.problems import Problem
from tokkit.studies.numbers.scoring.carries import carries, longest_chain
from tokkit.studies.numbers.scoring.errors import (
    Posed,
    carry_errors,
    digit_errors,
    is_digit_dropped,
    kind_of,
    off_by_one_place,
)

OPERANDS = st.integers(0, 10**25)


def test_carries_by_hand():
    assert carries(999, 1) == [True, True, True]
    assert carries(505, 505) == [True, False, True]
    assert carries(1000, 1, "-") == [False, True, True, True]
    assert carries(12, 34, "*") is None
    with pytest.raises(ValueError, match="negative"):
        carries(-1, 2)


@given(OPERANDS, OPERANDS)
def test_a_column_carries_if_what_is_right_of_it_overflows(one, other):
    width = len(str(max(one, other)))
    expected = []
    for place in range(width, 0, -1):
        mask = 10**place
        expected.append(one % mask + other % mask >= mask)
    assert carries(one, other) == expected


@given(OPERANDS, OPERANDS)
def test_a_column_borrows_if_what_is_right_of_it_is_less(one, other):
    large, small = max(one, other), min(one, other)
    places = range(len(str(large)), 0, -1)
    expected = [large % 10**place < small % 10**place for place in places]
    assert carries(one, other, "-") == expected


@given(st.lists(st.booleans(), max_size=12))
def test_the_longest_chain_is_the_longest_run(columns):
    text = "".join("x" if each else " " for each in columns)
    assert longest_chain(columns) == max(map(len, text.split()), default=0)


@given(st.integers(-(10**30), 10**30), st.integers(0, 32), st.booleans())
def test_off_by_one_is_off_by_a_power_of_ten(truth, place, above):
    assert off_by_one_place(truth + (10**place if above else -(10**place)), truth) == place
    assert off_by_one_place(truth + 2 * 10**place, truth) is None
    assert off_by_one_place(truth + 11 * 10**place, truth) is None
    assert off_by_one_place(truth, truth) is None


@given(OPERANDS, OPERANDS)
def test_digit_errors_compare_digit_by_digit(answer, truth):
    right = digit_errors(answer, truth)
    assert right == [
        abs(answer // 10**place % 10 - truth // 10**place % 10)
        for place in reversed(range(len(str(answer))))
    ]
    if len(str(answer)) == len(str(truth)):
        assert digit_errors(answer, truth, align="left") == right
        assert any(right) == (answer != truth)


@pytest.mark.parametrize(
    ("problem", "answer", "kind"),
    [
        (Problem(12, 345), 358, "off_by_one"),
        (Problem(12, 345), 912, "other"),
        (Problem(12, 345), 120 + 345, "left_aligned"),
        (Problem(345, 12), 465, "left_aligned"),
        (Problem(1234, 5678), 123 + 5678, "operand_digit_dropped"),
        (Problem(1234, 5678), 692, "answer_digit_dropped"),
        (Problem(1234, 5678), 6921, "swapped"),
        (Problem(1234, 5678), 6962, "one_digit"),
        (Problem(1234, 5678), 69, "length"),
        (Problem(1234, 5678), 7033, "other"),
        (Problem(5, 8, "-"), 3, "sign"),
        (Problem(5, 8, "-"), -4, "off_by_one"),
        (Problem(12, 34, "*"), 777, "other"),
        (Problem(12, 34, "*"), 418, "off_by_one"),
        (Problem(12, 34, "*"), 68, "operand_digit_dropped"),
    ],
)
def test_kinds(problem, answer, kind):
    assert kind_of(answer, Posed(problem)) == kind


def test_groups_are_added_one_by_one():
    # From the left: 123|456|7 + 12|345 is 135|801|7.
    left = Posed(Problem(1234567, 12345), (["123", "456", "7"], ["123", "45"]))
    assert kind_of(int("2465017"), left) == "chunks_left"
    right = Posed(Problem(1234567, 912345), (["1", "234", "567"], ["912", "345"]))
    assert kind_of(int("11146912"), right) == "chunks_right"


def test_a_right_answer_is_no_error():
    with pytest.raises(ValueError, match="right answer"):
        kind_of(3, Posed(Problem(1, 2)))
    assert not is_digit_dropped(579, Posed(Problem(123, 456)))


def test_errors_where_something_is_carried():
    # 999 + 1: the units' carry reaches every column; the hundreds are wrong.
    posed = Posed(Problem(999, 1))
    assert carry_errors(1100, posed) == (1, 1)
    assert carry_errors(1001, posed) == (0, 1)
    assert carry_errors(3, Posed(Problem(1, 3, "*"))) is None
