"""``tokkit demo``: the whole story on what every machine has."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import AsJson, Force, Quiet, Seed, Verbose


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")] = Path(
        "tokkit-demo"
    ),
    vocab_size: Annotated[int, typer.Option(min=512, help="Tokens of each vocabulary.")] = 8192,
    against: Annotated[
        list[str],
        typer.Option(metavar="TOKENIZER", help="Another tokenizer to compare; repeatable."),
    ] = [],  # noqa: B006 (Typer copies it)
    seed: Seed = 0,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Learn vocabularies from text that every machine has, and compare them; offline.

    ```console
    tokkit demo
    tokkit demo -o first-try --vocab-size 16000 --json
    ```
    """
    from tokkit.demo import run

    with console.show_progress() as progress:
        result = run(
            output,
            vocab_size=vocab_size,
            against=against,
            seed=seed,
            force=force,
            progress=progress,
        )
    console.print_page(result, as_json)
