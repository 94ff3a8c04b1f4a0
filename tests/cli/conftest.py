"""What tests of the command line share."""

import json
import os
import subprocess
import sys

import pytest
from tokkit_cli.app import app
from typer.testing import CliRunner

PROSE = (
    "It was the best of times, it was the worst of times, it was the age of wisdom.\n"
    "Über den Wolken, été 1234567, 東京は夜の七時。 x = foo(bar) # comment\n\n"
) * 60


@pytest.fixture(scope="session")
def invoke():
    """Run a command line in this process: ``invoke("count", path, "-o", output)``."""
    runner = CliRunner()

    def run(*arguments, **options):
        return runner.invoke(app, [str(argument) for argument in arguments], **options)

    return run


@pytest.fixture(scope="session")
def tokkit():
    """Run a command line as a process of its own."""

    def run(*arguments, **options):
        command = [sys.executable, "-m", "tokkit_cli", *map(str, arguments)]
        options = {"capture_output": True, "stdin": subprocess.DEVNULL, **options}
        if "input" in options:
            del options["stdin"]
        return subprocess.run(command, check=False, env=os.environ | {"CI": "true"}, **options)

    return run


@pytest.fixture
def prose(tmp_path):
    """A small text file."""
    path = tmp_path / "prose.txt"
    path.write_text(PROSE, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained(invoke, tmp_path_factory):
    """A small tokenizer."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "prose.txt").write_text(PROSE, encoding="utf-8")
    arguments = ("--vocab-size", 330, "--special", "<|end|>")
    result = invoke("train-vocab", folder / "prose.txt", "-o", folder / "bpe", *arguments)
    assert result.exit_code == 0, result.stderr
    return folder / "bpe"


def contents(folder):
    """The bytes of every file of a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def tiny(trained, tmp_path_factory):
    """A folder with a random model; its text is random, its probabilities are not."""
    from tests.cli.byte_models import make_model

    folder = tmp_path_factory.mktemp("models") / "tiny"
    make_model(folder, trained)
    return folder


@pytest.fixture
def stories(shared):
    return shared / "models" / "stories260k"


@pytest.fixture
def documents(tmp_path):
    from tests.cli.byte_models import DOCUMENTS

    path = tmp_path / "documents.txt"
    path.write_text("".join(f"{text}\n" for text in DOCUMENTS), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def ask(invoke):
    """Run a command under ``tokkit byte-probs`` that works, and read the JSON it prints."""

    def run(*arguments, **options):
        result = invoke("byte-probs", *arguments, "-q", "--json", **options)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


@pytest.fixture(scope="session")
def filling(invoke, tmp_path_factory):
    """A model whose tokenizer has tokens for filling gaps."""
    from tests.cli.byte_models import make_model

    folder = tmp_path_factory.mktemp("filling")
    (folder / "prose.txt").write_text("It was the best of times. def f(x): return x\n" * 40)
    names = ("<|end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
    specials = [each for name in names for each in ("--special", name)]
    arguments = ("-o", folder / "bpe", "--vocab-size", 300, *specials)
    assert invoke("train-vocab", folder / "prose.txt", *arguments).exit_code == 0
    make_model(folder / "model", folder / "bpe", max_position_embeddings=512)
    return folder / "model"
