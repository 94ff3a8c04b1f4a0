import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.studies.numbers.formats import parse_format
from tokkit.studies.numbers.scoring.answers import (
    find_any_number,
    find_number,
    read_repeat,
    split_response,
    written_numbers,
)

FORMATS = ("nosep", "comma_r2l", "comma_l2r", "space_l2r", "foo_r2l", "dec_r2l", "padded:40")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8,365,772", 8365772),
        ("8 365.772", 8365772),
        ("8foo365foo772", 8365772),
        ("8,  365", 8365),
        ("The answer is 12.", 12),
        ("-1,234", -1234),
        ("−7", -7),
        ("007", 7),
        ("12 and 34", None),
        ("8oof365oof772", None),
        ("12+34", None),
        ("1,234=1,234", None),
        ("none", None),
        ("", None),
        ("１２", None),
    ],
)
def test_an_answer_is_the_only_number(text, value):
    found = find_number(text)
    assert (found.value if found else None) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8oof365oof772", 8365772),
        ("8_365_772", 8365772),
        ("8'365'772", 8365772),
        ("8oof365ab772", None),
        ("12 and 34", None),
        ("12+34", None),
        ("12\n34", None),
        ("1", 1),
    ],
)
def test_the_agnostic_reader_takes_any_one_separator(text, value):
    found = find_any_number(text)
    assert (found.value if found else None) == value


@given(st.integers(-(10**39), 10**39), st.sampled_from(FORMATS))
def test_what_is_written_is_read(number, name):
    written = parse_format(name).write(number)
    for text in (written, f"It is {written}.", f"{written}\n"):
        found = find_number(text)
        assert found.value == number
        assert found.text == written
        assert text[found.start :].startswith(written)


@given(st.integers(-(10**30), 10**30))
def test_numbers_with_their_units_first_are_turned_round(number):
    written = parse_format("reversed").write(number)
    assert find_number(written, units_first=True).value == number
    assert find_any_number(written, units_first=True).value == number


def test_an_answer_without_end_is_no_number():
    assert find_number("9" * 5000) is None
    assert find_number("1" + ",1" * 100_000) is None


def test_other_separators_have_to_be_named():
    assert find_number("1_234", ["_"]).value == 1234
    assert find_number("1_234") is None
    assert find_number("1-234", ["-"]).text == "1-234"


@pytest.mark.parametrize(
    ("response", "repeats", "operation", "parts"),
    [
        ("1+2=3", True, "+", ("1+2", "3")),
        ("1 - 2 = -1", True, "-", ("1 - 2 ", " -1")),
        ("1*2=3=4", True, "*", ("1*2", "3=4")),
        ("1+2", True, "+", ("1+2", "1+2")),
        ("3", True, "+", (None, "3")),
        ("1+2=3", False, "+", (None, "1+2=3")),
    ],
)
def test_a_repeated_problem_is_what_comes_before_the_equals_sign(
    response, repeats, operation, parts
):
    assert split_response(response, repeats=repeats, operation=operation) == parts


def test_repeated_problems_are_read():
    found = read_repeat("1,234 + 5,678 ", "+")
    assert found.numbers == (1234, 5678)
    assert found.texts == ("1,234", "5,678")
    assert (found.padded, found.extraneous) == (True, False)
    assert read_repeat("x1*2", "*").extraneous
    assert read_repeat("1*a", "*").numbers == (1, None)
    assert read_repeat("1-2-3", "-") is None


def test_all_numbers_of_a_text():
    assert written_numbers("1,234+5.678=") == ["1,234", "5.678"]
    assert written_numbers("50-3=") == ["50", "3"]
    assert written_numbers("2oof307") == ["2", "307"]
