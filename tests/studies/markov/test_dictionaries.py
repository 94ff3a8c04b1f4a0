"""Dictionaries, against the same algorithms in a few lines."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.longest import longest_match
from tokkit.errors import UsageError
from tokkit.studies.markov.dictionaries import MEANINGS, NAMES, Dictionaries, lzw_tokens
from tokkit.studies.markov.source import LETTERS

texts = st.lists(st.integers(0, 2), min_size=30, max_size=200).map(
    lambda symbols: np.array([0, 1, 2, *symbols], dtype=np.uint8)
)


def written(symbols):
    return bytes(LETTERS[symbol] for symbol in symbols)


def slow_bpe(parts, size):
    """Merge the most frequent pair: of equals, the lower ids."""
    tokens = [b"0", b"1", b"2"]
    while len(tokens) < size:
        pairs = Counter(pairwise(parts))
        if not pairs:
            break
        best = min(
            pairs, key=lambda pair: (-pairs[pair], tokens.index(pair[0]), tokens.index(pair[1]))
        )
        merged = b"".join(best)
        if merged not in tokens:
            tokens.append(merged)
        new = []
        for part in parts:
            if new and (new[-1], part) == best and isinstance(new[-1], bytes):
                new[-1] = bytearray(merged)  # not to be merged again in this pass
            else:
                new.append(part)
        parts = [bytes(part) for part in new]
    return tokens, parts


def slow_lzw(text, size):
    tokens = [b"0", b"1", b"2"]
    held = b""
    for byte in text:
        longer = held + bytes([byte])
        if longer in tokens:
            held = longer
        else:
            if len(tokens) < size:
                tokens.append(longer)
            held = longer[-1:]
    return tokens


def split(dictionary, symbols):
    return [dictionary.tokens[token] for token in dictionary.encode(symbols)]


@given(texts, st.integers(3, 20))
def test_bpe_is_that_of_a_few_lines(symbols, size):
    parts = [bytes([byte]) for byte in written(symbols)]
    tokens, cut = slow_bpe(parts, size)
    found = Dictionaries(symbols, b"012", size).get("bpe", size)
    assert list(found.tokens) == tokens
    assert split(found, symbols) == cut


@given(texts, st.integers(3, 30))
def test_lzw_is_that_of_a_few_lines(symbols, size):
    text = written(symbols)
    assert lzw_tokens(text, [b"0", b"1", b"2"], size) == slow_lzw(text, size)


def test_the_docstring_example():
    assert lzw_tokens(b"01010", [b"0", b"1"], 9) == [b"0", b"1", b"01", b"10", b"010"]


@given(texts, st.integers(3, 12), st.sampled_from(["bpe", "lzw", "greedy"]))
def test_small_dictionaries_are_the_beginnings_of_large_ones(symbols, size, name):
    small = Dictionaries(symbols, b"012", size).get(name, size)
    part = Dictionaries(symbols, b"012", 25).get(name, size)
    assert small.tokens == part.tokens
    assert small.encode(symbols).tolist() == part.encode(symbols).tolist()


@given(texts, texts, st.integers(3, 25), st.sampled_from(NAMES))
def test_other_text_is_cut_into_tokens_that_spell_it(symbols, other, size, name):
    found = Dictionaries(symbols, b"012", 25).get(name, size)
    ids = found.encode(other)
    assert b"".join(found.tokens[token] for token in ids) == written(other)
    assert found.lengths[ids].sum() == other.size
    if name != "bpe":
        table = {token: number for number, token in enumerate(found.tokens)}
        assert ids.tolist() == longest_match(table, written(other))


def test_greedy_has_the_tokens_of_bpe_but_cuts_otherwise():
    symbols = np.random.default_rng(0).integers(0, 2, 3000).astype(np.uint8)
    both = Dictionaries(symbols, b"01", 16)
    bpe, greedy = both.get("bpe", 16), both.get("greedy", 16)
    assert bpe.tokens == greedy.tokens
    assert bpe.encode(symbols).size != greedy.encode(symbols).size


def test_characters_have_one_size_and_others_no_smaller_one():
    both = Dictionaries(np.zeros(9, dtype=np.uint8), b"012", 5)
    assert both.get("characters", 4).size == 3
    for size in (2, 6):
        with pytest.raises(UsageError, match=f"{size} tokens cannot be had"):
            both.get("bpe", size)


def test_every_dictionary_says_what_it_is():
    assert tuple(MEANINGS) == NAMES
