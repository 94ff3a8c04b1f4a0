"""``tokkit compare``: two tokenizers side by side."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.tokenizers import TOKENIZER_HELP, load_tokenizers


def compare(
    first: Annotated[str, typer.Argument(metavar="TOKENIZER", help=TOKENIZER_HELP)],
    second: Annotated[str, typer.Argument(metavar="TOKENIZER", help=TOKENIZER_HELP)],
    corpus: Annotated[
        list[str],
        typer.Option(
            metavar="PATH",
            help="Texts to cut: files, globs, folders or -; repeatable. If absent, the sample "
            "that ships with tokkit.",
        ),
    ] = [],  # noqa: B006 (Typer copies it)
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Also write everything here."),
    ] = None,
    whole: given.Whole = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Compare so many documents at most.")
    ] = None,
    pattern: given.FilePattern = None,
    text_column: given.TextColumn = "text",
    on_error: given.OnError = "raise",
    seed: given.Seed = 0,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Show what two tokenizers have in common: tokens, cuts, and what a text costs.

    Tokens are compared as bytes. `ratio` is tokens of the second by tokens of the first.

    ```console
    tokkit compare old-tokenizer new-tokenizer --corpus 'texts/*.jsonl'
    tokkit compare r50k_base.tiktoken@gpt2 llama/tokenizer.json --json
    ```
    """
    from itertools import islice

    from tokkit.analysis.compare import compare as compare_tokenizers
    from tokkit.resources import resource
    from tokkit.results import Provenance, begin_folder, write_study
    from tokkit.streaming import read_documents

    if output is not None:
        begin_folder(output, force=force)
    (one_name, one), (other_name, other) = load_tokenizers([first, second], pattern).items()
    paths = corpus or [str(resource("sample.jsonl"))]
    documents = read_documents(paths, whole=whole, text_column=text_column, on_error=on_error)
    with console.show_progress() as progress:
        found = compare_tokenizers(
            one,
            other,
            islice(documents, limit),
            names=(one_name, other_name),
            seed=seed,
            progress=progress,
        )
    if output is not None:
        provenance = Provenance(
            study="compare",
            command=console.command_line(),
            seeds={"bootstrap": seed},
            inputs=[Path(path) for path in paths if Path(path).is_file()],
            tokenizers={one_name: one.digest, other_name: other.digest},
        )
        write_study(output, found.differences(), provenance, found.as_json())
    console.print_page(found, as_json)
