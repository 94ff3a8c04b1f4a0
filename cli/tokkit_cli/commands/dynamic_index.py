"""``tokkit dynamic index``: rows of many new tokens, and what finds the nearest."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli import dynamic_options as dynamic
from tokkit_cli import options as given

KindName = Literal["flat", "ivf"]
RowTypeName = Literal["float32", "float16"]
_TOKENS = "New tokens"


def index(
    model: given.ModelName,
    output: given.Output,
    corpus: Annotated[
        list[str],
        typer.Option(
            metavar="CORPUS",
            help="Text whose frequent words become tokens; repeatable.",
            rich_help_panel=_TOKENS,
        ),
    ] = [],  # noqa: B006 (Typer copies it)
    tokens: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='Or these: JSON lines such as " the", or {"hex": "e282"} for bytes.',
            rich_help_panel=_TOKENS,
        ),
    ] = None,
    size: Annotated[
        int,
        typer.Option(
            min=1,
            help="Tokens in all, the model's own included, at most.",
            rich_help_panel=_TOKENS,
        ),
    ] = 100_000,
    words: Annotated[
        int,
        typer.Option(min=1, max=8, help="Words in a token, at most.", rich_help_panel=_TOKENS),
    ] = 1,
    min_count: Annotated[
        int,
        typer.Option(min=1, help="Leave out what is rarer.", rich_help_panel=_TOKENS),
    ] = 2,
    embeddings: dynamic.Embeddings = None,
    hypernet: dynamic.Hypernet = None,
    aux_model: dynamic.AuxModel = None,
    row_type: Annotated[
        RowTypeName,
        typer.Option("--dtype", help="How rows are stored.", rich_help_panel=dynamic.ROWS),
    ] = "float32",
    kind: Annotated[
        KindName | None,
        typer.Option(
            help="Look at all rows, or at those in the nearest cells [default: flat up to "
            "50,000 tokens]."
        ),
    ] = None,
    device: given.Device = "auto",
    model_tokenizer: given.ModelTokenizer = None,
    text_column: given.TextColumn = "text",
    on_error: given.OnError = "raise",
    seed: given.Seed = 0,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Index the frequent words of a corpus, for `tokkit dynamic generate`.

    Writes the tokens, their input and output rows, and what finds the rows nearest to a state
    of the model (faiss). A run that was killed goes on when the command is run again.

    ```console
    tokkit dynamic index my-model --corpus texts.jsonl -o my-index
    tokkit dynamic index my-model --corpus texts.jsonl --words 3 --hypernet my-hypernet -o big
    ```
    """
    from tokkit.corpus import open_corpus
    from tokkit.dynamic.models.embedding import find_rows
    from tokkit.dynamic.writing.index import ACCOUNT
    from tokkit.dynamic.writing.indexing import EMBEDDINGS, build_index
    from tokkit.dynamic.writing.vocabulary import frequent_tokens, read_tokens
    from tokkit.hypernet.source import SourceRows
    from tokkit.outputs import refuse_existing

    if bool(corpus) == (tokens is not None):
        raise UsageError("give either --corpus or --tokens")
    refuse_existing(output, force=force, sign=ACCOUNT)
    source = SourceRows.read(model, model_tokenizer)
    rows = find_rows(
        source,
        embeddings,
        default=EMBEDDINGS,
        hypernet=hypernet,
        auxiliary=aux_model,
        device=device,
    )
    with console.show_progress() as progress:
        if tokens is not None:
            found = read_tokens(tokens)[: max(size - len(source.tokenizer), 0)]
        else:
            found = frequent_tokens(
                source.tokenizer,
                open_corpus(corpus, text_column, on_error),
                size,
                words=words,
                min_count=min_count,
                progress=progress,
            )
        made = build_index(
            source,
            found,
            rows,
            output,
            kind=kind,
            dtype=row_type,
            seed=seed,
            force=force,
            progress=progress,
        )
    said = made.account.as_json()
    if not as_json:
        said = {key: said[key] for key in ("size", "base", "hidden", "embeddings", "kind")}
    console.print_result({"output": str(output), **said}, as_json)
