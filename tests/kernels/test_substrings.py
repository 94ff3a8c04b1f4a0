"""Sums of substrings, and of tables of them, against dictionaries."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import substrings as reference
from tokkit.kernels import keys as key_kernels
from tokkit.kernels import substrings as kernels
from tokkit.vocab import flatten

few_letters = st.lists(st.sampled_from([b"a", b"b", b"\0", "é".encode(), "字".encode()]))
words = st.lists(few_letters.map(b"".join) | st.binary(max_size=9), max_size=5)


def make_keys(strings, width=3):
    data, ends = flatten(strings)
    keys = np.empty((len(strings), width), np.uint64)
    sizes = np.diff(ends, prepend=0)
    key_kernels.pack_keys(data, ends - sizes, sizes, keys)
    return keys


def read_keys(keys):
    rows = [row.astype(">u8").tobytes() for row in keys]
    return [row[: row[-1]] for row in rows]


def inner_sums(strings, longest, stride):
    """What the kernels make of strings, each a string of its own."""
    data, ends = flatten(strings)
    arrays = [np.empty(data.size, np.int64) for _ in range(3)]
    weights = np.arange(1, len(strings) + 1)
    count = kernels.list_inner(data, ends, weights, longest, stride, *arrays)
    return sums_of(data, *(array[:count] for array in arrays))


def sums_of(data, starts, masks, weights):
    sizes = np.empty_like(masks)
    kernels.measure(masks, sizes)
    content = data.tobytes()
    suffixes = [content[a : a + n] for a, n in zip(starts, sizes, strict=True)]
    order = np.array(sorted(range(len(suffixes)), key=suffixes.__getitem__), np.int64)
    rows = np.empty((3, int(sizes.sum())), np.int64)
    chosen = (each[order] for each in (starts, sizes, masks, weights))
    count = kernels.sum_prefixes(data, *chosen, *rows)
    found = [(content[a : a + n], int(total)) for a, n, total in rows[:, :count].T]
    assert [key for key, _ in found] == sorted({key for key, _ in found})
    return {key: total for key, total in found if total}


@given(words, st.integers(1, 12), st.integers(1, 5))
def test_substrings_are_those_of_whole_characters(strings, longest, stride):
    expected = Counter()
    for number, string in enumerate(strings, 1):
        for _ in range(number):
            expected += reference.substrings([string], longest, stride)
    assert inner_sums(strings, longest, stride) == expected


def test_the_module_s_example():
    assert inner_sums([b"abab"], 4, 1) == {
        b"a": 2, b"ab": 4, b"aba": 3, b"abab": 4, b"b": 2, b"ba": 2, b"bab": 3
    }  # fmt: skip


def test_the_longest_substring_there_can_be():
    expected = reference.substrings([b"a" * 70], kernels.LONGEST, 1)
    assert inner_sums([b"a" * 70], kernels.LONGEST, 1) == expected


lines = st.lists(
    st.lists(st.sampled_from([b"a", b" a", b"bc", b"\n", b" ddddd"]), min_size=1, max_size=7),
    max_size=4,
)


@given(lines, st.integers(1, 12))
def test_spans_are_two_or_more_whole_words_of_a_line(texts, longest):
    data, word_ends = flatten([word for line in texts for word in line])
    _, line_ends = flatten([b"".join(line) for line in texts])
    starts, masks = (np.empty(word_ends.size, np.int64) for _ in range(2))
    count = kernels.list_spans(word_ends, line_ends, longest, starts, masks)
    sums = sums_of(data, starts[:count], masks[:count], np.ones(count, np.int64))
    assert sums == reference.spans(texts, longest)


short = st.binary(max_size=23)


@given(st.lists(short))
def test_keys_sort_as_strings_do_and_spell_them(strings):
    keys = make_keys(strings)
    assert read_keys(keys) == strings
    order = np.lexsort(keys.T[::-1])
    assert [strings[row] for row in order] == sorted(strings)


sums = st.dictionaries(
    st.text("ab\0", max_size=3).map(str.encode), st.integers(1, 9), max_size=9
)


def arrays_of(table):
    return make_keys(sorted(table), 1), np.array([table[key] for key in sorted(table)], int)


@given(sums, sums)
def test_tables_are_added_and_what_was_added_can_be_taken_away(one, other):
    keys = np.empty((len(one) + len(other), 1), np.uint64)
    totals = np.empty(len(keys), np.int64)
    count = key_kernels.merge_sums(*arrays_of(one), *arrays_of(other), 1, keys, totals)
    assert read_keys(keys[:count]) == sorted({**one, **other})
    assert dict(zip(read_keys(keys[:count]), totals, strict=False)) == Counter(one) + Counter(
        other
    )
    left, left_totals = np.empty((count, 1), np.uint64), np.empty(count, np.int64)
    both = keys[:count], totals[:count]
    count = key_kernels.merge_sums(*both, *arrays_of(other), -1, left, left_totals)
    assert dict(zip(read_keys(left[:count]), left_totals, strict=False)) == one


@pytest.mark.parametrize(
    ("string", "total", "most_spaces", "least_count", "wanted"),
    [
        (b"a", 9, 1, 1, False),
        ("é".encode(), 2, 1, 1, True),
        (b" a", 2, 1, 1, True),
        (b" a", 2, 1, 2, False),
        (b" a", 4, 1, 2, True),
        (b"a\n\n", 3, 1, 1, False),
        (b"a\n\t", 3, 2, 1, True),
        (b" \n", 8, 9, 1, False),
        (b" of the people of t", 38, 4, 2, False),
        (b" of the people of t", 38, 5, 2, True),
    ],
)
def test_what_may_be_sampled(string, total, most_spaces, least_count, wanted):
    marks = np.empty(1, np.bool_)
    limits = most_spaces, least_count
    key_kernels.mark_pieces(make_keys([string]), np.array([total]), *limits, marks)
    assert marks.tolist() == [wanted]
