"""``tokkit transplant continue`` as its users see it."""

import json

import pytest

import tokkit as library
from tests.cli.conftest import contents


@pytest.fixture
def carry_on(invoke, tiny, prose, tmp_path):
    """Train the small model on: ``carry_on("--steps", 4)``."""

    def run(*options, corpus=prose, output="out"):
        arguments = (tiny, "-o", tmp_path / output, "--corpus", corpus, "--rate", 1e-2)
        return invoke("transplant", "continue", *arguments, "--batch", 4, *options)

    return run


def test_a_model_is_trained_on_and_measured(carry_on, prose, tmp_path):
    result = carry_on("--steps", 20, "--evaluate", prose, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    [first, whole] = said["evaluation"]["slices"]
    assert first["slice"] == "prose.txt"
    assert whole["bits_per_byte_after"] < whole["bits_per_byte_before"]
    assert said["settings"]["length"] == 64  # all that the model has context for
    kept = json.loads((tmp_path / "out" / "continued.json").read_text())
    assert kept == {name: value for name, value in said.items() if name != "output"}
    assert len(library.load(tmp_path / "out")) == 330
    assert "step 20 of 20: loss" in result.stderr


def test_what_people_read_says_what_was_done(carry_on, prose):
    result = carry_on("--steps", 2, "--train", "embeddings", "--evaluate", prose)
    assert result.exit_code == 0, result.stderr
    assert "512 tokens in 2 steps" in result.stdout
    assert "trained  embeddings: " in result.stdout
    assert "prose.txt" in result.stdout
    assert "…" not in result.stdout  # at 80 columns every figure is there
    quiet = carry_on("--steps", 2, "-q", output="quiet")
    assert (quiet.exit_code, quiet.stderr) == (0, "")


def test_the_same_again_is_the_same(carry_on, tmp_path):
    assert carry_on("--steps", 3, output="first").exit_code == 0
    assert carry_on("--steps", 3, output="second").exit_code == 0
    first, second = contents(tmp_path / "first"), contents(tmp_path / "second")
    assert first["model.safetensors"] == second["model.safetensors"]
    assert carry_on("--steps", 3, output="first").exit_code == 2
    assert carry_on("--steps", 4, "--force", output="first").exit_code == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--steps", "0"),
        ("--steps", "2", "--train", "new-rows"),
        ("--steps", "2", "--train", "nothing"),
        ("--steps", "2", "--length", "65"),
        ("--steps", "2", "--rate", "0"),
        ("--steps", "2", "--evaluate", "missing.txt"),
        ("--steps", "2", "--device", "nowhere"),
        (),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(options, carry_on, prose, tmp_path):
    result = carry_on(*options)
    assert result.exit_code == 2, result.stderr
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert result.stderr.endswith(f"{errors[0]}\n")
    assert list(tmp_path.iterdir()) == [prose]


def test_help_says_that_rates_depend_on_the_size(invoke):
    said = " ".join(invoke("transplant", "continue", "-h").stdout.split())
    assert "tokkit transplant continue moved -o trained --corpus text.jsonl" in said
    assert "3e-6" in said
