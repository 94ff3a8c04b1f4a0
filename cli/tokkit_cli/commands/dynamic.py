"""``tokkit dynamic``: tokens of a batch's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.tokenizers import load_tokenizer

BoundaryName = Literal["pretokens", "word", "word-hyphen", "sentence"]

dynamic = typer.Typer(rich_markup_mode="markdown", invoke_without_command=True)

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]", help="Text, JSON lines or parquet; - or none: stdin."),
]
BatchSize = Annotated[int, typer.Option(min=1, help="Documents that share their merges.")]
BoundaryOption = Annotated[
    BoundaryName, typer.Option("--boundary", help="What merges stay within.")
]
Merges = Annotated[
    int | None,
    typer.Option(min=0, help="Merges in a batch, at most; if absent, all."),
]
Whole = Annotated[
    bool, typer.Option("--whole", help="A text is one document, not one per line.")
]


@dynamic.callback()
def show_commands(context: typer.Context) -> None:
    """Merge the frequent pairs of a batch into tokens of its own (arXiv 2411.18553).

    ```console
    tokkit dynamic curve my-tokenizer texts.jsonl
    ```
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@dynamic.command("encode")
def encode(
    tokenizer: given.TokenizerName,
    files: Files = None,
    merges: Merges = None,
    reduction: Annotated[
        float | None,
        typer.Option(min=0, max=0.99, help="Stop when a batch is shorter by this share."),
    ] = None,
    batch_size: BatchSize = 32,
    boundary: BoundaryOption = "pretokens",
    whole: Whole = False,
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
            base = len(loaded.vocab)
            spelled = [*loaded.vocab.tokens, *merged.tokens]
            parts = merged.parts
            for sequence in merged.sequences:
                tokens = sequence.tolist()
                yield {
                    "batch": number,
                    "tokens": [spell_bytes(spelled[token]) for token in tokens],
                    "parts": [
                        list(parts[token - base]) if token >= base else [token]
                        for token in tokens
                    ],
                }
            number += 1

    console.print_rows(rows(), as_json)


@dynamic.command("curve")
def curve(
    tokenizer: given.TokenizerName,
    files: Files = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Also write the curve here."),
    ] = None,
    merges: Merges = None,
    batch_size: BatchSize = 32,
    boundary: BoundaryOption = "pretokens",
    whole: Whole = False,
    pattern: given.FilePattern = None,
    text_column: given.TextColumn = "text",
    on_error: given.OnError = "raise",
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Show how much shorter batches get with every merge.

    ```console
    tokkit dynamic curve my-tokenizer texts.jsonl --batch-size 64 -o curve
    ```
    """
    from tokkit.dynamic import draw_curve
    from tokkit.results import Provenance, begin_folder, write_study
    from tokkit.streaming import read_documents

    if output is not None:
        begin_folder(output, force=force)
    loaded = load_tokenizer(tokenizer, pattern)
    documents = read_documents(
        files or ["-"], whole=whole, text_column=text_column, on_error=on_error
    )
    with console.show_progress() as progress:
        found = draw_curve(
            loaded,
            documents,
            batch_size=batch_size,
            merges=merges,
            boundary=boundary,
            progress=progress,
        )
    if output is not None:
        provenance = Provenance(
            study="dynamic",
            command=console.command_line(),
            inputs=[Path(path) for path in files or () if Path(path).is_file()],
            tokenizers={tokenizer: loaded.digest},
        )
        write_study(output, found.frame(), provenance, found.as_json())
    console.print_page(found, as_json)
