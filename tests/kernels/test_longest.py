"""The double array against a dictionary of tokens."""

import gzip
import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.longest import longest_match
from tokkit.errors import VocabularyError
from tokkit.segment.longest import LongestMatch
from tokkit.vocab import flatten

ALL_BYTES = [bytes([byte]) for byte in range(256)]


class Pieces:
    """Stands for `tokkit.pretokenize.Pieces`, which this layer need not load."""

    def __init__(self, pieces):
        self.data, self.ends = flatten(pieces)


def cut(segmenter, pieces):
    ids, ends = segmenter.segment(Pieces(pieces))
    assert ids.dtype == np.int32
    assert ends.dtype == np.int64
    return [part.tolist() for part in np.split(ids, ends)[: len(pieces)]]


def expected(tokens, pieces, unknown_id=-1):
    table = {token: index for index, token in reversed(list(enumerate(tokens))) if token}
    return [longest_match(table, piece, unknown_id) for piece in pieces]


few_letters = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=12).map(b"".join)
any_bytes = st.binary(max_size=12)


@given(
    st.lists(few_letters | any_bytes, max_size=40),
    st.lists(few_letters | any_bytes, min_size=1, max_size=8),
)
def test_cuts_like_a_dictionary_of_tokens(words, pieces):
    tokens = ALL_BYTES + words
    segmenter = LongestMatch(tokens)
    glued = [*pieces, b"".join(pieces), b"".join(words)]
    assert cut(segmenter, glued) == expected(tokens, glued)


def test_the_docstring_example():
    segmenter = LongestMatch([*ALL_BYTES, b"ab", b"bc"])
    assert cut(segmenter, [b"abc"]) == [[256, ord("c")]]


def test_a_match_does_not_cross_the_end_of_a_piece():
    segmenter = LongestMatch([*ALL_BYTES, b"ab"])
    assert cut(segmenter, [b"a", b"b", b"ab"]) == [[97], [98], [256]]


@given(st.lists(few_letters, max_size=6), few_letters)
def test_bytes_without_a_token_become_the_unknown_one_by_one(words, piece):
    tokens = [b"<unk>", *words]
    assert cut(LongestMatch(tokens, unknown_id=0), [piece]) == expected(tokens, [piece], 0)


def test_a_missing_byte_is_an_error_that_names_it():
    with pytest.raises(VocabularyError, match=r"0x41 \(1 of 256"):
        LongestMatch([token for token in ALL_BYTES if token != b"A"])


def test_equal_tokens_share_the_lowest_id_and_empty_ones_never_match():
    tokens = [b"", *ALL_BYTES, b"ab", b"", b"ab"]
    assert cut(LongestMatch(tokens), [b"abab"]) == [[257, 257]]


def test_no_pieces_and_no_text():
    segmenter = LongestMatch(ALL_BYTES)
    assert cut(segmenter, []) == []
    ids, ends = segmenter.segment(Pieces([]))
    assert ids.size == ends.size == 0


@pytest.mark.parametrize("seed", range(3))
def test_wide_and_deep_tries_are_packed_without_confusing_their_nodes(seed):
    """All pairs of 90 bytes, runs of one byte, random strings: dense and sparse families."""
    rng = random.Random(seed)
    chosen = rng.sample(range(256), 90)
    tokens = ALL_BYTES + [bytes([a, b]) for a in chosen for b in chosen]
    tokens += [bytes([chosen[0]]) * n for n in range(3, 70)]
    tokens += [rng.randbytes(rng.randint(3, 9)) for _ in range(2000)]
    rng.shuffle(tokens)
    segmenter = LongestMatch(tokens)
    texts = [b"".join(rng.choices(tokens, k=60)) for _ in range(60)] + [rng.randbytes(500)]
    assert cut(segmenter, texts) == expected(tokens, texts)


def test_real_tokens_on_real_text(shared):
    tokens = gpt2_tokens(shared)[:20_000]
    with gzip.open(
        shared / "corpora/parallel_fastapi.jsonl.gz", "rt", encoding="utf-8"
    ) as file:
        texts = [text.encode()[:3000] for text in json.loads(next(file))["text"].values()]
    assert cut(LongestMatch(tokens), texts) == expected(tokens, texts)


def gpt2_tokens(shared):
    import base64

    lines = (shared / "tokenizers/tiktoken/r50k_base.tiktoken").read_bytes().splitlines()
    return [base64.b64decode(line.split()[0]) for line in lines]
