"""What answers say, and how far they are from the truth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.studies.counting.answers import read_answer, read_published, read_robust
from tokkit.studies.counting.strings import edit_distance, first_difference, same_letters

TEXTS = st.text("abc", max_size=10)


@pytest.mark.parametrize(
    ("response", "published", "robust"),
    [
        ("Result: 12", 12, 12),
        ("a: 1\nb: 2\n\nResult: 3\n", 3, 3),
        ("Result: 4, no.\nResult: 5", 5, 5),
        ("Result: 12.", None, 12),
        ("Result: **12**", None, 12),
        ("**Result:** 1,234", None, 1234),
        ("Result: seven", None, 7),
        ("Result: twenty-one times", None, 21),
        ("### Final Result = 8", None, 8),
        (r"\boxed{12}", None, 12),
        ("There are 'a's: **22** of them.", None, 22),
        ("Result: 3 + 4", None, None),
        ("Result: 12.5", None, None),
        ("Result: ", None, None),
        ("Result:7", None, 7),
        ("I cannot count.", None, None),
        ("", None, None),
        ("Result: 1_0", 10, None),  # as Python reads it, and so the published scorer
        ("Result: " + "9" * 5000, None, None),
    ],
)
def test_numbers_are_read(response, published, robust):
    assert read_published(response) == published
    assert read_robust(response) == robust


@given(st.integers(-(10**6), 10**6), st.text("abc .:\n"))
def test_both_readers_agree_where_the_published_one_reads(number, before):
    response = f"{before}\nResult: {number}"
    assert read_published(response) == read_robust(response) == number


def test_the_last_line_of_an_answer_that_was_cut_off_says_nothing():
    assert read_answer("count", "Step 1\nStep 2", "ab").robust == 2
    assert read_answer("count", "Step 1\nStep 2", "ab", cut_off=True) == (None, None)
    assert read_answer("count", "Result: 2", "ab", cut_off=True) == (2, 2)


@pytest.mark.parametrize(
    ("response", "published", "robust"),
    [
        ("Result: aab", "aab", "aab"),
        ("Result: **a, a, b**", "**a, a, b**", "aab"),
        ("Result: ['a', 'a', 'b']", "['a', 'a', 'b']", "aab"),
        ("It is sorted.", None, None),
        ("Result: ", None, None),
    ],
)
def test_strings_are_read(response, published, robust):
    assert read_answer("sort", response, "aba") == (published, robust)


def distance(first, second):
    """Edit distance by its definition (Wagner and Fischer, J. ACM 21, 1974)."""
    above = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        row = [i]
        for j, other in enumerate(second, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != other)))
        above = row
    return above[-1]


@given(TEXTS, TEXTS)
def test_edit_distance(first, second):
    assert edit_distance(first, second) == distance(first, second)


@given(TEXTS, TEXTS)
def test_what_two_strings_have_in_common(first, second):
    assert same_letters(first, second) == (sorted(first) == sorted(second))
    place = first_difference(first, second)
    assert (place is None) == (first == second)
    if place is not None:
        assert first[:place] == second[:place]
        assert first[place : place + 1] != second[place : place + 1]
