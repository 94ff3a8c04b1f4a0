"""``tokkit encode``: text to ids."""

from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import (
    AsJson,
    FilePattern,
    OnError,
    Quiet,
    TextColumn,
    TokenizerName,
    Verbose,
    Whole,
)


def encode(
    tokenizer: TokenizerName,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]", help="Text, JSON lines or parquet; - or none: stdin."),
    ] = None,
    whole: Whole = False,
    specials: Annotated[
        bool | None,
        typer.Option(
            "--specials/--no-specials",
            help="Whether special tokens written in text become their ids "
            "[default: as the tokenizer's own library does].",
        ),
    ] = None,
    pattern: FilePattern = None,
    text_column: TextColumn = "text",
    on_error: OnError = "raise",
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Turn text into token ids, one JSON list per document.

    Each line of a text, without its line feed, is a document; so is each record of a `.jsonl`
    or `.parquet` file. With `--json` all lists are one JSON document.

    ```console
    echo 'Hello, world' | tokkit encode my-tokenizer
    tokkit encode my-tokenizer corpus.jsonl.zst > ids.jsonl
    tokkit encode my-tokenizer --whole poem.txt | tokkit decode my-tokenizer --whole
    ```
    """
    from tokkit import load
    from tokkit.streaming import encode_documents, read_documents

    loaded = load(tokenizer, pattern=pattern)
    documents = read_documents(
        files or ["-"], whole=whole, text_column=text_column, on_error=on_error
    )
    ids = encode_documents(loaded, documents, parse_specials=specials)
    console.print_rows((row.tolist() for row in ids), as_json)
