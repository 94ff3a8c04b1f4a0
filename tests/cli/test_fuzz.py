"""No command line, however odd, ends in a traceback.

``TOKKIT_FUZZ=10000 pytest tests/cli/test_fuzz.py`` runs more of them.
"""

import os
import random
from pathlib import Path

import pytest
from tokkit_cli.app import app
from typer.testing import CliRunner

from tests.cli.invocations import make_files, random_invocation, random_question
from tests.cli.moves import make_models, make_plans, random_move

INVOCATIONS = int(os.environ.get("TOKKIT_FUZZ", "200"))
SEED = int(os.environ.get("TOKKIT_FUZZ_SEED", "0"))
runner = CliRunner()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    text = folder / "text.txt"
    text.write_text("how much wood would a woodchuck chuck\n" * 50)
    tokenizer = folder / "good"
    arguments = ["train-vocab", str(text), "-o", str(tokenizer), "--vocab-size", "300"]
    assert runner.invoke(app, arguments).exit_code == 0
    inputs = folder / "inputs"
    inputs.mkdir()
    return *make_files(inputs, tokenizer), folder / "outputs"


def test_every_failure_is_one_line(files, monkeypatch):
    corpora, tokenizers, outputs = files
    outputs.mkdir()
    monkeypatch.chdir(outputs)  # an output may be "", which is the current folder
    draw = random.Random(SEED)
    for number in range(INVOCATIONS):
        recent = [str(outputs / str(number - earlier)) for earlier in (0, 0, 0, 1, 2, 3)]
        targets = [*recent, "/dev/null/x", ""]
        arguments, given = random_invocation(draw, corpora, tokenizers, targets)
        check(arguments, given)


def check(arguments, given):
    """Run a command line; whatever is wrong with it is one line."""
    result = runner.invoke(app, arguments, input=given)
    said = f"{arguments} {result.stderr!r}"
    assert result.exit_code in (0, 1, 2), said
    assert isinstance(result.exception, SystemExit | None), said
    assert "Traceback" not in result.stderr, said
    assert "error: unexpected" not in result.stderr, said
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == (result.exit_code != 0) or result.stdout, said
    if errors:
        assert result.stderr.endswith(f"{errors[0]}\n"), said


def test_every_failure_of_a_question_about_bytes_is_one_line(files, tiny, tmp_path):
    corpora, _, _ = files
    short = [
        path for path in corpora if Path(path).is_dir() or Path(path).stat().st_size < 3000
    ]
    draw = random.Random(SEED)
    for number in range(INVOCATIONS // 4):
        models = [str(tiny)] * 8 + [str(tmp_path), corpora[0], "./no-such-model"]
        check(*random_question(draw, models, short, str(tmp_path / str(number // 3))))


def test_every_failure_of_a_move_is_one_line(files, tiny, tmp_path, monkeypatch):
    corpora, tokenizers, _ = files
    models = make_models(tmp_path / "models", tiny)
    plan = tmp_path / "family.plan"
    move = ["transplant", str(tiny), tokenizers[0], "--dry-run", "--save-plan", str(plan)]
    assert runner.invoke(app, move).exit_code == 0
    plans = make_plans(tmp_path / "plans", plan)
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    monkeypatch.chdir(outputs)
    draw = random.Random(SEED)
    for number in range(INVOCATIONS // 4):
        recent = [str(outputs / str(number - earlier)) for earlier in (0, 0, 1, 3)]
        targets = [*recent, "/dev/null/x", ""]
        check(*random_move(draw, models, tokenizers, corpora, plans, targets))
