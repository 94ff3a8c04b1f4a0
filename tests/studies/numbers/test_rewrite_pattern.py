r"""Rules for numbers inside patterns, against the pattern with whole runs, cut afterwards."""

import time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.patterns import (
    AWKWARD,
    COMMON,
    PUBLISHED,
    cut_by_regex,
    cut_by_tokenizers,
)
from tokkit.errors import UsageError
from tokkit.studies.numbers.rewrite_pattern import (
    Grouping,
    alternatives,
    parse_grouping,
    regroup,
)

NAMES = ["single", "l2r2", "l2r3", "r2l2", "r2l3", "r2l8"]
OWN_RULES = {
    name: next(r for r in (r" ?\p{N}+", r"\p{N}{1,3}", r"\p{N}") if f"|{r}|" in text)
    for name, text in PUBLISHED.items()
    if name != "superbpe-stage2"
}
texts = st.text(st.sampled_from(AWKWARD + COMMON * 3 + "0123456789" * 4), max_size=30)


@given(st.text("0123456789", min_size=1, max_size=30), st.integers(1, 8), st.booleans())
def test_groups_are_full_but_for_one_at_the_end_they_are_counted_to(run, size, from_right):
    groups = Grouping(size, from_right).cut(run)
    assert "".join(groups) == run
    odd, *full = map(len, groups if from_right else groups[::-1])
    assert set(full) <= {size}
    assert 1 <= odd <= size


def expected(pattern, rule, grouping, text):
    """Cut with runs kept whole, then each run; a space before stays with its first group."""
    whole = r" ?\p{N}+" if rule.startswith(" ") else r"\p{N}+"
    pieces = []
    for piece in cut_by_regex(pattern.replace(f"|{rule}|", f"|{whole}|"), text):
        if regex.fullmatch(r" ?\p{N}+", piece):
            run = piece.removeprefix(" ")
            first, *rest = grouping.cut(run)
            pieces += [piece[: len(piece) - len(run)] + first, *rest]
        else:
            pieces.append(piece)
    return pieces


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pattern", OWN_RULES)
@settings(max_examples=40)
@given(texts)
def test_only_numbers_are_cut_in_another_way(pattern, name, text):
    grouping = parse_grouping(name)
    new = regroup(PUBLISHED[pattern], grouping)
    assert cut_by_regex(new, text) == expected(
        PUBLISHED[pattern], OWN_RULES[pattern], grouping, text
    )
    assert regroup(new, grouping) == new


@pytest.mark.parametrize("pattern", ["gpt2", "cl100k", "o200k"])
def test_the_library_cuts_the_same(pattern):
    for text in ("a 1234567b  12 1,234,567\n1234", "x٣٤٥٦ ½²3 007", " 1", "  1234 "):
        new = regroup(PUBLISHED[pattern], parse_grouping("r2l3"))
        assert cut_by_tokenizers(new, text) == cut_by_regex(new, text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (r"\d{1,3}(?=(?:\d{3})*\b)|x", r"\d{1,4}|x"),
        (r"(?=(\d{3})+(?!\d))| ?\p{L}+", r"\p{N}{1,4}| ?\p{L}+"),
        ("[0-9][0-9][0-9]", "[0-9]{1,4}"),
        (r"a|[\p{N}]|b|\p{N}+", r"a|\p{N}{1,4}|b"),
        (r"[|(\]]|\|\p{N}| ?\d+", r"[|(\]]|\|\p{N}| ?\d{1,4}"),
        (r"\p{N}{1,3}+|\s+", r"\p{N}{1,4}|\s+"),
        (r"\p{N}{1,3}(?=(?:\p{N}{3})*(?:\P{N}|$))|x", r"\p{N}{1,4}|x"),
        (r"x|\d{1,3}(?=(?>\d{3})*(?:[^0-9]|\z))", r"x|\d{1,4}"),
        (r"\p{N}+\P{N}", None),
        (r"\$\p{N}+|x", None),
        (r"\w+|[^\w\s]+", None),
        (r"[\p{L}\p{N}]+|\p{N}\p{L}", None),
        (r" ?[^\s\p{L}\p{N}]+", None),
        ("", None),
    ],
)
def test_alternatives_about_numbers_alone_are_replaced(before, after):
    assert regroup(before, parse_grouping("l2r4")) == after


def test_alternatives_are_cut_outside_groups_and_classes_only():
    assert alternatives(r"a\||(b|c)|[|\]|[:x:]]|") == [r"a\|", "(b|c)", r"[|\]|[:x:]]", ""]


@pytest.mark.parametrize(
    "name", ["", "l2r", "r2l0", "r2l9", "single3", "3", "keep", "R2L3", "l2r03", "r2l-3"]
)
def test_other_names_are_refused(name):
    with pytest.raises(UsageError, match="say single, l2r1 to l2r8"):
        parse_grouping(name)


def test_groups_of_one_are_single_digits_from_either_side():
    assert {parse_grouping(name) for name in ("single", "l2r1", "r2l1")} == {
        Grouping(1, from_right=False)
    }
    assert [parse_grouping(name).name for name in NAMES] == NAMES


def seconds(cut, expression, length):
    """The least processor time of three for a run of digits."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        pieces = cut(expression, "7" * length)
        taken.append(time.process_time() - start)
    assert len(pieces) == -(-length // 3)
    return min(taken)


@pytest.mark.parametrize("cut", [cut_by_regex, cut_by_tokenizers])
@pytest.mark.parametrize("pattern", ["gpt2", "cl100k"])
def test_long_runs_take_linear_time(pattern, cut):
    expression = regroup(PUBLISHED[pattern], parse_grouping("r2l3"))
    assert seconds(cut, expression, 200_000) < 3 * seconds(cut, expression, 100_000) + 0.05
