"""Answers to many questions at once are those to each alone."""

import numpy as np
import torch

from tests.studies.scratch.conftest import TINY
from tokkit.lm.train_model import new_model
from tokkit.studies.scratch.decoding import greedy
from tokkit.studies.scratch.rows import PAD

END, MOST = 11, 6


def answer_slowly(model, question):
    """Ask again from the beginning for every token."""
    said = []
    while len(said) < MOST and END not in said:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([[*question, *said]])).logits
        said.append(int(logits[0, -1].argmax()))
    return said + [PAD] * (MOST - len(said))


def test_answers_of_a_batch_are_those_of_each():
    model = new_model(TINY, 12, END, END, seed=1)
    chance = np.random.default_rng(0)
    questions = [chance.integers(0, 11, size).tolist() for size in (3, 5, 3, 1, 4, 5) * 5]
    rows = np.array([[*each, *[PAD] * (5 - len(each))] for each in questions])
    expected = [answer_slowly(model, each) for each in questions]
    assert any(END in each[:-1] for each in expected)
    assert any(END not in each for each in expected)
    model.train()
    assert greedy(model, rows, END, MOST).tolist() == expected
    assert model.training


def test_nobody_waits_for_answers_that_are_over():
    model = new_model(TINY, 12, END, END, seed=0)
    calls = []
    forward = model.forward

    def counted(**options):
        calls.append(options["input_ids"].shape)
        output = forward(**options)
        output.logits[..., END] = 1e9
        return output

    model.forward = counted
    said = greedy(model, np.array([[1, 2], [3, 4]]), END, MOST)
    assert said.tolist() == [[END, *[PAD] * (MOST - 1)]] * 2
    assert calls == [(2, 2)]
