"""``tokkit convert``: a tokenizer in another format."""

from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import (
    AsJson,
    FilePattern,
    Force,
    FormatName,
    Output,
    Quiet,
    TokenizerName,
    Verbose,
)

FILES = ("gguf", "tiktoken")
"""Formats that are one file, not a folder."""


def convert(
    tokenizer: TokenizerName,
    to: Annotated[FormatName, typer.Option("--to", help="Format to write.")],
    output: Output,
    pattern: FilePattern = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a tokenizer in another format, and check it with the library that will read it.

    ```console
    tokkit convert my-tokenizer --to tiktoken -o my-tokenizer.tiktoken
    tokkit convert my-tokenizer --to gguf -o my-tokenizer.gguf
    tokkit convert cl100k_base.tiktoken --to hf -o cl100k
    ```
    """
    import tokkit
    from tokkit.outputs import refuse_existing

    if to in FILES:
        refuse_existing(output, force=force)
    loaded = tokkit.load(tokenizer, pattern=pattern)
    tokkit.save(loaded, output, to=to, force=force)
    console.print_result(
        {
            "output": str(output),
            "format": to,
            "vocab_size": len(loaded.vocab),
            "vocabulary": loaded.vocab.digest,
        },
        as_json,
    )
