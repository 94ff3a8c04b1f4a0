"""``tokkit analyze``: what tokenizers make of a text."""

from pathlib import Path
from typing import Annotated

import typer

from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.tokenizers import TokenizerNames, load_tokenizers


def analyze(
    tokenizers: TokenizerNames,
    corpus: Annotated[
        list[str],
        typer.Option(
            metavar="PATH",
            help="Texts: files, globs, folders or -; repeatable. If absent, the sample that "
            "ships with tokkit.",
        ),
    ] = [],  # noqa: B006 (Typer copies it)
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Also write everything here."),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw it: .svg, .png, or .json (Vega-Lite)."),
    ] = None,
    group_by: Annotated[
        list[str],
        typer.Option(
            metavar="FIELD",
            help="Also measure groups of documents: a field of records such as `language`; "
            "`file`; or `script`, found in the text. Repeatable.",
        ),
    ] = [],  # noqa: B006
    base: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whose tokens others' are divided by, as tables call it; the first one's.",
        ),
    ] = None,
    alpha: Annotated[
        list[float],
        typer.Option(
            min=0, help="Order of Rényi's entropy; 1: Shannon's. Repeatable; 1, 2, 2.5 and 3."
        ),
    ] = [],  # noqa: B006
    whole: given.Whole = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Read so many documents at most.")
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
    """Measure what tokenizers make of a text: compression, words, use of the vocabulary.

    All tokenizers are measured in one pass, on corpora of any size. Intervals are of 95 %,
    documents drawn anew.

    ```console
    tokkit analyze my-tokenizer gpt2/tokenizer.json --corpus 'texts/*.jsonl'
    tokkit analyze r50k_base.tiktoken@gpt2 llama3/tokenizer.json --corpus docs.jsonl.gz \
      --group-by language --group-by script -o analysis --figure analysis.svg
    ```
    """
    from itertools import islice

    from tokkit.analysis.analyze import ALPHAS
    from tokkit.analysis.analyze import analyze as measure
    from tokkit.analysis.labelled import read_labelled
    from tokkit.resources import resource
    from tokkit.results import Provenance, begin_folder, write_study, write_table

    if output is not None:
        begin_folder(output, force=force)
    if figure is not None:
        from tokkit.report import check_figure

        check_figure(figure)
    loaded = load_tokenizers(tokenizers, pattern)
    paths = corpus or [str(resource("sample.jsonl"))]
    documents = read_labelled(
        paths, group_by, whole=whole, text_column=text_column, on_error=on_error
    )
    with console.show_progress() as progress:
        found = measure(
            loaded,
            islice(documents, limit),
            fields=group_by,
            base=base,
            alphas=alpha or ALPHAS,
            seed=seed,
            progress=progress,
        )
    if figure is not None:
        from tokkit.report.analyze import draw_analysis

        draw_analysis(found, figure)
    if output is not None:
        provenance = Provenance(
            study="analyze",
            command=console.command_line(),
            seeds={"bootstrap": seed},
            inputs=[Path(path) for path in paths if Path(path).is_file()],
            tokenizers={name: each.digest for name, each in loaded.items()},
        )
        for name, frame in found.frames.items():
            if name != "results":
                write_table(frame, output / f"{name}.csv")
        write_study(output, found.results, provenance, found.summary())
    console.print_page(found, as_json)
