"""Whatever goes wrong is one line on standard error, with the right exit code."""

import errno
import os
import subprocess
import sys

import pytest
import typer
from tokkit_cli.app import COMMANDS, app, explain
from typer.testing import CliRunner

from tokkit.errors import CheckError, CorpusError, JobError, UsageError

runner = CliRunner()


def failing(error):
    """A command line with one command, which fails with `error`."""

    def command() -> None:
        raise error

    from tokkit_cli.app import Commands, tokkit

    other = typer.Typer(cls=Commands, invoke_without_command=True)
    other.callback()(tokkit)
    other.command("fail")(command)
    return other


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CorpusError("a.txt, line 3: not text"), 2, "error: a.txt, line 3: not text\n"),
        (UsageError("no such pattern"), 2, "error: no such pattern\n"),
        (JobError("a worker died"), 1, "error: a worker died\n"),
        (CheckError("ids differ"), 1, "error: ids differ\n"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a.txt"),
            2,
            "error: No such file or directory: 'a.txt'\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "a.txt"),
            2,
            "error: Permission denied: 'a.txt'\n",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            1,
            "error: No space left on device\n",
        ),
        (MemoryError(), 1, "error: not enough memory\n"),
        (
            ValueError("two\nlines"),
            1,
            "error: unexpected ValueError: two lines (TOKKIT_DEBUG=1 shows where)\n",
        ),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
    ],
)
def test_a_failure_is_one_line_and_an_exit_code(error, code, line):
    result = runner.invoke(failing(error), ["fail"])
    assert (result.exit_code, result.stderr, result.stdout) == (code, line, "")


def test_errors_are_said_even_when_quiet():
    result = runner.invoke(failing(CorpusError("bad")), ["-q", "fail"])
    assert result.stderr == "error: bad\n"


def test_long_messages_stay_on_one_line():
    result = runner.invoke(failing(CorpusError("word " * 100)), ["fail"])
    assert result.stderr.count("\n") == 1


def test_the_place_of_an_unexpected_error_is_shown_on_request():
    result = runner.invoke(failing(ValueError("x")), ["fail"], env={"TOKKIT_DEBUG": "1"})
    assert "Traceback" in result.stderr
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["coun"], "Did you mean 'count'?"),
        (["--bogus"], "--bogus"),
        (["count"], "CORPUS"),
        (["count", "a", "--workers", "x"], "--workers"),
        (["count", "a", "-o", "b", "--workers", "0"], "--workers"),
        (["convert", "a", "--to", "word", "-o", "b"], "'word' is not one of"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(arguments, said):
    result = runner.invoke(app, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_no_arguments_show_the_help_and_exit_2():
    result = runner.invoke(app, [])
    assert result.exit_code == 2
    assert "train-vocab" in result.stdout


def test_names_with_line_feeds_and_bad_bytes_do_not_break_the_line():
    message, code = explain(FileNotFoundError(errno.ENOENT, "No such file", b"a\xff\nb"))
    assert code == 2
    assert "\n" not in message


def test_a_full_disk_is_one_line():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "tokkit_cli", "--help"]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


def test_a_reader_that_leaves_ends_the_command_quietly():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "tokkit_cli", "--help"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_help_is_light():
    heavy = ("numba", "pandas", "torch", "transformers", "numpy", "tokenizers")
    script = (
        "import sys\n"
        "from tokkit_cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_how_it_is_run(command):
    result = runner.invoke(app, [command, "-h"])
    assert result.exit_code == 0
    assert f"tokkit {command}" in result.stdout.split("Usage", 1)[1].split("\n", 1)[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_options_all_share(command):
    result = runner.invoke(app, [command, "-h"], env={"TERMINAL_WIDTH": "200"})
    for option in ("--json", "--quiet", "-q", "--verbose", "-v"):
        assert option in result.stdout
