"""The best segmentation by a sampled vocabulary, against trying all, and other libraries."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.reference.substrings import best_segmentation
from tokkit.alphabet import to_byte_level
from tokkit.hypernet.segmenting import BytewiseUnigram, share_out
from tokkit.pretokenize import Pieces
from tokkit.vocab import flatten

ALL_BYTES = [bytes([byte]) for byte in range(256)]

# Few different scores: there are ties, and sums that are equal but for rounding.
scores = st.sampled_from([0.0, -0.1, -0.2, -0.3, -1.0, -1.1, -2.0, -3.0])
letters = st.lists(st.sampled_from([b"a", b"b", b"\xc3", b"\xa9"]), min_size=1, max_size=9)
strings = letters.map(b"".join)


def model(longer, byte_score):
    table = dict.fromkeys(ALL_BYTES, byte_score) | longer
    return table, BytewiseUnigram(list(table), np.array(list(table.values())))


def cut(segmenter, tokens, pieces):
    ids, ends = segmenter.segment(Pieces(*flatten(pieces)))
    assert ids.dtype == np.int32
    return [[tokens[i] for i in part] for part in np.split(ids, ends)[: len(pieces)]]


@given(
    st.dictionaries(strings.filter(lambda each: len(each) > 1), scores, max_size=8),
    scores,
    st.lists(strings, max_size=4),
)
@example({b"aa": -0.3, b"ab": -0.2, b"bb": -0.1}, -0.1, [b"aabb"])
def test_it_is_the_best_of_all_segmentations(longer, byte_score, pieces):
    table, segmenter = model(longer, byte_score)
    wanted = [best_segmentation(piece, table) for piece in pieces]
    assert cut(segmenter, list(table), pieces) == wanted


def test_a_rare_token_loses_to_the_bytes_it_is_made_of():
    table, segmenter = model({b"ab": -10.0, b"bc": -3.0}, -4.0)
    assert cut(segmenter, list(table), [b"abc"]) == [[b"a", b"bc"]]
    assert cut(segmenter, list(table), [b"ab"]) == [[b"a", b"b"]]


def test_texts_get_the_ids_of_their_own_pieces_also_empty_ones():
    texts = [b"", b"ab", b"", b"", b"cd", b""]
    pieces = Pieces(*flatten([b"a", b"b", b"c", b"d"]))
    ids = np.array([5, 6, 7, 8, 9], np.int32)
    shares = share_out(ids, np.array([2, 3, 4, 5]), pieces, texts)
    assert [share.tolist() for share in shares] == [[], [5, 6, 7], [], [], [8, 9], []]


@pytest.fixture(scope="module")
def drawn():
    """A model of 600 drawn pieces and texts of their letters; no two sums are alike."""
    random = np.random.default_rng(7)
    longer = {
        bytes(random.choice(list(b"abcde"), size=random.integers(2, 7))): -score
        for score in random.uniform(2, 12, 600)
    }
    table = dict(zip(ALL_BYTES, random.uniform(-14, -9, 256).tolist(), strict=True)) | longer
    texts = ["".join(random.choice(list("abcde"), size=400)) for _ in range(20)]
    return table, texts


def test_the_unigram_of_hugging_face_cuts_alike(drawn):
    from tokenizers import models

    table, texts = drawn
    rival = models.Unigram([(to_byte_level(token), s) for token, s in table.items()], 0)
    _, segmenter = model(table, 0.0)
    wanted = [[token.value.encode() for token in rival.tokenize(text)] for text in texts]
    assert cut(segmenter, list(table), [text.encode() for text in texts]) == wanted


def test_sentencepiece_cuts_alike(drawn):
    import sentencepiece

    from tokkit.formats.sentencepiece_model import (
        Normalization,
        Piece,
        PieceType,
        SentencePieceModel,
        write_model,
    )

    table, texts = drawn
    pieces = [
        Piece(token.decode(), float(np.float32(score)), PieceType.NORMAL)
        for token, score in table.items()
        if token.isalpha()
    ]
    plain = Normalization(
        add_dummy_prefix=False, remove_extra_whitespaces=False, escape_whitespaces=False
    )
    unknown = Piece("<unk>", 0.0, PieceType.UNKNOWN)
    rival = sentencepiece.SentencePieceProcessor()
    rival.LoadFromSerializedProto(
        write_model(SentencePieceModel((unknown, *pieces), normalization=plain))
    )
    _, segmenter = model(table, 0.0)
    wanted = [rival.encode(text, out_type=str) for text in texts]
    found = cut(segmenter, list(table), [text.encode() for text in texts])
    assert [[token.decode() for token in tokens] for tokens in found] == wanted


def test_probabilities_multiply_up_to_the_most_that_can_be():
    """By hand: 0.5 x 0.2 < 0.3 x 0.4, though the first token alone is more probable."""
    longer = {b"ab": math.log(0.5), b"c": math.log(0.2), b"bc": math.log(0.4)}
    table, segmenter = model(longer | {b"a": math.log(0.3)}, -9.0)
    assert cut(segmenter, list(table), [b"abc"]) == [[b"a", b"bc"]]
