"""``tokkit train-vocab``: learn a vocabulary."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import (
    Algorithm,
    AsJson,
    Digits,
    Engine,
    Force,
    OnError,
    Output,
    Quiet,
    Sample,
    Scheduler,
    Seed,
    TextColumn,
    Verbose,
    Weight,
    Workers,
)


def train_vocab(
    output: Output,
    corpus: Annotated[
        list[str] | None,
        typer.Argument(metavar="CORPUS", help="Files, globs, folders, or - for standard input."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Learn a vocabulary."""
