"""The merge kernel against counting every pair again after every merge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import merges as reference
from tokkit.kernels import slots as kernel
from tokkit.kernels.merge_state import BOUNDARY
from tokkit.learn import merging
from tokkit.learn.merging import Rules, Words, arrange, learn_merges

LETTERS = [b"a", b"b", b"c", b" "]
counts = st.integers(1, 50)


def flat(words):
    """Words as the kernel takes them: ``[([1, 2], 5)]``."""
    ids = np.array([token for word, _ in words for token in word], dtype=np.int32)
    ends = np.cumsum([len(word) for word, _ in words], dtype=np.int64)
    return Words(ids, ends, np.array([count for _, count in words], dtype=np.int64))


def words_of(letters, most=12):
    word = st.lists(st.integers(0, letters - 1), min_size=1, max_size=most)
    return st.lists(st.tuples(word, counts), min_size=1, max_size=12)


def learn(words, tokens, vocab_size, **options):
    learned = learn_merges(flat(words), tokens, vocab_size, **options)
    return learned, [tuple(merge) for merge in learned.merges.tolist()]


@given(words_of(4), st.integers(4, 40), st.integers(0, 20))
def test_merges_are_those_of_the_oracle(words, vocab_size, min_count):
    tokens, merges, segmented = reference.learn_merges(
        words, LETTERS, vocab_size, min_count=max(min_count, 1)
    )
    learned, found = learn(words, LETTERS, vocab_size, min_count=min_count)
    assert found == merges
    assert learned.tokens == tokens
    totals = [0] * len(tokens)
    for word, count in segmented:
        for token in word:
            totals[token] += count
    assert learned.totals.tolist() == totals
    assert learned.curve[-1] == {"vocab_size": len(tokens), "tokens": sum(totals)}
    assert learned.exhausted == (len(tokens) < vocab_size)


@given(words_of(1, most=40), st.integers(1, 12))
def test_runs_of_one_letter_are_merged_from_the_left(words, vocab_size):
    _, merges, _ = reference.learn_merges(words, [b"a"], vocab_size)
    assert learn(words, [b"a"], vocab_size)[1] == merges


@given(words_of(4, most=30), st.integers(4, 60), st.integers(2, 6), st.integers(1, 3))
def test_tokens_keep_to_the_rules(words, vocab_size, max_bytes, max_words):
    def may_join(left, right):
        spelling = left + right
        return (
            len(spelling) <= max_bytes
            and len(spelling.split()) <= max_words
            and b": " not in spelling
        )

    letters = [b"a", b"b", b":", b" "]
    _, merges, _ = reference.learn_merges(words, letters, vocab_size, may_join=may_join)
    rules = Rules(max_bytes=max_bytes, max_words=max_words, colon_space=False)
    assert learn(words, letters, vocab_size, rules=rules)[1] == merges


def test_words_end_at_any_white_space():
    words = [([0, 1, 0], 9)]
    assert learn(words, [b"a", b"\n"], 9, rules=Rules(max_words=1))[1] == [(0, 1, 2)]
    assert learn(words, [b"a", b"\n"], 9)[1] == [(0, 1, 2), (2, 0, 3)]


@given(words_of(6), st.integers(6, 40), st.booleans())
def test_tokens_made_again_are_counted_again(words, vocab_size, know_merges):
    # No merge makes the last two, so one that does meets them in words.
    tokens = [*LETTERS[:3], b"ab", b"abc", b"bcab"]
    earlier = [(0, 1, 3)] if know_merges else []
    for left, right, merged in earlier:
        words = [
            (reference.merge_word(word, (left, right), merged), count) for word, count in words
        ]
    expected, merges, _ = reference.learn_merges(words, tokens, vocab_size, earlier=earlier)
    learned, found = learn(
        words, tokens, vocab_size, earlier=np.array(earlier, dtype=np.int32).reshape(-1, 3)
    )
    assert (learned.tokens, found) == (expected, merges)


@given(words_of(3), st.integers(4, 30))
def test_reserved_spellings_are_not_made(words, vocab_size):
    reserved = {3: b"ab", 4: b"", 5: b"cc"}
    tokens = [*LETTERS[:3], b"", b"", b""]
    expected, merges, _ = reference.learn_merges(
        words, tokens, vocab_size, reserved=reserved.values()
    )
    learned, found = learn(words, tokens, vocab_size, reserved=reserved)
    assert (learned.tokens, found) == (expected, merges)


@pytest.mark.parametrize("guess", [1, 10**6])
def test_the_first_threshold_does_not_matter(guess, monkeypatch):
    random = np.random.default_rng(0)
    words = [
        (random.integers(0, 4, random.integers(1, 30)).tolist(), int(random.zipf(1.3) % 10**6))
        for _ in range(300)
    ]
    words = [(word, count + 1) for word, count in words]
    expected = learn(words, LETTERS, 300)[1]
    monkeypatch.setattr(merging, "guess_threshold", lambda text, vocab_size: guess)
    assert learn(words, LETTERS, 300)[1] == expected


def test_a_vocabulary_no_text_fills_may_be_asked_for(monkeypatch):
    words = [([0, 1, 2, 3] * 9, 7), ([3, 1], 5)]
    reserved = {4: b"ab", 5: b"bc"}
    tokens = [*LETTERS, b"", b""]
    expected = learn(words, tokens, 100, reserved=reserved)[1]
    monkeypatch.setattr(merging, "ROOM", 6)
    learned, found = learn(words, tokens, 10**30, reserved=reserved, min_count=1)
    assert found == expected
    assert learned.exhausted
    assert learn(words, tokens, 100, min_count=10**30)[1] == []


def test_counts_have_64_bits():
    # 32-bit counts, as in HF tokenizers 0.23 and rustbpe 0.1, learn "cd" from such words.
    words = [([0, 1] * 10, 220_000_000), ([2, 3], 2)]
    _, merges = learn(words, LETTERS, 6)
    assert merges == [(0, 1, 4), (4, 4, 5)]
    learned, _ = learn([([0, 1], 2**60), ([1, 2], 2**60 + 1)], LETTERS, 5)
    assert learned.tokens[4] == b"bc"


def test_words_lie_in_slots_by_falling_count():
    slots, class_starts, class_counts = arrange(flat([([0, 1, 2], 2), ([3], 7), ([1], 2)]))
    edge = BOUNDARY
    assert slots.tolist() == [edge, 3, edge, 0, 1, 2, edge, 1, edge]
    assert class_starts.tolist() == [0, 2, 9]
    assert class_counts.tolist() == [7, 2]


def test_compacting_leaves_one_slot_per_token():
    edge = BOUNDARY
    slots = np.array([edge, 9, -3, -3, 1, edge, 8, -2, edge], dtype=np.int32)
    starts = np.array([0, 5, 9], dtype=np.int64)
    assert kernel.compact(slots, starts) == 6
    assert slots[:6].tolist() == [edge, 9, 1, edge, 8, edge]
    assert starts.tolist() == [0, 3, 6]
