"""The figures that are reported, worked out by hand."""

import math

import numpy as np
import pytest

from tokkit.learn.figures import description_length, entropy_bits, summarise


def test_equal_frequencies_take_the_logarithm_of_their_number():
    assert entropy_bits(np.array([2, 2, 0])) == 4
    assert entropy_bits(np.array([5] * 8)) == pytest.approx(40 * 3)
    assert entropy_bits(np.array([7])) == 0
    assert entropy_bits(np.array([0])) == 0


def test_description_length_is_that_of_lexicon_and_corpus():
    # Lexicon "a" "b" "ab": four letters, two of each. Corpus: "a" once, "ab" three times.
    figures = description_length([b"a", b"b", b"ab"], np.array([1, 0, 3]))
    assert figures["lexicon"] == 4
    assert figures["corpus"] == pytest.approx(math.log2(4) + 3 * math.log2(4 / 3))
    assert figures["total"] == figures["lexicon"] + figures["corpus"]


def test_a_summary_counts_bytes_tokens_and_words():
    figures = summarise([b"", b"a", b" of the", b"b"], np.array([0, 3, 1, 0]))
    assert figures["bytes"] == 10
    assert figures["tokens"] == 4
    assert figures["bytes_per_token"] == 2.5
    assert figures["multi_word_share"] == pytest.approx(1 / 3)
    assert figures["unused_tokens"] == 1
