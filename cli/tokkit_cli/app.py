"""The ``tokkit`` command: its sub-commands, and what happens when one fails.

Exit codes: 0 done, 1 the job failed, 2 bad usage or bad input, 130 interrupted. Whatever goes
wrong is one line on standard error; ``TOKKIT_DEBUG=1`` shows where an unexpected error arose.
"""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tokkit import __version__
from tokkit.errors import TokkitError
from tokkit_cli import console
from tokkit_cli.commands.analyze import analyze
from tokkit_cli.commands.audit import audit
from tokkit_cli.commands.byte_probs import byte_probs
from tokkit_cli.commands.compare import compare
from tokkit_cli.commands.convert import convert
from tokkit_cli.commands.cost import cost
from tokkit_cli.commands.count import count
from tokkit_cli.commands.decode import decode
from tokkit_cli.commands.demo import demo
from tokkit_cli.commands.dynamic import dynamic
from tokkit_cli.commands.encode import encode
from tokkit_cli.commands.merge_counts import merge_counts
from tokkit_cli.commands.numbers import numbers
from tokkit_cli.commands.parity import parity
from tokkit_cli.commands.report import report
from tokkit_cli.commands.study import study
from tokkit_cli.commands.train_vocab import train_vocab
from tokkit_cli.commands.transplant import transplant
from tokkit_cli.commands.view import view
from tokkit_cli.commands.warmup import warmup
from tokkit_cli.options import Quiet, Verbose

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

BAD_PATHS = (
    FileNotFoundError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)
"""Errors of the operating system which the caller mends by naming another path."""


def explain(error: Exception) -> tuple[str, int]:
    """Say in one line what went wrong, and with which code the command ends."""
    match error:
        case TokkitError():
            return str(error), error.exit_code
        case MemoryError():
            return f"not enough memory {str(error) and f'({error})'}", FAILED
        case OSError() if error.errno is not None:
            named = f": {os.fsdecode(error.filename)!r}" if _is_path(error.filename) else ""
            bad = isinstance(error, BAD_PATHS) or error.errno == errno.ENAMETOOLONG
            return f"{error.strerror}{named}", BAD_INPUT if bad else FAILED
    if hasattr(error, "format_message"):  # Typer's usage errors, which share no public class
        return _explain_usage(error)
    hint = "TOKKIT_DEBUG=1 shows where"
    return f"unexpected {type(error).__name__}: {error} ({hint})", FAILED


def _is_path(name: object) -> bool:
    return isinstance(name, str | bytes | os.PathLike)


def _explain_usage(error: Any) -> tuple[str, int]:
    """Name what is wrong with the command line, and where its help is."""
    command = error.ctx.command_path if getattr(error, "ctx", None) else "tokkit"
    return f"{error.format_message().rstrip('.')} ({command} -h shows how)", error.exit_code


class Commands(TyperGroup):
    """A command group in which every failure is one line and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line, and exit."""
        console.start()
        try:
            code = super().main(*args, **extra | {"standalone_mode": False}) or 0
            sys.stdout.flush()
            if code == INTERRUPTED:  # Typer makes this of a KeyboardInterrupt
                console.print_error("interrupted")
        except BrokenPipeError:  # the reader left, as in `tokkit encode ... | head`
            console.close_standard_output()
            code = FAILED
        except Exception as error:
            message, code = explain(error)
            if os.environ.get("TOKKIT_DEBUG") == "1":
                traceback.print_exc()
            if isinstance(error, OSError):
                console.close_standard_output()
            console.print_error(message)
        sys.exit(code)


app = typer.Typer(
    cls=Commands,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)


def show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        typer.echo(f"tokkit {__version__}")
        raise typer.Exit


@app.callback()
def tokkit(
    context: typer.Context,
    quiet: Quiet = False,
    verbose: Verbose = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=show_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Learn, use and convert tokenizers; bytes are the truth.

    **Start here**

    ```console
    tokkit demo
    tokkit train-vocab corpus.txt -o my-tokenizer --vocab-size 32000
    tokkit train-vocab -h
    ```
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(BAD_INPUT)


COMMANDS: Mapping[str, Callable[..., None]] = {
    "demo": demo,
    "train-vocab": train_vocab,
    "count": count,
    "merge-counts": merge_counts,
    "encode": encode,
    "decode": decode,
    "convert": convert,
    "view": view,
    "analyze": analyze,
    "audit": audit,
    "compare": compare,
    "parity": parity,
    "cost": cost,
    "report": report,
    "warmup": warmup,
}
for _name, _function in COMMANDS.items():
    app.command(_name)(_function)
app.add_typer(transplant, name="transplant")
app.add_typer(byte_probs, name="byte-probs")
app.add_typer(numbers, name="numbers")
app.add_typer(study, name="study")
app.add_typer(dynamic, name="dynamic")
