"""Whole studies: what they write, and that a killed one goes on as if nothing had happened."""

import json
from dataclasses import replace

import pandas
import pytest

from tokkit.errors import JobError, UsageError
from tokkit.studies.scratch.study import run_study


class KilledError(Exception):
    pass


def killed_at(last):
    def progress(stage, done, total):
        if done >= last:
            raise KilledError

    return progress


def outcome(folder):
    """Everything a study wrote, what was timed apart."""
    curves = pandas.read_csv(folder / "curves.csv").drop(columns="seconds")
    return (
        (folder / "results.csv").read_bytes(),
        (folder / "summary.json").read_bytes(),
        curves.to_csv(),
    )


@pytest.fixture(scope="module")
def done():
    return {}


@pytest.fixture
def whole(done, plan, tmp_path_factory):
    """The study, trained without an interruption and one model after the other."""
    if not done:
        folder = tmp_path_factory.mktemp("whole") / "study"
        done["study"] = (folder, run_study(plan, folder, device="cpu", workers=1))
    return done["study"]


def test_curves_have_a_point_now_and_then_and_in_the_end(whole):
    frame = whole[1].frame()
    steps = frame.groupby(["tokenization", "seed"])["step"].apply(list)
    assert steps.tolist() == [[4, 8, 10]] * 4
    assert (frame["n"] == 40).all()
    assert (frame["k"] / frame["n"]).tolist() == pytest.approx(frame["accuracy"].tolist())
    assert (frame["n length match"] + frame["n length mismatch"] == 40).all()
    for _, own in frame.groupby(["tokenization", "seed"]):
        assert own["tokens"].is_monotonic_increasing
        assert own["seconds"].is_monotonic_increasing


def test_answers_add_up_to_the_last_points(whole):
    folder, study = whole
    answers = pandas.read_csv(folder / "results.csv")
    assert len(answers) == 4 * 40
    right = answers.groupby(["tokenization", "seed"], sort=False)["right"].sum().tolist()
    last = study.frame().query("step == 10")
    assert sorted(right) == sorted(last["k"])
    assert (answers["first"] + answers["second"] == answers["truth"]).all()


def test_the_summary_has_figures_but_no_times(whole):
    summary = json.loads((whole[0] / "summary.json").read_bytes())
    assert summary["study"] == "scratch"
    assert summary["plan"]["tokenizations"] == ["single", "l2r2"]
    assert len(summary["models"]) == 4
    assert {each["equal"] for each in summary["standings"]} == {"steps", "tokens"}
    assert len(summary["differences"]) == 1
    assert "seconds" not in json.dumps(summary)
    assert {each["equal"] for each in whole[1].as_json()["standings"]} == {
        "steps",
        "tokens",
        "seconds",
    }


def test_models_are_the_same_for_any_number_of_workers(whole, plan, tmp_path):
    run_study(plan, tmp_path / "study", device="cpu", workers=3)
    assert outcome(tmp_path / "study") == outcome(whole[0])


@pytest.mark.parametrize("last", [1, 6, 9, 10, 27])
def test_a_killed_study_goes_on_as_if_nothing_had_happened(whole, plan, tmp_path, last):
    folder = tmp_path / "study"
    with pytest.raises(KilledError):
        run_study(plan, folder, device="cpu", workers=1, progress=killed_at(last))
    assert not (folder / "summary.json").exists()
    begun = []
    run_study(plan, folder, device="cpu", workers=1, progress=lambda *call: begun.append(call))
    assert outcome(folder) == outcome(whole[0])
    assert begun[0] == ("training", {1: 0, 6: 4, 9: 8}.get(last, 10), 40)
    assert begun[-1] == ("training", 40, 40)
    assert not list(folder.rglob("*.pt"))


def test_a_kill_between_point_and_model_costs_only_the_steps_between(whole, plan, tmp_path):
    folder = tmp_path / "study"
    with pytest.raises(KilledError):
        run_study(plan, folder, device="cpu", workers=1, progress=killed_at(9))
    (checkpoint,) = folder.rglob("*.pt")
    checkpoint.unlink()
    run_study(plan, folder, device="cpu")
    assert outcome(folder) == outcome(whole[0])


def test_seeds_and_tokenizations_are_added_to_what_is_there(whole, plan, tmp_path):
    folder = tmp_path / "study"
    run_study(replace(plan, seeds=1, tokenizations=("single",)), folder, device="cpu")
    before = (folder / "runs" / "single-0" / "run.json").stat().st_mtime_ns
    run_study(plan, folder, device="cpu")
    assert (folder / "runs" / "single-0" / "run.json").stat().st_mtime_ns == before
    assert outcome(folder) == outcome(whole[0])


def test_a_long_study_begins_like_a_short_one(whole, plan, tmp_path):
    study = run_study(replace(plan, steps=16, seeds=1), tmp_path / "study", device="cpu")
    for longer in study.records:
        name, seed = longer.settings["tokenization"], 0
        shorter = whole[1].by_tokenization[name][seed]
        assert [each.loss for each in longer.points[:2]] == [
            each.loss for each in shorter.points[:2]
        ]


def test_another_study_in_the_folder_is_not_gone_on_with(plan, tmp_path):
    folder = tmp_path / "study"
    run_study(replace(plan, seeds=1), folder, device="cpu")
    with pytest.raises(UsageError, match="study with another schedule"):
        run_study(replace(plan, seeds=1, rate=0.1), folder, device="cpu")
    study = run_study(replace(plan, seeds=1, rate=0.1), folder, device="cpu", force=True)
    assert study.records[0].settings["schedule"]["rate"] == 0.1


def test_a_model_that_fails_stops_the_others(plan, tmp_path):
    with pytest.raises(JobError, match="lower the learning rate"):
        run_study(replace(plan, rate=1e30, steps=400), tmp_path / "study", device="cpu")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seeds": 0}, "start at 1"),
        ({"tokenizations": ()}, "name one tokenization or more"),
        ({"tokenizations": ("single", "single")}, "each once"),
    ],
)
def test_a_plan_of_nothing_is_refused(plan, change, reason):
    with pytest.raises(UsageError, match=reason):
        replace(plan, **change)


def test_a_tokenization_of_another_task_is_refused(plan, tmp_path):
    with pytest.raises(UsageError, match="'letters2' is no way to cut numbers"):
        run_study(replace(plan, tokenizations=("letters2",)), tmp_path / "study")
    assert not (tmp_path / "study").exists()
