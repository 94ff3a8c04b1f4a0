"""New tokens from shared ones that are used alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import focus as reference
from tests.transplant.small import context, tokenizer
from tokkit.corpus import open_corpus
from tokkit.errors import UsageError
from tokkit.transplant.context import NEIGHBOURS, RANDOM
from tokkit.transplant.methods import focus as module
from tokkit.transplant.methods.focus import focus, focus_from_vectors

SHARED = (b" cat", b" red", b"the")
SOURCE = tokenizer(b"x1", *SHARED)
TARGET = tokenizer(*SHARED, b" dog", b" blue", b" seldom")
SIZE = len(SOURCE.vocab)


def compose(vectors, known, made_of):
    return focus_from_vectors(vectors, known, made_of.alignment, SIZE)


@given(st.integers(1, 9), st.integers(0, 2**32), st.floats(0, 1))
def test_weights_are_those_of_the_formula(width, seed, share):
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((len(TARGET.vocab), width)).astype(np.float32)
    known = random.random(len(vectors)) < share
    vectors[random.random(len(vectors)) < 0.1] = 0
    made_of = context(SOURCE, TARGET)
    made = compose(vectors, known, made_of)
    alignment = made_of.alignment
    wanted = reference.focus(
        vectors.tolist(), known, alignment.matches, alignment.shared, alignment.new
    )
    dense = made.rows.dense(SIZE + 1)
    for row, origin, noise, weights in zip(
        dense, made.origins, made.noise, wanted, strict=True
    ):
        expected = np.zeros(SIZE + 1)
        if weights is None:
            expected[SIZE] = 1
        else:
            expected[list(weights)] = list(weights.values())
        np.testing.assert_allclose(row, expected, atol=1e-6)
        assert (origin, noise) == ((RANDOM, 1) if weights is None else (NEIGHBOURS, 0))
    assert made.notes["without vector"] == wanted.count(None)


def test_blocks_do_not_matter(monkeypatch):
    vectors = np.random.default_rng(0).standard_normal((len(TARGET.vocab), 8)).astype("f4")
    known = np.ones(len(vectors), dtype=bool)
    whole = compose(vectors, known, context(SOURCE, TARGET))
    monkeypatch.setattr(module, "BLOCK", 1)
    apart = compose(vectors, known, context(SOURCE, TARGET))
    assert whole.rows.ids.tolist() == apart.rows.ids.tolist()
    np.testing.assert_allclose(whole.rows.weights, apart.rows.weights, atol=1e-6)


def test_nothing_to_compare_with():
    vectors = np.ones((len(TARGET.vocab), 3), dtype=np.float32)
    known = np.zeros(len(vectors), dtype=bool)
    known[-5:] = True
    made = compose(vectors, known, context(SOURCE, TARGET))
    assert made.rows.ids.tolist() == [SIZE] * 3
    assert made.notes == {"anchors": 0, "without vector": 3}


def test_no_new_token():
    ones = np.ones((SIZE, 3), dtype=np.float32)
    assert len(compose(ones, ones[:, 0] > 0, context(SOURCE, SOURCE)).rows) == 0


@pytest.fixture
def corpus(tmp_path):
    """Animals do one thing, colours another."""
    random = np.random.default_rng(0)
    kinds = [[f"the{name} eats,\n" for name in (" cat", " dog")]]
    kinds += [[f"fine{name} ink.\n" for name in (" red", " blue")]]
    for number in range(20):
        lines = random.choice(kinds[number % 2], 100)
        (tmp_path / f"{number:02}.txt").write_text("".join(lines))
    (tmp_path / "last.txt").write_text("seldom a seldom one")
    return open_corpus([tmp_path])


def test_a_text_teaches_which_are_alike(corpus):
    made_of = context(SOURCE, TARGET, corpus=corpus, dimensions=16, epochs=40)
    made = focus(made_of, "input")
    dog, blue = (dict(made.rows.row(number)) for number in (0, 1))
    cat, red = (SOURCE.vocab.ids[token] for token in (b" cat", b" red"))
    assert dog.get(cat, 0) > dog.get(red, 0)
    assert blue.get(red, 0) > blue.get(cat, 0)
    assert made.origins.tolist() == [NEIGHBOURS, NEIGHBOURS, RANDOM]
    assert made.notes["without vector"] == 1
    again = focus(made_of, "output")
    assert made.rows.weights.tolist() == again.rows.weights.tolist()


def test_a_text_is_needed():
    with pytest.raises(UsageError, match="give it a corpus"):
        focus(context(SOURCE, TARGET), "input")
