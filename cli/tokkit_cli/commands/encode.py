"""``tokkit encode``: text to ids."""

from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import AsJson, OnError, Quiet, TextColumn, TokenizerName, Verbose


def encode(
    tokenizer: TokenizerName,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]", help="As CORPUS of train-vocab; standard input if none."),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Each plain file is one document, byte for byte.")
    ] = False,
    specials: Annotated[
        bool | None,
        typer.Option(
            "--specials/--no-specials",
            help="Read special tokens in the text as such; as the tokenizer's own library does if "
            "neither is given.",
        ),
    ] = None,
    text_column: TextColumn = "text",
    on_error: OnError = "raise",
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Turn text into token ids: one JSON list per document, one document per line of text.

    ```console
    echo 'Hello, world' | tokkit encode my-tokenizer
    tokkit encode my-tokenizer corpus.jsonl.zst --text-column body > ids.jsonl
    tokkit encode my-tokenizer --whole picture.svg | tokkit decode my-tokenizer --whole
    ```
    """
