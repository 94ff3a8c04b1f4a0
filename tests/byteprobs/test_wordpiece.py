"""Canonical sequences of word pieces: against all there are, and against `tokenizers`."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.byteprobs.exhaustive import check_sequences
from tokkit.canonical.protocols import NEVER
from tokkit.canonical.wordpiece import WordPiece
from tokkit.segment.wordpiece import WordPiece as Segmenter

letters = st.text("abé", min_size=1, max_size=4)
spellings = st.lists(
    st.tuples(st.booleans(), letters).map(lambda each: "##" * each[0] + each[1])
    | st.sampled_from(["#", "##", "###", "####"]),
    min_size=2,
    max_size=6,
)


def texts_of(tokens, prefix=b"##"):
    return [token.removeprefix(prefix) for token in tokens]


def check_everything(segmenter, texts):
    """Compare every sequence, up to a length, with what its own bytes are cut into."""
    machine = WordPiece(segmenter, texts)
    check_sequences(machine, segmenter, texts)


@settings(max_examples=60)
@given(spellings, st.sampled_from([100, 3, 1]))
def test_every_short_sequence(vocabulary, most):
    tokens = [b"", *(each.encode() for each in vocabulary)]
    segmenter = Segmenter(tokens, unk_id=0, max_characters=most)
    check_everything(segmenter, texts_of(tokens))


@settings(max_examples=40)
@given(st.lists(letters, min_size=2, max_size=6), st.sampled_from([100, 2]), st.booleans())
def test_without_a_prefix_or_as_whole_words(vocabulary, most, whole):
    tokens = [b"", *(each.encode() for each in vocabulary)]
    check_everything(
        Segmenter(tokens, unk_id=0, prefix=b"", max_characters=most, whole_words=whole), tokens
    )


def test_what_can_only_be_inside_a_piece():
    """Such a token begins none; its state is that after one somewhere in a piece."""
    tokens = [b"", b"play", b"##in", b"##g", b"##ing"]
    machine = WordPiece(Segmenter(tokens, unk_id=0), texts_of(tokens))
    assert machine.begins.tolist() == [0, 1, 0, 0, 0]
    assert machine.following(machine.begin(2)).tolist() == [0, 0, 1, 0, 1]
    assert machine.begin(0) == NEVER


@pytest.mark.parametrize("seed", range(3))
def test_against_tokenizers(seed):
    from tokenizers import Tokenizer, models

    chance = random.Random(seed)
    words = ["".join(chance.choices("abcd", k=chance.randint(1, 4))) for _ in range(60)]
    vocabulary = {"[UNK]": 0}
    for word in words:
        for spelling in (word, "##" + word[1:] + word[0]):
            vocabulary.setdefault(spelling, len(vocabulary))
    model = models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=9)
    foreign = Tokenizer(model)
    tokens = [b"", *(spelling.encode() for spelling in list(vocabulary)[1:])]
    texts = texts_of(tokens)
    machine = WordPiece(Segmenter(tokens, unk_id=0, max_characters=9), texts)
    for _ in range(30):
        sequence = [chance.choice(np.flatnonzero(machine.begins).tolist())]
        state = machine.begin(sequence[0])
        for _ in range(4):
            before = b"".join(texts[i] for i in sequence)
            wanted = [
                bool(text)
                and foreign.encode((before + text).decode()).ids == [*sequence, token]
                for token, text in enumerate(texts)
            ]
            flags = machine.following(state)
            assert flags.tolist() == wanted
            if not any(wanted):
                break
            sequence.append(chance.choice(np.flatnonzero(flags).tolist()))
            state = machine.follow(state, sequence[-1])


def test_a_model_with_fewer_ids_than_the_tokenizer():
    """What the model has no id for carries no text, but the encoder still prefers it."""
    tokens = [b"", b"a", b"b", b"ab", b"c"]
    machine = WordPiece(Segmenter(tokens, unk_id=0, prefix=b""), tokens[:3])
    assert machine.begins.tolist() == [0, 1, 1]
    assert machine.following(machine.begin(1)).tolist() == [0, 1, 0]
    assert machine.follow(machine.begin(1), 2) == NEVER
