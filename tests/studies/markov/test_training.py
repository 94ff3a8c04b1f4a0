"""Transformers with and without tokens; runs that were killed go on."""

import json

import numpy as np
import pytest

from tokkit.errors import CorpusError, UsageError

torch = pytest.importorskip("torch")

from tokkit.studies.markov.dictionaries import Dictionaries  # noqa: E402
from tokkit.studies.markov.folder import run_study  # noqa: E402
from tokkit.studies.markov.measuring import study  # noqa: E402
from tokkit.studies.markov.plan import Plan, Transformer  # noqa: E402
from tokkit.studies.markov.sources import switching  # noqa: E402
from tokkit.studies.markov.training import train_on  # noqa: E402

SOURCE = switching(2, 0.8, 0.8)
TINY = Transformer(steps=30, size=8, hidden_size=8, context=16, batch=4, device="cpu")
PLAN = Plan(
    dictionaries=("bpe",), sizes=(8,), training=5000, held_out=2000, seeds=2, transformer=TINY
)


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def tiny():
    return study(SOURCE, PLAN)


def test_after_100_steps_tokens_are_near_the_entropy_rate_and_characters_at_the_plateau():
    plan = Transformer(steps=100, device="cpu")
    texts = SOURCE.draw(300_000, 0), SOURCE.draw(33_000, 1)
    known = Dictionaries(texts[0], SOURCE.letters, 20)
    last = {
        name: train_on(
            known.get(name, 20), texts, plan, 0, device=torch.device("cpu"), took=lambda _: None
        )[-1]
        for name in ("characters", "bpe")
    }
    assert last["characters"].loss >= 0.68
    assert SOURCE.entropy_rate < last["bpe"].loss <= 0.53
    assert last["characters"].characters == 100 * 16 * 256
    assert last["bpe"].characters > 4 * last["characters"].characters


def test_points_are_where_they_are_said_to_be(tiny):
    steps = [0, 5, 10, 15, 20, 25, 30]
    for name in ("characters", "bpe"):
        for seed in (0, 1):
            run = [p for p in tiny.points if (p.dictionary, p.seed) == (name, seed)]
            assert [point.step for point in run] == steps
            assert run[0].characters == 0
    characters = [p.characters for p in tiny.points if p.dictionary == "characters"]
    assert characters == [step * 4 * 16 for step in steps] * 2
    assert list(tiny.mean_curve("bpe")) == steps


def test_models_that_know_nothing_lose_what_uniform_tokens_do(tiny):
    first = next(point for point in tiny.points if point.dictionary == "characters")
    assert first.loss == pytest.approx(np.log(2), abs=0.02)


def test_equal_characters_are_those_that_all_have_seen(tiny):
    most, losses = tiny.at_equal_characters()
    assert most == 30 * 4 * 16
    last = [p.loss for p in tiny.points if p.dictionary == "characters" and p.step == 30]
    assert losses["characters"] == pytest.approx(sum(last) / 2)
    bpe = tiny.mean_curve("bpe")
    assert min(i.value for i in bpe.values()) <= losses["bpe"] <= bpe[0].value


def test_results_do_not_depend_on_threads(tiny):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert study(SOURCE, PLAN).points == tiny.points
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("last", [0, 33, 119])
def test_a_killed_study_goes_on_as_if_nothing_had_happened(tiny, tmp_path, last):
    def killed(stage, done, total):
        if stage == "training" and done >= last:
            raise KilledError

    with pytest.raises(KilledError):
        run_study(SOURCE, PLAN, tmp_path, progress=killed)
    assert not (tmp_path / "summary.json").exists()
    begun = []

    def listen(stage, done, total):
        if stage == "training":
            assert total == 4 * 30
            begun.append(done)

    assert run_study(SOURCE, PLAN, tmp_path, progress=listen).points == tiny.points
    assert begun[-1] == 120
    assert len(begun) <= 120 - last + 5 + 4  # a call per model, and what was lost
    assert not (tmp_path / "training").exists()


def test_a_study_of_other_settings_is_not_gone_on_with(tiny, tmp_path):
    def killed(stage, done, total):
        if done == 50:
            raise KilledError

    with pytest.raises(KilledError):
        run_study(SOURCE, PLAN, tmp_path, progress=killed)
    for source in (switching(2, 0.8, 0.7), switching(3, 0.8, 0.8)):
        with pytest.raises(UsageError, match="other settings"):
            run_study(source, PLAN, tmp_path)
    assert run_study(SOURCE, PLAN, tmp_path, force=True).points == tiny.points


def test_the_summary_says_when_models_leave_the_plateau(tiny):
    models = json.loads(json.dumps(tiny.as_json()))["transformers"]
    assert [model["dictionary"] for model in models] == ["characters", "bpe"]
    assert models[0]["left_plateau"] is None
    assert [len(model["curve"]) for model in models] == [14, 14]


def test_a_device_that_is_not_there_is_refused_before_any_work():
    there = Plan(**{**vars(PLAN), "transformer": Transformer(steps=1, device="cuda:99")})
    with pytest.raises(UsageError, match="cuda:99"):
        study(SOURCE, there, progress=lambda *_: pytest.fail("work was done"))


def test_text_that_fills_no_window_is_refused():
    wide = Plan(**{**vars(PLAN), "transformer": Transformer(steps=1, size=8, context=9000)})
    with pytest.raises(CorpusError, match="window of 9001"):
        study(SOURCE, wide)
