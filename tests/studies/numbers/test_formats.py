"""How numbers are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.errors import UsageError
from tokkit.studies.numbers.formats import SEPARATORS, parse_format

NAMES = [
    *(f"{name}_{side}" for name in SEPARATORS for side in ("l2r", "r2l")),
    *("nosep", "spaces", "reversed", "padded:1", "padded:12", "sep:·'_r2l", "sep:__l2r"),
]


@pytest.mark.parametrize(
    ("name", "size", "written"),
    [
        ("nosep", 3, "1234567"),
        ("comma_r2l", 3, "1,234,567"),
        ("comma_l2r", 3, "123,456,7"),
        ("comma_r2l", 2, "1,23,45,67"),
        ("dollar_l2r", 4, "1234$567"),
        ("hashtag_r2l", 1, "1#2#3#4#5#6#7"),
        ("foo_r2l", 3, "1foo234foo567"),
        ("sep:_'_r2l", 3, "1_'234_'567"),
        ("sep:__l2r", 3, "123_456_7"),
        ("spaces", 3, "1 2 3 4 5 6 7"),
        ("reversed", 3, "7654321"),
        ("padded:9", 3, "001234567"),
        ("padded:3", 3, "1234567"),
    ],
)
def test_a_number_is_written_as_the_table_says(name, size, written):
    assert parse_format(name, size).write(1234567) == written


def test_full_groups_have_no_separator_before_or_after_them():
    assert parse_format("comma_r2l").write(123456) == "123,456"
    assert parse_format("comma_l2r").write(123456) == "123,456"
    assert parse_format("comma_r2l").write(0) == "0"
    assert parse_format("comma_r2l").groups(12345) == ["12", "345"]
    assert parse_format("comma_l2r").groups(12345) == ["123", "45"]
    assert parse_format("nosep").groups(12345) == ["12345"]


def test_the_sign_comes_first():
    assert parse_format("reversed").write(-123) == "-321"
    assert parse_format("comma_r2l").write(-1234) == "-1,234"
    assert parse_format("padded:4").write(-12) == "-0012"


numbers = st.integers(-(10**30), 10**30)


@given(st.sampled_from(NAMES), st.integers(1, 4), numbers)
def test_what_is_written_is_read_again(name, size, number):
    written = parse_format(name, size)
    assert written.read(written.write(number)) == number


@given(st.sampled_from(NAMES), st.integers(1, 4), st.text("0123456789,.# $fo-'·_", max_size=12))
def test_only_what_would_be_written_is_read(name, size, text):
    written = parse_format(name, size)
    number = written.read(text)
    assert number is None or written.write(number) == text


@pytest.mark.parametrize(
    "text", ["1234", " 1,234", "1,234 ", "01,234", "1,23,4", "-0", "", "²"]
)
def test_another_spelling_is_no_number(text):
    assert parse_format("comma_r2l").read(text) is None


def test_more_digits_than_python_reads_are_no_number():
    assert parse_format("nosep").read("1" * 100_000) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("comma", "no number format 'comma'"),
        ("words", "no number format 'words'"),
        ("comma_up", "_l2r or _r2l"),
        ("sep:_r2l", "no number format"),
        ("sep:", "no number format"),
        ("sep:1_r2l", "no number format"),
        ("sep:-_r2l", "no number format"),
        ("padded", "padded:9"),
        ("padded:0", "padded:9"),
        ("padded:x", "padded:9"),
    ],
)
def test_other_names_are_refused_with_the_remedy(name, reason):
    with pytest.raises(UsageError, match=reason):
        parse_format(name)


def test_a_group_has_a_digit():
    with pytest.raises(UsageError, match="at least one"):
        parse_format("comma_r2l", 0)
