"""Spaces of pairs of operands, against all pairs there are."""

from itertools import groupby, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokkit.studies.numbers.pair_spaces import ColumnSpace, Wanted, operands, pair_space


def carried(one, other, operation):
    """Say which columns carry by the definition: what the lower digits come to is too much."""
    large, small = max(one, other), min(one, other)
    found = []
    for place in range(1, len(str(large)) + 1):
        low, lower = large % 10**place, small % 10**place
        found.append(low + lower >= 10**place if operation == "+" else low < lower)
    return found


def is_wanted(one, other, operation, wanted, negative):
    answer = one + other if operation == "+" else one - other
    columns = carried(one, other, operation)
    chain = max((len(list(run)) for value, run in groupby(columns) if value), default=0)
    return (
        (negative or answer >= 0)
        and (wanted.carries is None or wanted.carries[0] <= sum(columns) <= wanted.carries[1])
        and (wanted.chain is None or wanted.chain[0] <= chain <= wanted.chain[1])
        and (wanted.answer_digits is None or len(str(abs(answer))) in wanted.answer_digits)
    )


@pytest.mark.parametrize("lengths", [(1, 1), (1, 2), (2, 2), (3, 1)])
@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(carries=(0, 0)),
        Wanted(carries=(1, 2)),
        Wanted(chain=(2, 3)),
        Wanted(answer_digits={2}),
        Wanted((1, 2), (1, 1), {2, 3}),
    ],
    ids=repr,
)
def test_a_space_has_each_pair_that_is_wanted_once(lengths, wanted):
    for operation, negative in (("+", False), ("-", False), ("-", True)):
        space = pair_space(lengths, operation, wanted, negative=negative)
        pairs = [space.pair(rank) for rank in range(space.size)]
        expected = {
            pair
            for pair in product(*map(operands, lengths))
            if is_wanted(*pair, operation, wanted, negative)
        }
        assert len(pairs) == len(expected)
        assert set(pairs) == expected


@given(st.data())
@settings(max_examples=20)
def test_long_numbers_are_as_wanted_too(data):
    operation = data.draw(st.sampled_from("+-"))
    short, long = sorted(data.draw(st.tuples(st.integers(1, 20), st.integers(1, 20))))
    most = data.draw(st.integers(0, long))
    wanted = Wanted((0, most), (0, min(most, 3)), range(1, long + 2))
    space = ColumnSpace((long, short), operation, wanted)
    pair = space.pair(data.draw(st.integers(0, space.size - 1)))
    assert [len(str(number)) for number in pair] == [long, short]
    assert is_wanted(*pair, operation, wanted, negative=False)


def test_a_space_of_any_pairs_counts_what_python_cannot_hold():
    space = pair_space((60, 90), "+")
    assert space.size == 9 * 10**59 * 9 * 10**89
    assert space.pair(0) == (10**59, 10**89)
    assert space.pair(space.size - 1) == (10**60 - 1, 10**90 - 1)


@pytest.mark.parametrize("lengths", list(product((1, 2, 3), repeat=2)))
def test_products_are_there_if_any_has_so_many_digits(lengths):
    sizes = {len(str(one * other)) for one, other in product(*map(operands, lengths))}
    for digits in range(1, 8):
        space = pair_space(lengths, "*", Wanted(answer_digits={digits}))
        assert bool(space.size) == (digits in sizes)
