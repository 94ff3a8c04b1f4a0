"""New tokens from source tokens that mean the same."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import wechsel as reference
from tests.transplant.small import context, tokenizer
from tokkit.corpus import open_corpus
from tokkit.errors import UsageError
from tokkit.transplant.context import NEIGHBOURS, RANDOM, Settings
from tokkit.transplant.methods.wechsel import (
    find_pairs,
    learn_word_vectors,
    token_vectors,
    turn,
    wechsel,
    wechsel_from_vectors,
)
from tokkit.transplant.methods.word_vectors import WordVectors

SOURCE = tokenizer(b" ca", b" red", b"the", b" eats", b"zz")
TARGET = tokenizer(b" cat", b" red", b" dog", b" blue", b"zqz", b"eat")
SIZE = len(SOURCE.vocab)


@given(st.integers(1, 9), st.integers(0, 2**32), st.integers(1, 12))
def test_weights_are_those_of_the_formula(width, seed, count):
    random = np.random.default_rng(seed)
    source, target = (
        random.standard_normal((len(each.vocab), width)).astype(np.float32)
        for each in (SOURCE, TARGET)
    )
    for each in (source, target):
        each[random.random(len(each)) < 0.2] = 0
    source[40] = source[30]
    alignment = context(SOURCE, TARGET).alignment
    made = wechsel_from_vectors(source, target, alignment, count)
    for number, token in enumerate(alignment.new.tolist()):
        row = dict(made.rows.row(number))
        if not target[token].any():
            assert (row, made.origins[number], made.noise[number]) == ({SIZE: 1}, RANDOM, 1)
            continue
        wanted = reference.neighbours(target[token].tolist(), source.tolist(), count)
        assert (made.origins[number], made.noise[number]) == (NEIGHBOURS, 0)
        if width > 1:  # else many are equally near, but for rounding
            assert list(row) == list(wanted)
        assert list(row.values()) == pytest.approx(list(wanted.values()), abs=1e-6)


def test_nothing_is_known():
    alignment = context(SOURCE, TARGET).alignment
    zero, one = (np.full((len(TARGET.vocab), 2), value, dtype="f4") for value in (0, 1))
    for source, target in ((zero[:SIZE], one), (one[:SIZE], zero)):
        made = wechsel_from_vectors(source, target, alignment)
        assert made.rows.ids.tolist() == [SIZE] * len(alignment.new)


WORDS = [b" cat", b" cats", b" eats", b"the", b" zqz"]


def learned_words():
    random = np.random.default_rng(4)
    return WordVectors(
        random.standard_normal((5, 6)).astype(np.float32),
        np.ones(5, dtype=bool),
        np.array([10, 3, 200, 7, 2]),
        {"<zz": 5, "zz>": 6, "<th": 7},
        random.standard_normal((8, 6)).astype(np.float32),
    )


@pytest.mark.parametrize("model", [SOURCE, TARGET])
def test_a_token_is_the_mean_of_its_words(model):
    learned = learned_words()
    found = token_vectors(model, WORDS, learned)
    cuts = [set(model.encode(word).tolist()) for word in WORDS]
    for token, vector in enumerate(found):
        wanted = reference.token_vector(token, cuts, learned.counts, learned.vectors)
        if wanted is None:
            wanted = learned.guess(model.vocab.tokens[token])
        assert vector == pytest.approx(wanted, abs=1e-6)
    known = found.any(axis=1)
    assert not known[model.vocab.specials["<s>"]]
    assert known[model.vocab.ids.get(b"zz", 0)] == (model is SOURCE)


def test_words_of_a_dictionary():
    pairs = [("cat", "eats"), ("the", "zqz"), ("cats", "none"), ("the", "the")]
    assert find_pairs(pairs, WORDS) == [(0, 2), (3, 3)]


def test_turning_finds_the_rotation_between_two_languages():
    random = np.random.default_rng(0)
    one = random.standard_normal((12, 5))
    rotation = np.linalg.qr(random.standard_normal((5, 5)))[0]
    vectors = np.concatenate([one, 3 * one @ rotation]).astype(np.float32)
    pairs = [(number, 12 + number) for number in range(9)]
    turned = turn(vectors[:12], vectors, pairs)
    np.testing.assert_allclose(turned, one @ rotation, atol=1e-5)
    with pytest.raises(UsageError, match="text of both languages"):
        turn(vectors, vectors, [])


@pytest.fixture
def corpus(tmp_path):
    random = np.random.default_rng(0)
    kinds = [[f"the {name} eats,\n" for name in ("cat", "dog", "cat")]]
    kinds += [[f"fine {name} ink.\n" for name in ("red", "blue")]]
    for number in range(20):
        lines = random.choice(kinds[number % 2], 100)
        (tmp_path / f"{number:02}.txt").write_text("".join(lines))
    (tmp_path / "last.txt").write_text(" seldom a word")
    return open_corpus([tmp_path])


def test_words_of_a_corpus(corpus):
    words, learned = learn_word_vectors(corpus, Settings(dimensions=16), seed=0)
    assert words == sorted(words)
    assert {b" cat", b" eats", b"the", b"fine", b"\n"} - set(words) == set()
    assert b" seldom" not in words
    assert learned.known.all()
    assert learned.counts[words.index(b" eats")] == learned.counts[words.index(b"the")]


def test_what_is_part_of_the_same_words_is_nearest(corpus):
    made_of = context(SOURCE, TARGET, corpus=corpus, dimensions=16, epochs=40, neighbours=2)
    made = wechsel(made_of, "input")
    cat, dog, blue, odd, _ = (dict(made.rows.row(number)) for number in range(5))
    assert set(cat) == {SOURCE.vocab.ids[b" ca"], SOURCE.vocab.ids[b"t"]}
    assert set(dog) < {SOURCE.vocab.ids[letter] for letter in (b"d", b"o", b"g")}
    assert set(blue) == {SOURCE.vocab.ids[b"b"], SOURCE.vocab.ids[b"l"]}  # not u: a higher id
    assert all(sum(row.values()) == pytest.approx(1) for row in (cat, dog, blue))
    assert odd == {SIZE: 1}
    assert made.notes["without vector"] == 1
    paired = replace(made_of, dictionary=[("cat", "dog"), ("the", "fine")])
    with_pairs = wechsel(paired, "input")
    assert with_pairs.notes["dictionary pairs"] == 2
    assert with_pairs.notes["words"] == made.notes["words"]


def test_a_text_is_needed():
    with pytest.raises(UsageError, match="give it a corpus"):
        wechsel(context(SOURCE, TARGET), "input")
