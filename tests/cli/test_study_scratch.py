"""``tokkit study scratch``."""

import json
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

SMALL = ("--seeds", 1, "--hidden-size", 16, "--layers", 1, "--batch", 8, "--device", "cpu")
QUICK = (*SMALL, "--steps", 6, "--every", 3, "--tokenizations", "l2r2,r2l2", "--workers", 1)


@pytest.fixture(scope="module")
def folder(invoke, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scratch") / "study"
    figure = folder.with_suffix(".json")
    result = invoke("study", "scratch", "-o", folder, *QUICK, "--figure", figure, "--json")
    assert result.exit_code == 0, result.stderr
    (folder.parent / "stdout").write_text(result.stdout)
    return folder


def test_one_document_with_everything_is_printed(folder):
    shown = json.loads((folder.parent / "stdout").read_text())
    assert [each["tokenization"] for each in shown["models"]] == ["l2r2", "r2l2"]
    assert shown["measure"] == "accuracy"
    assert all(each["n"] == 1000 for each in shown["models"])
    assert len(shown["standings"]) == 3 * 2


def test_what_was_not_measured_in_time_is_null(invoke, tmp_path):
    late = ("--steps", 2, "--every", 2, "--tokenizations", "single,l2r2", "--workers", 1)
    result = invoke("study", "scratch", "-o", tmp_path / "study", *SMALL, *late, "--json")
    assert "NaN" not in result.stdout
    standings = json.loads(result.stdout)["standings"]
    means = {(each["equal"], each["tokenization"]): each["mean"] for each in standings}
    # Digits one by one are more tokens: the first point comes after what groups took in all.
    assert means["tokens", "single"] is None
    assert means["tokens", "l2r2"] is not None


def test_the_folder_has_curves_answers_and_how_they_came_about(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {"curves.csv", "results.csv", "summary.json", "runs"}
    assert len((folder / "curves.csv").read_text().splitlines()) == 1 + 2 * 2
    assert len((folder / "results.csv").read_text().splitlines()) == 1 + 2 * 1000


def test_what_is_there_is_shown_again_without_training(folder, invoke):
    result = invoke("study", "scratch", "-o", folder, *QUICK)
    assert result.exit_code == 0
    for expected in ("Each model after 6 steps", "length mismatch", "l2r2 − r2l2", "1,000"):
        assert expected in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_the_figure_has_all_curves(folder):
    figure = json.loads(folder.with_suffix(".json").read_text())
    above, below = figure["vconcat"]
    assert len(above["hconcat"]) == 3
    assert len(below["hconcat"]) == 2
    rows = next(rows for rows in figure["datasets"].values() if "seconds" in rows[0])
    assert {row["tokenization"] for row in rows} == {"l2r2", "r2l2"}


def test_a_killed_study_ends_like_any_other(invoke, tmp_path):
    options = (*SMALL, "--steps", 60, "--every", 5, "--tokenizations", "l2r2,r2l2", "-q")
    folder = tmp_path / "study"
    command = [sys.executable, "-m", "tokkit_cli", "study", "scratch", "-o", folder, *options]
    killed = subprocess.Popen([str(word) for word in command])
    while not list(folder.glob("runs/*/checkpoint.pt")) and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (folder / "results.csv").exists()
    for name in ("study", "whole"):
        done = invoke("study", "scratch", "-o", tmp_path / name, *options)
        assert done.exit_code == 0, done.stderr
    answers = [(tmp_path / name / "results.csv").read_bytes() for name in ("study", "whole")]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--tokenizations", "l2r9"), "'l2r9' is no way to cut numbers"),
        (("--sizes", "few"), "--sizes 'few': write a number, or two such as 10-20"),
        (("--sizes", "4-2"), "--sizes '4-2': write a number"),
        (("--task", "counting", "--tokenizations", "single"), "no way to cut strings"),
        (("--text", "a.txt"), "--text is for --task text"),
        (("--task", "text", "--sizes", "2"), "--sizes is for --task addition and counting"),
        (("--task", "text", "--text", "nowhere.txt"), "nowhere.txt"),
        (("--hidden-size", "10"), "4 heads cannot share a width of 10"),
        (("--device", "abacus"), "'abacus' is no device of this computer"),
        (("--figure", "a.pdf"), "a figure ends in one of .png, .svg, .json"),
        (("--steps", "0"), "--steps"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(invoke, tmp_path, arguments, reason):
    result = invoke("study", "scratch", "-o", tmp_path / "study", *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
