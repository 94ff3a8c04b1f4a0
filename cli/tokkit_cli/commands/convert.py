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
    inexact: Annotated[
        bool,
        typer.Option(
            "--inexact",
            help="Write a SentencePiece file as hf even where the library that reads it cuts "
            "some texts otherwise; says which.",
        ),
    ] = False,
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
    from tokkit.errors import CheckError, UsageError
    from tokkit.formats.nearest import nearest
    from tokkit.outputs import refuse_existing

    if to in FILES:
        refuse_existing(output, force=force)
    if inexact and to != "hf":
        raise UsageError(f"--inexact goes with --to hf: {to} is exact or refused")
    loaded = tokkit.load(tokenizer, pattern=pattern)
    if to == "hf":
        written, lost = nearest(loaded)
        if lost and not inexact:
            raise CheckError(f"{tokenizer}: {lost}; --inexact writes it all the same")
        if lost:
            console.note(f"warning: {lost}")
            loaded = written
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
