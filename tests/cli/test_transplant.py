"""``tokkit transplant`` as its users see it."""

import json
import os
import subprocess
import sys

import pytest

import tokkit
from tests.cli.conftest import contents

PROSE = "It was the best of times, it was the worst of times, it was the age of wisdom.\n" * 60


@pytest.fixture(scope="module")
def other(invoke, tmp_path_factory):
    """Another tokenizer than that of the model `tiny`."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "prose.txt").write_text(PROSE, encoding="utf-8")
    arguments = ("--vocab-size", 400, "--special", "<|end|>", "--pattern", "gpt2")
    result = invoke("train-vocab", folder / "prose.txt", "-o", folder / "bpe", *arguments)
    assert result.exit_code == 0, result.stderr
    return folder / "bpe"


@pytest.fixture
def move(invoke, tiny, other, tmp_path):
    def run(*options, output="out", **more):
        arguments = (tiny, other, "-o", tmp_path / output, *options)
        return invoke("transplant", *arguments, **more)

    return run


def test_a_model_is_moved_and_says_so(move, other, tmp_path):
    result = move("--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["rows"]["after"] == len(tokkit.load(other))
    counts = said["plan"]["input"]["rows"]
    assert counts["copied"] > 256
    assert sum(counts.values()) == said["rows"]["after"]
    kept = json.loads((tmp_path / "out" / "transplant.json").read_text())
    assert {name: kept[name] for name in said if name != "output"} == {
        name: value for name, value in said.items() if name != "output"
    }
    assert "writing weights" in result.stderr


def test_what_people_read_has_the_same_figures(move):
    result = move()
    said = json.loads(move("--json", output="again").stdout)
    for origin, count in said["plan"]["input"]["rows"].items():
        assert any(
            line.split()[:2] == [origin, f"{count:,}"] for line in result.stdout.splitlines()
        )


def test_the_name_of_the_command_may_be_left_out(invoke, tiny, other):
    short = invoke("transplant", tiny, other, "--dry-run", "--json")
    long = invoke("transplant", "run", tiny, other, "--dry-run", "--json")
    assert short.exit_code == long.exit_code == 0
    assert short.stdout == long.stdout
    first = invoke("transplant", "--dry-run", tiny, other, "--json")
    assert first.stdout == long.stdout


def test_a_dry_run_writes_only_the_plan(invoke, tiny, other, tmp_path):
    plan = tmp_path / "family.plan"
    result = invoke("transplant", tiny, other, "--dry-run", "--save-plan", plan)
    assert result.exit_code == 0, result.stderr
    assert list(tmp_path.iterdir()) == [plan]
    said = invoke("transplant", "explain", plan, " worst", "--json")
    explained = json.loads(said.stdout)
    assert explained["token"] == " worst"
    parts = [part["token"] for part in explained["input"]["parts"]]
    assert " worst".endswith(parts[-1])
    again = invoke("transplant", tiny, other, "--dry-run", "--save-plan", plan)
    assert (again.exit_code, again.stdout) == (2, "")
    assert repr(" worst") in invoke("transplant", "explain", plan, " worst").stdout


def test_a_token_may_be_named_by_its_id(move, invoke, tmp_path):
    assert move().exit_code == 0
    result = invoke("transplant", "explain", tmp_path / "out", "100", "--json")
    assert json.loads(result.stdout)["id"] == 100
    missing = invoke("transplant", "explain", tmp_path / "out", "no such token")
    assert (missing.exit_code, missing.stdout) == (2, "")
    nothing = invoke("transplant", "explain", tmp_path / "nothing", "a")
    assert nothing.exit_code == 2


def test_all_methods_are_listed(invoke):
    from tokkit.transplant import METHODS

    said = json.loads(invoke("transplant", "methods", "--json").stdout)
    assert said.keys() == METHODS.keys()
    text = invoke("transplant", "methods").stdout
    assert all(name in text for name in METHODS)


@pytest.mark.parametrize(
    "options",
    [
        ("--method", "nothing"),
        ("--method", "omp"),
        ("--method", "tokenadapt"),
        ("--method", "focus"),
        ("--method", "mean", "--method-in", "last"),
        ("--set", "decay=much"),
        ("--set", "nothing=1"),
        ("--set", "decay=-1"),
        ("--set", "decay=nan"),
        ("--set", "atoms=0"),
        ("--override", "nothing"),
        ("--calibrate-by", "token"),
        ("--tune", "5"),
        ("--plan", "missing.plan"),
        ("--calibrate", "missing.txt"),
        ("--evaluate", "missing.txt"),
        ("--chat-template", "missing.jinja"),
        ("--model-tokenizer", "missing"),
        ("--untie",),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(options, move, tmp_path):
    result = move(*options)
    assert result.exit_code == 2, result.stderr
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert result.stderr.endswith(f"{errors[0]}\n")
    assert not list(tmp_path.iterdir())


def test_a_bad_record_ends_the_job_or_is_left_out(move, tmp_path):
    text = tmp_path / "text.jsonl"
    lines = [json.dumps({"text": line}) for line in PROSE.split("\n")]
    text.write_text("\n".join([*lines, '{"no": "text"}']))
    result = move("--evaluate", text)
    assert result.exit_code == 2
    assert "--on-error skip" in result.stderr
    assert list(tmp_path.iterdir()) == [text]
    result = move("--evaluate", text, "--on-error", "skip")
    assert result.exit_code == 0
    assert "with new rows" in result.stdout
    assert "…" not in result.stdout  # at 80 columns every figure is there


def test_no_output_is_asked_for(invoke, tiny, other):
    result = invoke("transplant", tiny, other)
    assert result.exit_code == 2
    assert "--output" in result.stderr


def test_help_is_quick_and_has_examples(tokkit, invoke):
    for arguments in (("transplant", "-h"), ("transplant", "run", "-h")):
        assert "tokkit transplant my-model my-tokenizer -o moved" in invoke(*arguments).stdout
    assert tokkit("transplant", "methods", "-q").returncode == 0


def test_neither_threads_nor_hashes_change_a_byte(tiny, other, tmp_path):
    texts = []
    for number in ("1", "2"):
        environment = os.environ | {
            "PYTHONHASHSEED": number,
            "OMP_NUM_THREADS": number,
            "NUMBA_NUM_THREADS": number,
        }
        arguments = ("transplant", tiny, other, "-o", "out", "--method", "random", "--json")
        command = [sys.executable, "-m", "tokkit_cli", *map(str, arguments)]
        place = tmp_path / number
        place.mkdir()
        done = subprocess.run(
            command, check=True, cwd=place, env=environment, capture_output=True
        )
        texts.append(done.stdout)
    assert texts[0] == texts[1]
    assert contents(tmp_path / "1" / "out") == contents(tmp_path / "2" / "out")
