"""Canonical sequences of longest match: against all there are, and real vocabularies."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.byteprobs.exhaustive import check_sequences, cut, sequences, walk
from tokkit.canonical.longest import Longest
from tokkit.canonical.protocols import NEVER
from tokkit.segment.longest import LongestMatch

few_letters = st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=5).map(
    b"".join
)
cut_characters = st.sampled_from(["é".encode(), "é".encode()[:1], "é".encode()[1:], b"a\xc3"])


@settings(max_examples=60)
@given(st.lists(few_letters | cut_characters, min_size=1, max_size=6))
def test_every_short_sequence(tokens):
    """The letters' own tokens are there or not; ids with no text are never canonical."""
    segmenter = LongestMatch([*tokens, b"zz", b"a"], unknown_id=len(tokens))
    texts = [*tokens, b"", b"a"]
    machine = Longest(segmenter, texts)
    check_sequences(machine, segmenter, texts)
    for token, text in enumerate(texts):
        assert not machine.begins[token] or text


def test_a_token_begun_earlier_takes_over():
    machine = Longest(
        LongestMatch([b"a", b"b", b"c", b"abc"], unknown_id=4), [b"a", b"b", b"c", b"abc", b""]
    )
    after_ab = walk(machine, (0, 1))
    assert machine.following(after_ab).tolist() == [1, 1, 0, 1, 0]
    assert machine.begins.tolist() == [1, 1, 1, 1, 0]


def test_states_are_few():
    """Only what is pending counts: however long the text, there is nothing more to remember."""
    machine = Longest(
        LongestMatch([b"a", b"b", b"aab"], unknown_id=3), [b"a", b"b", b"aab", b""]
    )
    states = {walk(machine, each) for each in sequences(3)} - {NEVER}
    assert len(states) == 3


@pytest.mark.parametrize("seed", range(2))
def test_a_real_vocabulary(shared, seed):
    """The tokens of GPT-2, greedily: what the segmenter gives for texts is canonical."""
    from tokkit.formats import load

    tokens = load(shared / "tokenizers" / "tiktoken" / "r50k_base.tiktoken").vocab.tokens
    segmenter = LongestMatch(tokens, unknown_id=tokens.index(b"") if b"" in tokens else None)
    machine = Longest(segmenter, tokens)
    text = (shared / "corpora" / "tiny_shakespeare.txt").read_bytes()
    chance = random.Random(seed)
    for _ in range(20):
        place = chance.randrange(len(text) - 60)
        ids = cut(segmenter, [text[place : place + 60]])[0]
        state = machine.begin(ids[0])
        for number, token in enumerate(ids[1:], 1):
            flags = machine.following(state)
            other = chance.choice(np.flatnonzero(flags).tolist())
            spelled = b"".join(tokens[i] for i in ids[:number]) + tokens[other]
            assert cut(segmenter, [spelled])[0] == [*ids[:number], other]
            forbidden = np.flatnonzero((flags == 0) & (machine.begins == 1))
            for refused in chance.sample(forbidden.tolist(), min(3, forbidden.size)):
                spelled = b"".join(tokens[i] for i in ids[:number]) + tokens[refused]
                assert cut(segmenter, [spelled])[0] != [*ids[:number], refused]
            assert flags[token]
            state = machine.follow(state, token)


def test_a_model_with_fewer_ids_than_the_tokenizer():
    """What the model has no id for carries no text, but the encoder still prefers it."""
    tokens = [b"", b"a", b"b", b"ab", b"c"]
    machine = Longest(LongestMatch(tokens, unknown_id=0), tokens[:3])
    assert machine.begins.tolist() == [0, 1, 1]
    assert machine.following(machine.begin(1)).tolist() == [0, 1, 0]
    assert machine.follow(machine.begin(1), 2) == NEVER
