"""``tokkit parity``: what the same texts become in different languages."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.priced import ModelNames, find_models
from tokkit_cli.study_options import Prices
from tokkit_cli.tokenizers import TokenizerNames, load_tokenizers, short_names

_TEXTS = "Texts"


def parity(
    tokenizers: TokenizerNames,
    parallel: Annotated[
        list[str],
        typer.Option(
            metavar="PATH",
            help="The texts: JSON lines with an object of texts by language, a column per "
            "language or a record per language; LANGUAGE=FILE; or a folder of files named by "
            "language, aligned by line. Repeatable.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Also write everything here."),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw it: .svg, .png, or .json (Vega-Lite)."),
    ] = None,
    pivot: Annotated[
        str | None,
        typer.Option(
            metavar="LANGUAGE", help="What others are compared with; English if absent."
        ),
    ] = None,
    layout: Annotated[
        Literal["lines", "joined"],
        typer.Option(
            help="Each document is encoded alone; or all are joined by one space and encoded "
            "as one text (Petrov et al.), which leaves no intervals."
        ),
    ] = "lines",
    window: Annotated[
        int, typer.Option(min=1, metavar="TOKENS", help="A context window to fill.")
    ] = 8192,
    model: ModelNames = [],  # noqa: B006 (Typer copies it)
    prices: Prices = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="A table with a column `language` and others to group languages by, such as "
            "`region`. By script and family they are grouped anyway.",
        ),
    ] = None,
    languages: Annotated[
        str,
        typer.Option(metavar="A,B,...", help="Only these languages.", rich_help_panel=_TEXTS),
    ] = "",
    language_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The field with the language, of records of one language.",
            rich_help_panel=_TEXTS,
        ),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The field that says which document a record is of.",
            rich_help_panel=_TEXTS,
        ),
    ] = None,
    text_column: Annotated[
        str,
        typer.Option(
            help="The field with the text, or texts by language.", rich_help_panel=_TEXTS
        ),
    ] = "text",
    pattern: given.FilePattern = None,
    seed: given.Seed = 0,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    r"""Compare what the same texts cost in different languages.

    A premium is tokens of a language by tokens of the pivot; intervals are of 95 %, texts
    drawn anew.

    ```console
    tokkit parity my-tokenizer gpt2/tokenizer.json --parallel docs.jsonl
    tokkit parity my-tokenizer --parallel en=flores/eng.dev --parallel de=flores/deu.dev
    tokkit parity o200k_base.tiktoken --parallel flores/dev --parallel flores/devtest \
      --pivot eng_Latn --layout joined --model gpt-4o --figure parity.svg
    ```
    """
    from tokkit.analysis.groups import read_groups
    from tokkit.analysis.parallel import read_parallel
    from tokkit.analysis.parity import parity as measure_parity
    from tokkit.results import Provenance, begin_folder, write_study, write_table

    if output is not None:
        begin_folder(output, force=force)
    if figure is not None:
        from tokkit.report import check_figure

        check_figure(figure)
    priced = find_models(model, short_names(tokenizers), prices)
    grouped = {} if groups is None else read_groups(groups)
    loaded = load_tokenizers(tokenizers, pattern)
    texts = read_parallel(
        parallel,
        languages=[each.strip() for each in languages.split(",") if each.strip()],
        text_column=text_column,
        language_column=language_column,
        id_column=id_column,
        joined=layout == "joined",
    )
    with console.show_progress() as progress:
        found = measure_parity(
            loaded,
            texts,
            pivot=pivot,
            layout=layout,
            window=window,
            groups=grouped,
            prices=priced,
            seed=seed,
            progress=progress,
        )
    if figure is not None:
        from tokkit.report.parity import draw_parity

        draw_parity(found, figure)
    if output is not None:
        provenance = Provenance(
            study="parity",
            command=console.command_line(),
            seeds={"bootstrap": seed},
            inputs=texts.files,
            tokenizers={name: each.digest for name, each in loaded.items()},
        )
        for name, frame in found.frames.items():
            if name != "languages":
                write_table(frame, output / f"{name}.csv")
        findings = {k: v for k, v in found.as_json().items() if k not in found.frames}
        write_study(output, found.languages, provenance, findings)
    console.print_page(found, as_json)
