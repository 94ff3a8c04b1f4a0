"""Steps of continuous bags of words, against plain Python and against numeric gradients."""

import math
from itertools import pairwise

import numpy as np
import pytest

from tests.reference import cbow as reference
from tokkit.kernels.cbow import END, LANES, LINE, Model, learn_word, learn_words


def matrix(random, rows, width=LANES):
    return random.normal(0, 0.4, (rows, width)).astype(np.float32)


@pytest.mark.parametrize("width", [LANES, 2 * LANES])
@pytest.mark.parametrize(
    ("rows", "targets"), [([0, 3, 3, 1], [2, 0, 1]), ([4], [0]), ([1, 2], [1, 3, 3, 2])]
)
def test_two_steps(rows, targets, width):
    random = np.random.default_rng(len(rows))
    inputs, outputs = matrix(random, 5, width), matrix(random, 4, width)
    wanted = inputs.tolist(), outputs.tolist()
    room = np.empty((2, width), dtype=np.float32)
    for rate in (0.3, 0.05):
        learn_word(np.int32(rows), np.int32(targets), rate, inputs, outputs, *room)
        reference.step(rows, targets, rate, *wanted)
    np.testing.assert_allclose(inputs, wanted[0], atol=1e-5)
    np.testing.assert_allclose(outputs, wanted[1], atol=1e-5)


def test_a_step_goes_down_the_slope_of_the_loss():
    random = np.random.default_rng(5)
    inputs, outputs = matrix(random, 3), matrix(random, 3)
    before = inputs.astype(float), outputs.astype(float)
    room = np.empty((2, LANES), dtype=np.float32)
    rate, nudge = 1e-2, 1e-6
    learn_word(np.arange(3, dtype=np.int32), np.int32([0, 1, 2]), rate, inputs, outputs, *room)
    for side, (old, new) in enumerate(zip(before, (inputs, outputs), strict=True)):
        moved = [each.copy() for each in before]
        moved[side][1, 7] += nudge
        slope = (reference.loss(*moved) - reference.loss(*before)) / nudge
        # The whole gradient of the mean goes to each of the three rows.
        share = 3 if side == 0 else 1
        assert math.isclose(new[1, 7] - old[1, 7], -rate * share * slope, abs_tol=1e-5)


def model(random, words, drop=1.0, negatives=64):
    lengths = random.integers(1, 4, words)
    return Model(
        np.cumsum(lengths),
        random.integers(0, 2 * words, lengths.sum()).astype(np.int32),
        np.full(words, drop),
        random.integers(0, words, negatives).astype(np.int32),
        matrix(random, 2 * words),
        matrix(random, words),
        np.array([88172645463325252], dtype=np.uint64),
        np.zeros(1, dtype=np.int64),
    )


@pytest.mark.parametrize("drop", [1.0, 0.6, 0.0])
def test_documents(drop):
    random = np.random.default_rng(9)
    learned = model(random, 6, drop)
    documents = [random.integers(0, 6, size).tolist() for size in (9, 1, 0, 12)]
    wanted = learned.inputs.tolist(), learned.outputs.tolist()
    starts = [0, *learned.gram_ends.tolist()]
    made_of = [learned.grams[start:end].tolist() for start, end in pairwise(starts)]
    state, done = reference.learn(
        documents,
        made_of,
        learned.keep.tolist(),
        learned.negatives.tolist(),
        3,
        4,
        0.1,
        30,
        *wanted,
        int(learned.random[0]),
    )
    for part in (documents[:2], documents[2:]):
        words = [word for document in part for word in [*document, END]]
        learn_words(np.array(words, dtype=np.int32), learned, 3, 4, 0.1, 30)
    assert (int(learned.random[0]), int(learned.done[0])) == (state, done) != (0, 0)
    np.testing.assert_allclose(learned.inputs, wanted[0], atol=1e-4)
    np.testing.assert_allclose(learned.outputs, wanted[1], atol=1e-4)


def test_documents_longer_than_a_line_are_lines():
    words = np.arange(LINE + 40, dtype=np.int32) % 6
    joined, apart = (model(np.random.default_rng(2), 6) for _ in range(2))
    learn_words(np.append(words, np.int32(END)), joined, 1, 1, 0.01, 2 * LINE)
    cut = [words[:LINE], words[LINE:]]
    for part in cut:
        learn_words(np.append(part, np.int32(END)), apart, 1, 1, 0.01, 2 * LINE)
    assert (joined.inputs == apart.inputs).all()
    assert joined.done.tolist() == [LINE + 40]


def test_nothing_to_read():
    untouched = model(np.random.default_rng(2), 6)
    before = untouched.inputs.copy()
    learn_words(np.int32([END, 3, END]), untouched, 5, 10, 0.1, 4)
    assert (untouched.inputs == before).all()
