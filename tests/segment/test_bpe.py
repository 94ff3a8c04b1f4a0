"""Byte-pair encoding equals its oracle, whatever the length, the cache and the tables."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import segment as reference
from tokkit.kernels.bpe import FEW
from tokkit.pretokenize import Pieces
from tokkit.segment.bpe import BPE
from tokkit.vocab import flatten

# Without compilation kernels are some hundred times slower.
INTERPRETED = bool(numba.config.DISABLE_JIT)
SCALE = 500 if INTERPRETED else 1
EXAMPLES = 10 if INTERPRETED else 100

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


def cut(segmenter, pieces):
    ids, ends = segmenter.segment(Pieces(*flatten(pieces)))
    assert ids.dtype == np.int32
    assert ends.dtype == np.int64
    return [part.tolist() for part in np.split(ids, ends)[: len(pieces)]]


@st.composite
def vocabularies(draw, letters="abcd"):
    """Tokens and merges of earlier tokens, in any order of ranks."""
    tokens = [letter.encode() for letter in letters]
    merges = []
    for _ in range(draw(st.integers(0, 12))):
        left, right = draw(st.sampled_from(tokens)), draw(st.sampled_from(tokens))
        if left + right not in tokens:
            tokens.append(left + right)
        merges.append((tokens.index(left), tokens.index(right), tokens.index(left + right)))
    return tokens, draw(st.permutations(merges))


def table(merges):
    return {(left, right): (rank, new) for rank, (left, right, new) in enumerate(merges)}


@settings(max_examples=EXAMPLES)
@given(vocabularies(), st.lists(st.text("abcd", min_size=1, max_size=40), max_size=6))
def test_short_pieces(vocabulary, pieces):
    tokens, merges = vocabulary
    segmenter = BPE(tokens, np.array(merges, dtype=np.int32))
    pieces = [piece.encode() for piece in pieces] * 2
    units = {bytes([token[0]]): number for number, token in enumerate(tokens[:4])}
    expected = [
        reference.merge(reference.units_of(piece, units, by_bytes=True), table(merges))
        for piece in pieces
    ]
    assert cut(segmenter, pieces) == expected
    assert cut(segmenter, pieces) == expected, "from the cache"


@settings(max_examples=EXAMPLES // 2)
@given(vocabularies("ab"), st.text("ab", min_size=FEW, max_size=4 * FEW))
def test_long_pieces(vocabulary, piece):
    tokens, merges = vocabulary
    segmenter = BPE(tokens, np.array(merges, dtype=np.int32))
    ids = [tokens.index(letter.encode()) for letter in piece]
    assert cut(segmenter, [piece.encode()]) == [reference.merge(ids, table(merges))]


@settings(max_examples=EXAMPLES)
@given(
    vocabularies("aé漢😀"),
    st.lists(st.text("aé漢😀xß字🎉", min_size=1, max_size=40), max_size=4),
    st.booleans(),
    st.sampled_from(["bytes", "some bytes", "unknown", "nothing"]),
)
def test_unknown_characters(vocabulary, pieces, fuse, way):
    tokens, merges = vocabulary
    size = len(tokens)
    fallback = [size + 1 + byte for byte in range(256)]
    if way == "some bytes":
        fallback[0x9F] = fallback[0xC3] = -1
    spellings = [*tokens, *[b""] * 257]
    segmenter = BPE(
        spellings,
        np.array(merges, dtype=np.int32),
        units="characters",
        byte_fallback=fallback if "bytes" in way else None,
        unk_id=None if way == "nothing" else size,
        fuse_unk=fuse,
    )
    units = {token: number for number, token in enumerate(tokens[:4])}
    known = {byte: token_id for byte, token_id in enumerate(fallback) if token_id >= 0}
    pieces = [piece.encode() for piece in pieces]
    expected = [
        reference.merge(
            reference.units_of(
                piece,
                units,
                by_bytes=False,
                fallback=known if "bytes" in way else None,
                unknown=None if way == "nothing" else size,
                fuse=fuse,
            ),
            table(merges),
        )
        for piece in pieces
    ]
    assert cut(segmenter, pieces) == expected


def test_a_piece_that_is_a_token_is_not_merged():
    tokens = [b"a", b"b", b"c", b"ab", b"abc"]
    merges = np.array([[0, 1, 3]], dtype=np.int32)
    assert cut(BPE(tokens, merges, ignore_merges=True), [b"abc", b"abca"]) == [[4], [3, 2, 0]]
    assert cut(BPE(tokens, merges), [b"abc"]) == [[3, 2]]


def test_equal_ranks_merge_from_the_left():
    tokens = [b"a", b"b", b"ab", b"ba"]
    merges = np.array([[1, 0, 3], [0, 1, 2]], dtype=np.int32)
    ranks = np.zeros(2, dtype=np.int32)
    assert cut(BPE(tokens, merges, ranks=ranks), [b"aba"]) == [[2, 0]]
    assert cut(BPE(tokens, merges), [b"aba"]) == [[0, 3]]


def test_virtual_symbols_come_out_as_what_is_unknown():
    # "x" is in the token "ax" but is no token itself.
    tokens = [b"a", b"ax", b"x"]
    merges = np.array([[0, 2, 1]], dtype=np.int32)
    fallback = list(range(100, 356))
    bytewise = BPE(
        tokens,
        merges,
        units="characters",
        byte_fallback=fallback,
        late_unk=True,
        unk_id=50,
        size=2,
    )
    assert cut(bytewise, [b"axx", "xéa".encode()]) == [
        [1, 100 + ord("x")],
        [100 + ord("x"), 100 + 0xC3, 100 + 0xA9, 0],
    ]
    unknown = BPE(
        tokens, merges, units="characters", late_unk=True, unk_id=50, fuse_unk=True, size=2
    )
    assert cut(unknown, [b"axxya", b"xx"]) == [[1, 50, 0], [50]]


def test_marks_of_words():
    tokens = [b"a", b"##b", b"##c</w>", b"a</w>", b"##bc</w>"]
    merges = np.array([[1, 2, 4]], dtype=np.int32)
    segmenter = BPE(tokens, merges, units="characters", prefix=b"##", suffix=b"</w>")
    assert cut(segmenter, [b"abc", b"a", b"ab"]) == [[0, 4], [3], [0]]


def test_long_pieces_are_cut_where_nothing_merges():
    # Words of more than 24 bytes in one piece: no token goes on after a letter with a space.
    letters = [bytes([byte]) for byte in b" abcdefgh"]
    tokens = [*letters, b" a", b"bc", b"de", b" abc"]
    merges = np.array([[0, 1, 9], [2, 3, 10], [4, 5, 11], [9, 10, 12]], dtype=np.int32)
    text = b" abc de abcdefgh" * 9
    segmenter = BPE(tokens, merges)
    ids = [letters.index(bytes([byte])) for byte in text]
    assert cut(segmenter, [text, b"a", text]) == [
        reference.merge(ids, table(merges.tolist())),
        [1],
        reference.merge(ids, table(merges.tolist())),
    ]
    assert cut(segmenter, []) == []


def test_more_distinct_pieces_than_the_cache_holds():
    tokens = [bytes([byte]) for byte in range(256)]
    segmenter = BPE(tokens, np.zeros((0, 3), dtype=np.int32))
    pieces = [b"%d" % number * (1 + number % 5) for number in range(60_000 // SCALE)]
    for _ in range(2):
        assert cut(segmenter, pieces) == [list(piece) for piece in pieces]


@pytest.mark.parametrize("piece", [b"a" * (2_000_000 // SCALE), b"ab" * (1_000_000 // SCALE)])
def test_millions_of_bytes_in_one_piece(piece):
    tokens = [b"a", b"b", b"aa", b"ab", b"abab", b"aaaa"]
    merges = np.array([[0, 0, 2], [0, 1, 3], [3, 3, 4], [2, 2, 5]], dtype=np.int32)
    (ids,) = cut(BPE(tokens, merges), [piece])
    assert b"".join(tokens[i] for i in ids) == piece
    assert set(ids) == ({5} if piece[1:2] == b"a" else {4})


@given(st.lists(st.text("ab ", min_size=1, max_size=200), min_size=1, max_size=3))
def test_stages_change_nothing(few_are_worthwhile, pieces):
    tokens = [b"a", b"b", b" ", b"ab", b" ab", b"  ", b"ab ab", b"ab ab ab", b"b a", b"aab ab"]
    merges = np.array(
        [[0, 1, 3], [2, 3, 4], [2, 2, 5], [3, 4, 6], [6, 4, 7], [0, 6, 9]], dtype=np.int32
    )
    staged, plain = BPE(tokens, merges), BPE(tokens, merges, late_unk=True)
    assert staged._within_words is not None
    assert plain._within_words is None
    pieces = [piece.encode() for piece in pieces]
    assert cut(staged, pieces) == cut(plain, pieces)


@pytest.fixture(scope="module")
def few_are_worthwhile():
    """Make three merges enough for a stage of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tokkit.segment.bpe._WORTHWHILE", 3)
        yield
