"""The counting table against a dictionary."""

import random

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.counts import count_strings, is_ascending
from tokkit.errors import JobError
from tokkit.kernels import counts as kernels
from tokkit.vocab import flatten
from tokkit.words.table import WordTable

# Around the borders of what a row holds: 8 bytes in the first number, 15 in both.
lengths = st.sampled_from([0, 1, 2, 7, 8, 9, 14, 15, 16, 17, 24, 40])
alphabets = st.sampled_from([b"a", b"ab", b"\0a", b"\0\xff", b"\x7f\x80"])


@st.composite
def alike_strings(draw):
    """Strings that share prefixes, differ in trailing NULs, and repeat."""
    letters = draw(alphabets)
    size = draw(st.integers(0, 60))
    source = draw(st.randoms(use_true_random=False))
    some = [bytes(source.choices(letters, k=draw(lengths))) for _ in range(size)]
    return some + source.choices(some, k=size) if some else some


def flat(strings):
    data, ends = flatten(strings)
    return data.copy(), ends.astype(np.int64)


def as_dict(data, ends, counts):
    starts = [0, *ends.tolist()]
    words = [data[a:b].tobytes() for a, b in zip(starts, ends.tolist(), strict=False)]
    assert is_ascending(words)
    return dict(zip(words, counts.tolist(), strict=True))


@pytest.fixture(autouse=True)
def _hashes_wrap():
    with np.errstate(over="ignore"):
        yield


@given(alike_strings())
def test_counts_are_those_of_a_dictionary(strings):
    with np.errstate(over="ignore"):
        table = WordTable()
        table.add(*flat(strings))
        counted = as_dict(*table.sorted())
    assert counted == count_strings(strings)
    assert list(counted) == sorted(counted)
    assert len(table) == len(counted)


@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(1, 2**40)), max_size=40))
def test_weighted_strings_count_by_their_weights(pairs):
    strings, weights = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    with np.errstate(over="ignore"):
        table = WordTable()
        table.add(*flat(strings), np.array(weights, dtype=np.int64))
        assert as_dict(*table.sorted()) == count_strings(strings, weights)


def test_tables_and_arenas_grow_in_the_middle_of_a_batch():
    source = random.Random(1)
    sizes = [1, 3, 8, 15, 16, 100]
    number = 3000 if numba.config.DISABLE_JIT else 60000
    strings = [source.randbytes(source.choice(sizes)) for _ in range(number)]
    strings += strings[: number // 2]
    table = WordTable()
    for first in range(0, len(strings), number // 3):
        table.add(*flat(strings[first : first + number // 3]))
    assert as_dict(*table.sorted()) == count_strings(strings)


def test_strings_of_a_megabyte_that_differ_in_the_last_byte():
    size = 10**4 if numba.config.DISABLE_JIT else 10**6
    strings = [b"x" * size + bytes([last]) for last in (2, 0, 1, 2)]
    table = WordTable()
    table.add(*flat(strings))
    assert as_dict(*table.sorted()) == count_strings(strings)


@pytest.mark.skipif(not numba.config.DISABLE_JIT, reason="needs kernels that can be patched")
def test_equal_hashes_of_different_strings_are_told_apart(monkeypatch):
    monkeypatch.setattr(kernels, "_hash", lambda data, begin, end: np.uint64(7))
    strings = [bytes([letter]) * size for letter in b"abc" for size in (16, 17, 30)] * 2
    table = WordTable()
    table.add(*flat(strings))
    assert as_dict(*table.sorted()) == count_strings(strings)


def test_a_hash_that_looks_like_a_short_string_is_not_taken_for_it():
    long_string = b"a string of more than fifteen bytes"
    with np.errstate(over="ignore"):
        hashed = int(kernels._hash(np.frombuffer(long_string, np.uint8).copy(), 0, 35))
    short = hashed.to_bytes(8, "big")
    strings = [short, long_string, short + b"\0", long_string]
    table = WordTable()
    table.add(*flat(strings))
    assert as_dict(*table.sorted()) == count_strings(strings)


def test_counts_beyond_32_bits_are_exact_and_beyond_63_refused():
    table = WordTable()
    table.add(*flat([b"a", b"b", b"a"]), np.array([2**62, 2**31, 2**62 - 1], dtype=np.int64))
    assert as_dict(*table.sorted()) == {b"a": 2**63 - 1, b"b": 2**31}
    with pytest.raises(JobError, match="more than"):
        table.add(*flat([b"a"]))


@given(st.lists(st.binary(max_size=4), max_size=6))
def test_ascending_means_strictly_greater(strings):
    assert kernels.is_ascending(*flat(strings)) == is_ascending(strings)
    ordered = sorted(set(strings))
    assert kernels.is_ascending(*flat(ordered))
