"""``tokkit dynamic curve``: how much shorter batches get."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tokkit_cli import console
from tokkit_cli import dynamic_options as dynamic
from tokkit_cli import options as given
from tokkit_cli.study_options import Figure
from tokkit_cli.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from tokkit.dynamic import Curve
    from tokkit.dynamic.curves import Curves


def curve(
    tokenizer: given.TokenizerName,
    files: dynamic.Files = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Also write the curve here."),
    ] = None,
    figure: Figure = None,
    merges: dynamic.Merges = None,
    batch_size: dynamic.BatchSize = 32,
    boundary: dynamic.Boundary = "pretokens",
    whole: given.Whole = False,
    parallel: dynamic.Parallel = [],  # noqa: B006 (Typer copies it)
    languages: dynamic.Languages = "",
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
    tokkit dynamic curve my-tokenizer --parallel docs.jsonl --figure curve.svg
    ```
    """
    from tokkit.dynamic import draw_curve
    from tokkit.dynamic.curves import draw_curves
    from tokkit.results import Provenance, begin_folder, write_study
    from tokkit.streaming import read_documents

    if output is not None:
        begin_folder(output, force=force)
    if figure is not None:
        from tokkit.report import check_figure

        check_figure(figure)
    loaded = load_tokenizer(tokenizer, pattern)
    found: Curve | Curves
    with console.show_progress() as progress:
        if parallel:
            texts, inputs = dynamic.read_languages(files, parallel, languages, text_column)
            found = draw_curves(
                loaded,
                texts,
                batch_size=batch_size,
                merges=merges,
                boundary=boundary,
                progress=progress,
            )
        else:
            inputs = [Path(path) for path in files or () if Path(path).is_file()]
            documents = read_documents(
                files or ["-"], whole=whole, text_column=text_column, on_error=on_error
            )
            found = draw_curve(
                loaded,
                documents,
                batch_size=batch_size,
                merges=merges,
                boundary=boundary,
                progress=progress,
            )
    if figure is not None:
        from tokkit.report.charts import write_chart
        from tokkit.report.dynamic import chart_curve

        write_chart(chart_curve(found), figure)
    if output is not None:
        provenance = Provenance(
            study="dynamic",
            command=console.command_line(),
            inputs=inputs,
            tokenizers={tokenizer: loaded.digest},
        )
        write_study(output, found.frame(), provenance, found.as_json())
    console.print_page(found, as_json)
