"""``tokkit dynamic encode``: texts in tokens of their batch."""

from collections.abc import Iterator
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli import dynamic_options as dynamic
from tokkit_cli import options as given
from tokkit_cli.tokenizers import load_tokenizer


def encode(
    tokenizer: given.TokenizerName,
    files: dynamic.Files = None,
    merges: dynamic.Merges = None,
    reduction: Annotated[
        float | None,
        typer.Option(min=0, max=0.99, help="Stop when a batch is shorter by this share."),
    ] = None,
    batch_size: dynamic.BatchSize = 32,
    boundary: dynamic.Boundary = "pretokens",
    whole: given.Whole = False,
    pattern: given.FilePattern = None,
    text_column: given.TextColumn = "text",
    on_error: given.OnError = "raise",
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Cut documents batch by batch, each batch with tokens of its own.

    One JSON object per document: its `tokens` (as people read them), and the `parts` of each,
    tokens of the vocabulary. `batch` numbers the batch.

    ```console
    tokkit dynamic encode my-tokenizer texts.jsonl --merges 50
    echo 'the cat and the hat' | tokkit dynamic encode my-tokenizer --boundary word
    ```
    """
    from itertools import islice

    from tokkit.dynamic import merge_batch
    from tokkit.streaming import read_documents
    from tokkit.visible import spell_bytes

    loaded = load_tokenizer(tokenizer, pattern)
    documents = read_documents(
        files or ["-"], whole=whole, text_column=text_column, on_error=on_error
    )

    def rows() -> Iterator[dict[str, object]]:
        number = 0
        while batch := list(islice(documents, batch_size)):
            ids = loaded.encode_batch(batch, parse_specials=False)
            merged = merge_batch(
                loaded, ids, merges=merges, reduction=reduction, boundary=boundary
            )
            spelled = [*loaded.vocab.tokens, *merged.tokens]
            for sequence in merged.sequences:
                tokens = sequence.tolist()
                yield {
                    "batch": number,
                    "tokens": [spell_bytes(spelled[token]) for token in tokens],
                    "parts": [
                        list(merged.parts[token - merged.base])
                        if token >= merged.base
                        else [token]
                        for token in tokens
                    ],
                }
            number += 1

    console.print_rows(rows(), as_json)
