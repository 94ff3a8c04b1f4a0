"""Text: what is held out, and bits per byte."""

import math
from dataclasses import replace

import pytest
import torch

from tests.studies.scratch.conftest import TINY
from tokkit.errors import CorpusError
from tokkit.lm.train_model import new_model
from tokkit.lm.train_run import Run, Schedule
from tokkit.studies.scratch.plan import PLANS, open_trials
from tokkit.studies.scratch.text import divide

TEXTS = [f"The {n} ants of hill {n * n} saw {n} bees.\n".encode() * 3 for n in range(60)]


def test_some_documents_are_held_out_and_none_is_both():
    texts = divide(TEXTS, 64)
    assert len(texts.learnt) == 57
    apart = [text for text in TEXTS if text not in texts.learnt]
    assert b"".join(texts.held_out) == b"".join(apart)
    assert max(map(len, texts.held_out)) <= 64
    assert divide([*TEXTS, TEXTS[0]], 64) == texts
    assert divide(TEXTS[::-1], 64).learnt == texts.learnt[::-1]


def test_one_long_text_is_enough_and_a_short_one_is_not():
    long = b"".join(TEXTS * 2)
    texts = divide([long], 64)
    assert len(texts.learnt) + 1 == len(long) // 4096 + 1
    assert len(b"".join([*texts.learnt, *texts.held_out])) == len(long)
    with pytest.raises(CorpusError, match="too few"):
        divide([b"An ant."], 64)


def test_a_model_that_knows_nothing_needs_all_bits_of_a_token():
    plan = replace(PLANS["text"], tokenizations=("bytes",))
    trial, *_ = open_trials(plan, TEXTS)
    assert trial.vocab_size == 257
    model = new_model(TINY, trial.vocab_size, trial.begins, trial.ends, 0)
    model.config.n_positions = plan.architecture.context
    model.transformer.wpe = torch.nn.Embedding(plan.architecture.context, TINY.hidden_size)
    with torch.no_grad():
        model.transformer.wte.weight.zero_()
    found = trial.measure(model)
    assert found.value == pytest.approx(math.log2(257))
    assert (found.columns["bytes"] == found.columns["tokens"]).all()
    assert not found.counts
    assert model.training


def test_every_tokenization_is_measured_on_the_same_bytes():
    plan = replace(PLANS["text"], tokenizations=("bytes", "bpe300"), architecture=TINY)
    trials = open_trials(plan, TEXTS)
    assert [trial.vocab_size for trial in trials] == [257, 300]
    sizes = []
    for trial in trials:
        model = new_model(TINY, trial.vocab_size, trial.begins, trial.ends, 0)
        run = Run(model, Schedule(steps=30, batch=4), trial.context)
        before = trial.measure(model)
        assert sum(trial.advance(run) for _ in range(30)) == 30 * 4 * 16
        after = trial.measure(model)
        assert after.value < before.value - 0.2
        sizes.append(after.columns["bytes"].tolist())
    assert sizes[0] == sizes[1]
