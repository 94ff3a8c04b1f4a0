"""``tokkit merge-counts``: word counts of parts into those of the whole."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import AsJson, Force, Output, Quiet, Verbose


def merge_counts(
    counts: Annotated[
        list[Path], typer.Argument(metavar="COUNTS", help="Files written by `tokkit count`.")
    ],
    output: Output,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Add up word counts, in constant memory.

    ```console
    tokkit merge-counts parts/*.parquet -o counts.parquet
    ```
    """
    from tokkit import words
    from tokkit.outputs import refuse_existing

    refuse_existing(output, force=force)
    words.merge_counts(counts, output)
    console.print_result({"output": str(output)}, as_json)
