"""What tests of the command line share."""

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
