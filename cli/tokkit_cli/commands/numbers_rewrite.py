"""``tokkit numbers rewrite``: a tokenizer whose numbers are cut in another way."""

from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli.options import (
    AsJson,
    FilePattern,
    Force,
    Output,
    Quiet,
    TokenizerName,
    Verbose,
)


def rewrite(
    tokenizer: TokenizerName,
    digits: Annotated[
        str,
        typer.Option(
            metavar="single|l2rK|r2lK",
            help="Digits one by one, or groups of K from the left or from the right.",
        ),
    ],
    output: Output,
    add_tokens: Annotated[
        bool,
        typer.Option(
            "--add-tokens",
            help="Make a new token, behind all others, for each group that is none; a model's "
            "embeddings have to grow by as many.",
        ),
    ] = False,
    pattern: FilePattern = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a tokenizer whose numbers are cut in another way, and everything else as before.

    Ids keep their meaning. The folder loads with `transformers` and `tokenizers`; it has been
    compared with the original when the command ends.

    ```console
    tokkit numbers rewrite cl100k_base.tiktoken --pattern cl100k --digits r2l3 -o cl100k-r2l
    tokkit numbers rewrite my-model --digits single -o my-model-digits
    ```
    """
    from tokkit.studies.numbers.rewrite import rewrite_numbers

    result = rewrite_numbers(
        tokenizer, output, digits, pattern=pattern, add_tokens=add_tokens, force=force
    )
    console.print_page(result, as_json)
    for said in result.notes:
        console.note(said)
