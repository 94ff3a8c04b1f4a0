"""Word vectors of small corpora."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import cbow as reference
from tests.transplant.small import tokenizer
from tokkit.corpus import open_corpus
from tokkit.kernels.cbow import END
from tokkit.transplant.context import Settings
from tokkit.transplant.methods import word_vectors
from tokkit.transplant.methods.word_vectors import (
    draw_table,
    how_often_kept,
    learn_token_vectors,
    learn_vectors,
    number_grams,
    split_grams,
)

SETTINGS = Settings(dimensions=20, epochs=5, min_count=2)


@given(st.text(max_size=9))
def test_grams_are_those_of_the_definition(text):
    assert sorted(split_grams(text.encode())) == sorted(reference.grams(text))


def test_a_stray_byte_is_a_character():
    assert len(list(split_grams(b"\xff\xc3"))) == len(reference.grams("ab"))


def test_words_share_rows_of_grams():
    grams = number_grams([b"ab", b"abc"])
    assert grams == {"<ab": 2, "<ab>": 3, "ab>": 4, "<abc": 5, "<abc>": 6} | {
        gram: grams[gram] for gram in ("abc", "abc>", "bc>")
    }
    assert sorted(grams.values()) == list(range(2, 10))


def test_frequent_words_are_left_out_at_times():
    kept = how_often_kept(np.array([10**6, 10, 50]))
    share = 10**6 / (10**6 + 60)
    assert kept[0] == pytest.approx((1e-4 / share) ** 0.5 + 1e-4 / share)
    assert kept[1:].tolist() == [1, 1]


def test_negatives_are_drawn_as_the_square_root_of_their_count():
    shares = np.bincount(draw_table(np.array([100, 1, 900]))) / draw_table(np.ones(3)).size
    assert shares == pytest.approx(np.array([10, 1, 30]) / 41, abs=1e-5)


def documents(random):
    """Two kinds of words, each in documents of their own."""
    for number in range(40):
        words = random.integers(0, 12, 300) + 12 * (number % 2)
        yield np.append(words, END).astype(np.int32)


def learn(words=tuple(b"%c" % (97 + number) for number in range(25)), seed=0, epochs=40):
    settings = replace(SETTINGS, epochs=epochs)
    return learn_vectors(words, lambda: documents(np.random.default_rng(3)), settings, seed)


def cosines(vectors):
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units @ units.T


def test_words_used_alike_are_close():
    learned = learn()
    similar = cosines(learned.vectors[:24])
    assert similar[:12, :12].min() > similar[:12, 12:].max() + 0.3
    assert similar[12:, 12:].min() > similar[12:, :12].max() + 0.3
    assert learned.known.tolist() == [True] * 24 + [False]
    assert not learned.vectors[24].any()
    assert learned.counts.sum() == 40 * 300


def test_the_seed_decides_and_blocks_do_not(monkeypatch):
    first, other = learn(epochs=2), learn(epochs=2, seed=1)
    monkeypatch.setattr(word_vectors, "BLOCK", 7)
    again = learn(epochs=2)
    assert (first.vectors == again.vectors).all()
    assert not (first.vectors == other.vectors).any(axis=1)[:24].any()


def test_a_vector_is_the_mean_of_its_rows():
    words = [b"alpha", b"alphabet", *(b"word%d" % number for number in range(23))]
    learned = learn(words, epochs=1)
    rows = [1, *(learned.grams[gram] for gram in reference.grams("alphabet"))]
    wanted = learned.rows[rows].mean(axis=0)
    np.testing.assert_allclose(learned.vectors[1], wanted, atol=1e-6)
    known = [learned.grams[gram] for gram in ("<al", "<alp", "alp")]
    np.testing.assert_allclose(learned.guess(b"alp"), learned.rows[known].mean(axis=0))
    assert not learned.guess(b"?").any()


def test_tokens_of_a_corpus(tmp_path):
    texts = ["a cat sat", "", "a cat <s> ran", "\ud7ff cat"]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    (tmp_path / "corpus.jsonl").write_text(lines)
    model = tokenizer(b" cat", b"ran")
    told = []
    learned = learn_token_vectors(
        open_corpus([tmp_path / "corpus.jsonl"]),
        model,
        SETTINGS,
        progress=lambda *step: told.append(step),
    )
    size = len(model.vocab)
    assert learned.vectors.shape == (size, 20)
    assert {model.vocab.tokens[i] for i in np.flatnonzero(learned.known)} == {
        b" cat",
        b" ",
        b"a",
        b"s",
    }
    assert learned.counts[model.vocab.ids[b" cat"]] == 3
    assert not learned.counts[model.vocab.specials["<s>"]]
    assert [step[0] for step in told if step[1] == step[2]] == ["learn word vectors"]


def test_nothing_seen_often_enough():
    learned = learn_vectors(
        [b"a", b"b"], lambda: iter([np.array([0, END], dtype=np.int32)]), SETTINGS
    )
    assert not learned.known.any()
    assert not learned.vectors.any()
    assert not learned.guess(b"a").any()
