import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokkit
from tokkit import Tokenizer, Vocabulary
from tokkit.analysis.agreement import Agreement, Difference, multiset_jaccard
from tokkit.analysis.boundaries import Boundaries
from tokkit.analysis.compare import compare
from tokkit.analysis.overlap import overlap
from tokkit.errors import CorpusError
from tokkit.normalize import Replace
from tokkit.segment.longest import LongestMatch

BYTES = [bytes([byte]) for byte in range(256)]


def longest(*tokens):
    vocab = Vocabulary((*BYTES, *tokens))
    return Tokenizer(vocab, LongestMatch(vocab.tokens))


# --- vocabularies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "count", "jaccard"),
    # Measured on these files by code of others.
    [
        ("tiktoken/cl100k_base.tiktoken", "tiktoken/r50k_base.tiktoken", 43066, 0.40082),
        ("tiktoken/cl100k_base.tiktoken", "tiktoken/o200k_base.tiktoken", 85033, 0.39510),
        ("tiktoken/cl100k_base.tiktoken", "hf/llama3/tokenizer.json", 100256, 0.78325),
        ("tiktoken/o200k_base.tiktoken", "hf/gpt2/tokenizer.json", 42873, 0.20674),
        ("llama3/tokenizer.model", "tiktoken/o200k_base.tiktoken", 103245, 0.45937),
    ],
)
def test_published_overlaps(shared, first, second, count, jaccard):
    folder = shared / "tokenizers"
    found = overlap(tokkit.load(folder / first), tokkit.load(folder / second))
    assert found.shared == count
    assert found.jaccard == pytest.approx(jaccard, abs=5e-6)


def test_tokens_are_their_bytes_and_specials_their_text():
    one = Vocabulary((b"a", b" b", b"a", b"", b""), {"<s>": 3, "</s>": 4})
    other = Vocabulary((b"", b" b", b"c"), {"<s>": 0})
    first, second = (Tokenizer(each, LongestMatch(each.tokens, 0)) for each in (one, other))
    found = overlap(first, second)
    assert found.as_json() == {
        "tokens": [2, 2],
        "shared": 1,
        "only": [1, 1],
        "jaccard": 1 / 3,
        "coverage": [0.5, 0.5],
        "same_id": 1,
        "specials": {"first": 2, "second": 1, "shared": 1},
        "examples_only": [["a"], ["c"]],
    }


# --- cuts -----------------------------------------------------------------------------------


def cuts_of(text, places):
    """Ids and ends of tokens that end at the given places, and at the end."""
    ends = sorted({place for place in places if 0 < place < len(text)} | ({len(text)} - {0}))
    return np.zeros(len(ends), dtype=np.int32), np.array(ends, dtype=np.int64)


def oracle(texts):
    """Everything by sets: texts with the places where either cuts."""
    totals = Counter()
    f1 = []
    differences = Counter()
    for text, first, second in texts:
        one, other = ({*each[1].tolist()} for each in (first, second))
        inner, others = one - {len(text)}, other - {len(text)}
        spans = [
            {*zip([0, *sorted(each)], sorted(each), strict=False)} for each in (one, other)
        ]
        totals.update(
            identical=one == other,
            first=len(inner),
            second=len(others),
            both=len(inner & others),
            tokens_first=len(one),
            tokens_second=len(other),
            tokens_both=len(spans[0] & spans[1]),
        )
        f1.append(2 * len(inner & others) / (len(inner) + len(others)) if inner | others else 1)
        start = 0
        for end in sorted(one & other):
            cuts = [
                tuple(p - start for p in sorted(each) if start < p <= end)
                for each in (one, other)
            ]
            if cuts != [(end - start,)] * 2:
                differences[Difference(text[start:end], *cuts)] += 1
            start = end
    return totals, sum(f1), differences


PLACES = st.sets(st.integers(1, 11))


@given(st.lists(st.tuples(st.binary(max_size=12), PLACES, PLACES), min_size=1, max_size=5))
def test_agreement_is_what_sets_say(drawn):
    texts = [(text, cuts_of(text, one), cuts_of(text, other)) for text, one, other in drawn]
    agreement = Agreement()
    for text, first, second in texts:
        agreement.add(text, first, second)
    totals, f1, differences = oracle(texts)
    assert agreement.identical == totals["identical"]
    assert agreement.boundaries.tolist() == [totals[n] for n in ("first", "second", "both")]
    assert agreement.tokens.tolist() == [
        totals[f"tokens_{n}"] for n in ("first", "second", "both")
    ]
    assert agreement.f1_sum == pytest.approx(f1)
    assert agreement.differences == differences


def test_differences_are_ranked_by_how_often_and_by_what_they_cost():
    agreement = Agreement()
    for text, first, second, times in [
        (b"abcd", {1, 2, 3}, set(), 2),
        (b"xy", {1}, set(), 5),
        (b"pqr", {1}, {2}, 9),
    ]:
        for _ in range(times):
            agreement.add(text, cuts_of(text, first), cuts_of(text, second))
    assert [each.text for each, _ in agreement.most_frequent(9)] == [b"pqr", b"xy", b"abcd"]
    assert [each.text for each, _ in agreement.most_costly(9)] == [b"abcd", b"xy"]
    assert agreement.most_costly(1)[0][0].pieces() == ([b"a", b"b", b"c", b"d"], [b"abcd"])


def test_bags_of_tokens():
    assert multiset_jaccard([(b"a", 3), (b"b", 1)], [(b"a", 1), (b"c", 1)]) == 1 / 5
    assert multiset_jaccard([], []) == 1


# --- where tokens lie -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["hf/gpt2/tokenizer.json", "llama2/tokenizer.model", "hf/llama3/tokenizer.json"]
)
def test_ends_are_those_of_spans(shared, name):
    tokenizer = tokkit.load(shared / "tokenizers" / name)
    texts = ["Hello  world 123", " été 東京\n\n", "", "a<|endoftext|>b", "\u2581x \u00a0"]
    documents = [text.encode() for text in texts]
    found = Boundaries(tokenizer).of_batch(documents)
    for text, (ids, ends) in zip(documents, found, strict=True):
        assert ids.tolist() == tokenizer.encode(text, parse_specials=False).tolist()
        if ends is None:
            assert "\u2581" in text.decode()
        else:
            spans = tokenizer.spans(text, parse_specials=False)
            assert ends.tolist() == spans[:, 1].tolist()


def test_rewritten_documents_are_counted_and_not_compared():
    vocab = Vocabulary(tuple(BYTES))
    rewriting = Tokenizer(
        vocab, LongestMatch(vocab.tokens), normalizer=Replace("ﬁ".encode(), b"fi")
    )
    found = compare(longest(b"ab"), rewriting, [b"ab", "ﬁ".encode(), b"b"])
    assert found.agreement.skipped == 1
    assert found.agreement.documents == 2
    assert found.totals == (6, 5, 5)


# --- the whole ------------------------------------------------------------------------------


def test_a_comparison_of_what_can_be_counted_by_hand():
    found = compare(
        longest(b"ab", b"abc"), longest(b"bc"), [b"abc", b"ab", b""], names=("A", "B")
    )
    said = found.as_json()
    # A: abc, ab; B: a bc, a b.
    assert said["tokens"] == [2, 4]
    assert said["token_ratio"]["value"] == 2
    assert said["exact_match"] == 1 / 3
    assert said["boundaries"] == {"first": 0, "second": 2, "both": 0}
    assert (said["boundary_precision"], said["boundary_recall"]) == (0, None)
    assert said["boundary_f1_macro"] == 1 / 3
    assert said["token_multiset_jaccard"] == 0
    assert [tuple(row.values()) for row in said["most_frequent_differences"]] == [
        ("ab", "6162", "ab", "a│b", 1, 1),
        ("abc", "616263", "abc", "a│bc", 1, 1),
    ]
    assert found.differences().shape == (2, 6)


def test_a_tokenizer_agrees_with_itself():
    one = longest(b"the", b" the", b"\n\n")
    found = compare(one, one, [b"the the\n\nthe", b"then", b"\xff the"])
    said = found.as_json()
    assert said["exact_match"] == said["boundary_f1_micro"] == said["token_f1"] == 1
    assert said["token_multiset_jaccard"] == said["token_ratio"]["value"] == 1
    assert not said["most_frequent_differences"]


def test_no_text_is_an_error():
    with pytest.raises(CorpusError, match="nothing to compare"):
        compare(longest(), longest(), [b"", b""])


def test_numbers_that_are_none_do_not_occur():
    found = compare(longest(), longest(b"ab"), [b"ab"])
    assert math.isnan(found.cost.low)
    assert found.cost.value == 0.5
