"""``tokkit study counting generate``: write what would be asked."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli import counting_options as own
from tokkit_cli import options as given


def generate(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="A .jsonl, .csv or .parquet file."),
    ],
    preset: own.Preset = None,
    letters: own.Letters = None,
    lengths: own.Lengths = None,
    number: own.Number = None,
    draw: own.Draw = None,
    letters_per_token: own.LettersPerToken = None,
    strings: own.Strings = None,
    tokenizer: own.CuttingTokenizer = None,
    pattern: given.FilePattern = None,
    tasks: own.Tasks = None,
    targets: own.Targets = None,
    formats: own.Formats = None,
    styles: own.Styles = None,
    seed: own.Seed = None,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Write problems: strings, and what is asked of them, one row per request.

    Each string is asked in every format, task and style, for every target, so that conditions
    are compared on the same strings.

    ```console
    tokkit study counting generate -o problems.jsonl
    tokkit study counting generate --preset zhang2024 --letters ez --lengths 20-30 -o ez.jsonl
    tokkit study counting generate --letters abcd --lengths 12-24 --letters-per-token 2,3 \
        --tokenizer my-tokenizer -o aligned.jsonl
    ```
    """
    from tokkit.outputs import refuse_existing
    from tokkit.studies.counting.row_files import write_rows
    from tokkit_cli.tokenizers import load_tokenizer

    refuse_existing(output, force=force)
    wanted = own.Wanted(
        preset=preset,
        letters=letters,
        lengths=lengths,
        number=number,
        draw=draw,
        letters_per_token=letters_per_token,
        strings=strings,
        tasks=tasks,
        targets=targets,
        formats=formats,
        styles=styles,
    )
    rows = wanted.rows(seed, load_tokenizer(tokenizer, pattern) if tokenizer else None)
    write_rows(rows, output)
    result: dict[str, object] = {
        "output": str(output),
        "strings": int(rows["problem"].nunique()),
        "requests": len(rows),
    }
    console.print_result(result, as_json)
