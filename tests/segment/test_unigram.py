"""The best path of a unigram model equals the best of all segmentations."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import segment as reference
from tokkit.errors import VocabularyError
from tokkit.pretokenize import Pieces
from tokkit.segment.unigram import Unigram
from tokkit.segment.wordpiece import WordPiece
from tokkit.vocab import flatten

# Without compilation kernels are some hundred times slower.
EXAMPLES = 10 if numba.config.DISABLE_JIT else 100

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


def cut(segmenter, pieces):
    ids, ends = segmenter.segment(Pieces(*flatten(pieces)))
    return [part.tolist() for part in np.split(ids, ends)[: len(pieces)]]


@settings(max_examples=EXAMPLES)
@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=4), st.floats(-9, 0), min_size=1, max_size=9
    ),
    st.text("abcd", min_size=1, max_size=9),
)
def test_no_segmentation_is_better(tokens, text):
    spellings = [b"", *(token.encode() for token in tokens)]
    scores = [0.0, *tokens.values()]
    segmenter = Unigram(spellings, scores, unk_id=0, fuse_unk=False)
    unknown = min(scores) - 10
    everything = {token: score for token, score in zip(spellings, scores, strict=True) if token}
    for character in set(text.encode()):
        everything.setdefault(bytes([character]), unknown)
    best = max(
        sum(everything[part] for part in way)
        for way in reference.segmentations(text.encode(), everything)
    )
    (ids,) = cut(segmenter, [text.encode()])
    assert sum(scores[i] if i else unknown for i in ids) == pytest.approx(best)
    known = b"".join(spellings[i] for i in ids)
    singles = {token.encode() for token in tokens if len(token) == 1}
    assert len(known) + ids.count(0) == len(text)
    assert all(bytes([c]) not in singles for c in text.encode()) or known


def test_the_first_of_equal_paths_stays():
    # "ab" + "c" and "a" + "bc" score the same; the path through "ab" reaches "abc" later.
    tokens = [b"a", b"b", b"c", b"ab", b"bc"]
    assert cut(Unigram(tokens, [-1.0, -5, -1, -2, -2]), [b"abc"]) == [[0, 4]]


def test_unknown_characters():
    tokens = [b"", b"a", b"b", *[b""] * 256]
    scores = [0.0] * 259
    fallback = list(range(3, 259))
    text = "aé漢b".encode()
    assert cut(Unigram(tokens, scores, unk_id=0), [text]) == [[1, 0, 2]]
    assert cut(Unigram(tokens, scores, unk_id=0, fuse_unk=False), [text]) == [[1, 0, 0, 2]]
    expected = [1, *(3 + byte for byte in "é漢".encode()), 2]
    assert cut(Unigram(tokens, scores, unk_id=0, byte_fallback=fallback), [text]) == [expected]
    with pytest.raises(VocabularyError, match="no unknown token"):
        cut(Unigram(tokens, scores), [text])
    assert cut(Unigram(tokens, scores), [b"ab"]) == [[1, 2]]


def test_single_precision_rounds_what_it_keeps():
    # In 64 bits the second way is better by 1e-9; in 32 bits the sums are equal.
    tokens = [b"a", b"b", b"c", b"ab", b"bc"]
    scores = [-1.0, -9.0, -2.0, -2.0, -3.0 + 1e-9]
    assert cut(Unigram(tokens, scores), [b"abc"]) == [[0, 4]]
    scores = [-1.0, -9.0, -2.0, -2.0, -3.0 - 1e-9]
    assert cut(Unigram(tokens, scores), [b"abc"]) == [[3, 2]]
    assert cut(Unigram(tokens, scores, single_precision=True), [b"abc"]) == [[0, 4]]


@settings(max_examples=EXAMPLES)
@given(
    st.sets(st.text("abé漢", min_size=1, max_size=3), min_size=1, max_size=12),
    st.sets(st.text("abé漢", min_size=1, max_size=3), max_size=12),
    st.lists(st.text("abé漢c", min_size=1, max_size=9), max_size=5),
)
def test_word_pieces(first, later, words):
    spellings = ["[UNK]", *first, *(f"##{part}" for part in later)]
    ids = {spelling: number for number, spelling in enumerate(spellings)}
    segmenter = WordPiece([text.encode() for text in spellings], unk_id=0, max_characters=7)
    assert cut(segmenter, [word.encode() for word in words]) == [
        reference.wordpiece(word, ids, 0, 7) for word in words
    ]


def test_whole_words():
    segmenter = WordPiece([b"[UNK]", b"a", b"ab"], unk_id=0, whole_words=True)
    assert cut(segmenter, [b"a", b"ab", b"abc", b"b"]) == [[1], [2], [0], [0]]
    with pytest.raises(VocabularyError, match="no unknown token"):
        cut(WordPiece([b"a"], unk_id=None, whole_words=True), [b"b"])
