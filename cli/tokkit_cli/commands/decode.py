"""``tokkit decode``: ids to text."""

from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import AsJson, Quiet, TokenizerName, Verbose


def decode(
    tokenizer: TokenizerName,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]", help="JSON lines of ids; standard input if none."),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Add no line end after a document.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Turn token ids back into text.

    ```console
    echo '[9906, 11, 1917]' | tokkit decode cl100k_base.tiktoken
    tokkit encode my-tokenizer corpus.txt | tokkit decode my-tokenizer | cmp - corpus.txt
    ```
    """
