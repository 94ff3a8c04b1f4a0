"""``tokkit decode``: ids to text."""

import sys
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import AsJson, FilePattern, Quiet, TokenizerName, Verbose


def decode(
    tokenizer: TokenizerName,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]", help="JSON lines of ids; - or none: stdin."),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Add no line feed after a document.")
    ] = False,
    specials: Annotated[
        bool, typer.Option("--specials", help="Write special tokens out.")
    ] = False,
    pattern: FilePattern = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    r"""Turn token ids back into text, byte for byte.

    Each line of input is a JSON list of ids, or an object with one under `ids`. With `--json`
    the texts are one JSON list of strings, in which `\udcXX` is a byte that is not UTF-8.

    ```console
    echo '[9906, 11, 1917]' | tokkit decode cl100k_base.tiktoken
    tokkit encode my-tokenizer a.txt | tokkit decode my-tokenizer | cmp - a.txt
    ```
    """
    from tokkit import load
    from tokkit.streaming import read_ids

    loaded = load(tokenizer, pattern=pattern)
    texts = (loaded.decode(ids, specials=specials) for ids in read_ids(files or ["-"], loaded))
    if as_json:
        console.print_rows((text.decode("utf-8", "surrogateescape") for text in texts), as_json)
        return
    for text in texts:
        sys.stdout.buffer.write(text if whole else text + b"\n")
