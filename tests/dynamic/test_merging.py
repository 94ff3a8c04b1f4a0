import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokkit
from tests.reference.dynamic import merge_again_and_again
from tokkit import Tokenizer, Vocabulary
from tokkit.dynamic import BOUNDARIES, merge_batch
from tokkit.dynamic.boundaries import may_merge
from tokkit.errors import UsageError
from tokkit.segment.longest import LongestMatch

BYTES = tuple(bytes([byte]) for byte in range(256))


def small():
    vocab = Vocabulary((*BYTES, b"ab", b" a", b"", b"bab"), {"<s>": 258})
    return Tokenizer(vocab, LongestMatch(vocab.tokens))


def spelled(merged, tokenizer):
    """The tokens of each sequence as bytes, None for special tokens."""
    tokens = [*tokenizer.vocab.tokens, *merged.tokens]
    return [[tokens[i] or None for i in ids.tolist()] for ids in merged.sequences]


def compare(tokenizer, sequences, boundary, most):
    """Check merges, sequences and lengths against counting everything again."""
    merged = merge_batch(tokenizer, sequences, merges=most, boundary=boundary)
    plain = [[tokenizer.vocab.tokens[i] or None for i in ids.tolist()] for ids in sequences]
    rule = may_merge(tokenizer, boundary)
    expected, merges = merge_again_and_again(plain, rule, most)
    assert spelled(merged, tokenizer) == expected
    tokens = [*tokenizer.vocab.tokens, *merged.tokens]
    found = [(tokens[each.left], tokens[each.right], each.times) for each in merged.merges]
    assert found == merges
    assert merged.lengths[0] == sum(map(len, plain))
    assert merged.lengths[-1] == sum(map(len, expected))
    assert len(merged.lengths) == len(merges) + 1
    for token, parts in zip(merged.tokens, merged.parts, strict=True):
        assert b"".join(tokenizer.vocab.tokens[part] for part in parts) == token
    return merged


IDS = st.sampled_from([97, 98, 32, 10, 0xC3, 0xA9, 45, 256, 257, 258, 259])


@given(
    st.lists(st.lists(IDS, max_size=14), min_size=1, max_size=5),
    st.sampled_from(sorted(BOUNDARIES)),
    st.integers(0, 30),
)
def test_the_same_merges_as_when_everything_is_counted_again(batch, boundary, most):
    sequences = [np.array(ids, dtype=np.int32) for ids in batch]
    compare(small(), sequences, boundary, most)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_same_merges_on_real_text(shared, boundary):
    tokenizer = tokkit.load(shared / "tokenizers" / "hf" / "gpt2")
    with gzip.open(shared / "corpora" / "parallel_fastapi.jsonl.gz", "rt") as lines:
        record = json.loads(next(lines))["text"]
    texts = [record[language][:400].encode() for language in ("en", "de", "ja", "ru")]
    compare(tokenizer, tokenizer.encode_batch(texts), boundary, 150)


def published(tokenizer):
    """The example of the study's own code, with the two special tokens as ids of their own."""
    sentences = (
        "Ribonucleoprotein particles regulate mRNA stability.",
        "mRNA stability is modulated by ribonucleoprotein factors.",
    )
    special = tokenizer.vocab.specials["<|endoftext|>"]
    return [
        np.concatenate(([special], tokenizer.encode(text), [special])).astype(np.int32)
        for text in sentences
    ]


@pytest.mark.parametrize(
    ("boundary", "merges", "length"),
    # Measured with the study's code on GPT-2's tokenizer.
    [
        *(("pretokens", *each) for each in [(0, 29), (1, 27), (5, 21), (8, 18), (50, 18)]),
        ("word", 10, 16),
        ("sentence", 10, 16),
    ],
)
def test_published_lengths(shared, boundary, merges, length):
    tokenizer = tokkit.load(shared / "tokenizers" / "hf" / "gpt2")
    merged = merge_batch(tokenizer, published(tokenizer), merges=merges, boundary=boundary)
    assert merged.lengths[-1] == length
    if boundary != "pretokens":
        assert {b" stability.", b" factors."} <= set(merged.tokens)


def test_merging_ends_when_the_batch_is_short_enough():
    tokenizer = small()
    sequences = tokenizer.encode_batch([b"xyxyxyzz", b"xyzz"])
    merged = merge_batch(tokenizer, sequences, reduction=0.3)
    assert merged.lengths.tolist() == [12, 8]
    assert merged.reduction == pytest.approx(1 / 3)
    assert merge_batch(tokenizer, sequences).lengths[-1] == 2
    assert merge_batch(tokenizer, [], merges=3).lengths.tolist() == [0]


def test_what_is_merged_in_two_ways_is_one_token():
    tokenizer = small()
    # "bab" is in the vocabulary; b+ab and ba+b are it.
    merged = merge_batch(tokenizer, [np.array([98, 256]), np.array([98, 256])], merges=1)
    assert merged.merges[0].result == 259
    assert merged.tokens == []


@pytest.mark.parametrize(
    ("boundary", "first", "second", "allowed"),
    [
        ("sentence", b"a", b" b", False),
        ("sentence", b" ", b" ", True),
        ("sentence", b"\n", b"\n", False),
        ("sentence", b" a", b".", True),
        ("word", b" a", b".", True),
        ("word", b" ", b" ", False),
        ("word", b"\xc3", b"\xa9", True),
        ("word", b"\xff", b" \xff", False),
        ("word-hyphen", b"a", b"-", True),
        ("word-hyphen", b"a", b".", False),
        ("word-hyphen", b".", b".", True),
        ("word-hyphen", b".", b"a", True),
    ],
)
def test_rules(boundary, first, second, allowed):
    assert may_merge(small(), boundary)(first, second) is allowed


@pytest.mark.parametrize("bad", [{"merges": -1}, {"reduction": 1.0}, {"reduction": -0.1}])
def test_what_cannot_be_is_refused(bad):
    with pytest.raises(UsageError, match="merges start at 0"):
        merge_batch(small(), [], **bad)
