"""``tokkit audit``: what is in a vocabulary, and what is kept of text."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit.errors import UsageError
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.tokenizers import TOKENIZER_HELP, load_tokenizers

_MODEL = "A model"
_TEXTS = "Texts"


def audit(
    tokenizer: Annotated[str, typer.Argument(metavar="TOKENIZER", help=TOKENIZER_HELP)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Also write everything here."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="A model with this tokenizer, a folder or a hub id: find the tokens that it "
            "has hardly been trained on.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    verify: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Load the model and ask it to repeat the N least trained tokens.",
            rich_help_panel=_MODEL,
        ),
    ] = 0,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw how trained the tokens are: .svg, .png, or .json (Vega-Lite).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    corpus: Annotated[
        list[str],
        typer.Option(
            metavar="PATH",
            help="Texts that show which tokens only serve to build others: files, globs, "
            "folders or -; repeatable.",
            rich_help_panel=_TEXTS,
        ),
    ] = [],  # noqa: B006 (Typer copies it)
    whole: given.Whole = False,
    text_column: given.TextColumn = "text",
    on_error: given.OnError = "raise",
    pattern: given.FilePattern = None,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Show what is in a vocabulary, which of it text can give, and what is kept of text.

    A token is reachable if there is a text that gives it, which is shown; unreachable if it is
    proven that there is none, with the cause; else no such text was found. Special tokens that
    plain text can give are a finding. Texts that are hard on tokenizers, and every Unicode
    character, are encoded and decoded, and the ids compared with those of the library that the
    file was made for. With a model, the rows of its embeddings tell which tokens it has hardly
    been trained on (arXiv 2405.05417). With texts, it is counted which tokens are in them, and
    which are hardly ever left, as they are merged on into longer ones.

    ```console
    tokkit audit my-tokenizer
    tokkit audit o200k_base.tiktoken -o audited --json
    tokkit audit my-model --model my-model --verify 50 --figure trained.svg
    tokkit audit my-tokenizer --corpus texts.jsonl -o audited
    ```
    """
    from tokkit.analysis.audit import audit as audit_tokenizer
    from tokkit.results import Provenance, begin_folder, write_study, write_table
    from tokkit.streaming import read_documents

    if model is None and (verify or figure is not None):
        raise UsageError("--verify and --figure are about a model: name it with --model")
    if figure is not None:
        from tokkit.report import check_figure

        check_figure(figure)
    if output is not None:
        begin_folder(output, force=force)
    ((name, loaded),) = load_tokenizers([tokenizer], pattern).items()
    documents = read_documents(corpus, whole=whole, text_column=text_column, on_error=on_error)
    with console.show_progress() as progress:
        found = audit_tokenizer(
            loaded,
            name=name,
            model=model,
            verify=verify,
            documents=documents if corpus else None,
            progress=progress,
        )
    if output is not None:
        provenance = Provenance(
            study="audit",
            command=console.command_line(),
            inputs=[Path(path) for path in corpus if Path(path).is_file()],
            tokenizers={name: loaded.digest},
            model=model,
        )
        if found.undertrained is not None:
            write_table(found.undertrained.frame(), output / "undertrained.csv")
        write_table(found.faithfulness.frame(), output / "faithfulness.csv")
        write_table(found.faithfulness.lost_frame(), output / "lost_characters.csv")
        write_study(output, found.frame(), provenance, found.as_json())
    if figure is not None and found.undertrained is not None:
        from tokkit.report.audit import draw_undertrained

        draw_undertrained(found.undertrained, figure)
    console.print_page(found, as_json)
