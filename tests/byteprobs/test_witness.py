"""Witnesses against every text there is, and against the machines that need none."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.byteprobs.exhaustive import walk
from tokkit.canonical.longest import Longest
from tokkit.canonical.protocols import NEVER
from tokkit.canonical.viterbi import Viterbi
from tokkit.canonical.witness import Witness, endings
from tokkit.canonical.wordpiece import WordPiece
from tokkit.normalize import Prepend
from tokkit.patterns import find_pattern
from tokkit.pretokenize import Regex
from tokkit.segment.bpe import BPE
from tokkit.segment.longest import LongestMatch
from tokkit.segment.unigram import Unigram
from tokkit.segment.wordpiece import WordPiece as WordPieces
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

words = st.lists(st.text("aes", min_size=1, max_size=4), min_size=2, max_size=6, unique=True)


def make_longest(texts):
    segmenter = LongestMatch(texts, unknown_id=0)
    return segmenter, Longest(segmenter, texts)


def make_viterbi(texts):
    segmenter = Unigram(texts, [-0.1 * len(text) for text in texts], unk_id=0, fuse_unk=False)
    return segmenter, Viterbi(segmenter, texts)


def make_wordpiece(texts):
    segmenter = WordPieces(texts, unk_id=0, prefix=b"")
    return segmenter, WordPiece(segmenter, texts)


@pytest.mark.parametrize("make", [make_longest, make_viterbi, make_wordpiece])
@settings(max_examples=15)
@given(words)
def test_against_the_machines_of_one_piece(make, vocabulary):
    texts = [b"", *(each.encode() for each in vocabulary)]
    segmenter, machine = make(texts)
    tokenizer = Tokenizer(Vocabulary(tuple(texts)), segmenter)
    witness = Witness(tokenizer, texts)
    assert witness.allowed(witness.start).tolist() == machine.begins.tolist()
    assert witness.can_end(witness.start)
    for sequence in product(range(1, len(texts)), repeat=2):
        state = walk(machine, sequence)
        seen = witness.start
        for token in sequence:
            seen = seen if seen == NEVER else witness.step(seen, token)
        assert (seen == NEVER) == (state == NEVER)
        if seen != NEVER:
            assert witness.can_end(seen) == machine.may_end(state)
            assert witness.allowed(seen).tolist() == machine.following(state).tolist()


def merged_words():
    """A byte-pair model whose tokens inside words are marked: ``a``, ``##a`` and so on."""
    spellings = [b"", b"a", b"s", b"##a", b"##s", b"as", b"##as", b" "]
    merges = np.array([[1, 4, 5], [3, 4, 6]], dtype=np.int32)
    segmenter = BPE(spellings, merges, units="characters", prefix=b"##", unk_id=0)
    texts = tuple(each.removeprefix(b"##") for each in spellings)
    return Tokenizer(
        Vocabulary(texts), segmenter, pretokenizer=Regex(find_pattern(" |[^ ]+"))
    ), texts


def test_against_all_short_texts():
    tokenizer, texts = merged_words()
    written = ["".join(each) for n in range(8) for each in product("as ", repeat=n)]
    encoded = [tuple(ids.tolist()) for ids in tokenizer.encode_batch(written)]
    found = {ids[:length] for ids in encoded for length in range(1, 5)}
    witness = Witness(tokenizer, texts)
    states = {(): witness.start}
    for length in range(3):
        for sequence in [each for each in states if len(each) == length]:
            flags = witness.allowed(states[sequence])
            wanted = [(*sequence, token) in found for token in range(len(texts))]
            assert flags.astype(bool).tolist() == wanted, sequence
            assert witness.can_end(states[sequence]) == (sequence in encoded)
            for token in np.flatnonzero(flags).tolist():
                states[*sequence, token] = witness.step(states[sequence], token)
    assert len(set(states.values())) == len(states)


def test_what_comes_before_a_text_is_no_part_of_it():
    """With a space put in front, no text begins with tokens that lack it."""
    texts = (b"", b" ", b" a", b"a", b" aa")
    segmenter = LongestMatch(texts, unknown_id=0)
    tokenizer = Tokenizer(Vocabulary(texts), segmenter, normalizer=Prepend(b" "))
    witness = Witness(tokenizer, texts, lead=b" ")
    assert witness.allowed(witness.start).tolist() == [0, 1, 1, 0, 1]
    assert witness.can_end(witness.step(witness.start, 4))


def walk_through(witness, sequence):
    state = witness.start
    for token in sequence:
        state = state if state == NEVER else witness.step(state, token)
    return state


def test_what_later_text_decides_about_splits(shared):
    """The pattern of GPT-2: a run of spaces leaves its last one to a word; 's is cut off."""
    from tokkit.formats import load

    tokenizer = load(shared / "tokenizers" / "hf" / "gpt2")
    ids = tokenizer.vocab.ids
    witness = Witness(tokenizer, tokenizer.vocab.tokens)

    def is_seen(*parts):
        return walk_through(witness, [ids[part] for part in parts]) != NEVER

    assert is_seen(b"a", b" ")
    assert is_seen(b"a", b" ", b" b")
    assert not is_seen(b"a", b" ", b"b")
    assert is_seen(b"it", b"'")
    assert is_seen(b"it", b"'s")
    assert not is_seen(b"it", b"'", b"s")
    assert is_seen(b"\xe6", b"\xbc")
    assert not is_seen(b"\xc3", b"\xa9")


def test_a_real_text(shared):
    from tokkit.formats import load

    tokenizer = load(shared / "models" / "stories260k" / "tokenizer.model")
    witness = Witness(tokenizer, tokenizer.vocab.tokens, lead=b" ")
    text = "Once upon a time, Zoë’s 3 漢"
    ids = tokenizer.encode(text).tolist()
    state = walk_through(witness, ids[:4])
    flags = witness.allowed(state)
    assert flags[ids[4]]
    for token in np.flatnonzero(flags).tolist()[::7]:
        assert witness.step(state, token) != NEVER
    end = walk_through(witness, ids)
    assert witness.can_end(end)
    assert not witness.can_end(walk_through(witness, ids[:-1]))


def test_endings_finish_a_character():
    for text in (b"a", "é".encode()[:1], "漢".encode()[:1], "漢".encode()[:2], b"a\xf0\x9f"):
        tried = list(endings(text))
        assert len(tried) == len(set(tried)) > 40
        for ending in tried:
            (text + ending).decode()
    assert len([each for each in endings(b"\xe4\xb8") if len(each) == 1]) == 64
