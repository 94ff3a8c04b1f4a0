"""``tokkit dynamic evaluate``: what merging does to a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tokkit_cli import console
from tokkit_cli import dynamic_options as dynamic
from tokkit_cli import options as given
from tokkit_cli.lists import read_numbers, read_shares
from tokkit_cli.study_options import Figure

if TYPE_CHECKING:
    from tokkit.dynamic.measures.level import Level


def evaluate(
    model: given.ModelName,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]", help="Text, JSON lines or parquet, or - for stdin."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Also write everything here."),
    ] = None,
    figure: Figure = None,
    embeddings: dynamic.Embeddings = None,
    hypernet: dynamic.Hypernet = None,
    aux_model: dynamic.AuxModel = None,
    reductions: Annotated[
        str, typer.Option(metavar="A,B,...", help="By which shares batches become shorter.")
    ] = "0,0.1,0.2,0.3,0.4",
    merges: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Numbers of merges, in place of reductions."),
    ] = None,
    boundary: dynamic.Boundary = "pretokens",
    batch_size: dynamic.BatchSize = 32,
    limit: Annotated[
        int,
        typer.Option(min=1, metavar="BYTES", help="Text to measure on, of a file or language."),
    ] = 100_000,
    parallel: dynamic.Parallel = [],  # noqa: B006 (Typer copies it)
    languages: dynamic.Languages = "",
    device: given.Device = "auto",
    dtype: given.DType = "auto",
    model_tokenizer: given.ModelTokenizer = None,
    start: given.Start = None,
    text_column: given.TextColumn = "text",
    on_error: given.OnError = "raise",
    seed: given.Seed = 0,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Measure what merging costs a model: bits per byte, and what it expects next.

    Whole texts are measured in tokens of their batch; and their second halves, as they are,
    after merged first halves. Intervals are of 95 %, documents drawn anew. A run with
    `--output` that was killed goes on when the command is run again.

    ```console
    tokkit dynamic evaluate my-model texts.jsonl
    tokkit dynamic evaluate my-model --parallel docs.jsonl -o evaluation --figure evaluation.svg
    tokkit dynamic evaluate my-model texts.jsonl --embeddings hypernet --hypernet my-hypernet
    ```
    """
    from tokkit.dynamic.measures.evaluate import Plan
    from tokkit.dynamic.measures.evaluate import evaluate as measure
    from tokkit.dynamic.measures.journal import begin_journal
    from tokkit.dynamic.models.embedding import find_rows
    from tokkit.hypernet.source import SourceRows
    from tokkit.lm.hf import HFModel
    from tokkit.results import Provenance, write_study

    plan = Plan(_levels(reductions, merges), boundary, batch_size, limit, seed)
    if figure is not None:
        from tokkit.report import check_figure

        check_figure(figure)
    if parallel:
        texts, inputs = dynamic.read_languages(files, parallel, languages, text_column)
    else:
        texts, inputs = dynamic.read_files(files, text_column, on_error)
    loaded = HFModel.load(
        model, device=device, dtype=dtype, tokenizer=model_tokenizer, start=start
    )
    source = SourceRows.of(loaded.model, loaded.tokenizer)
    maker = find_rows(source, embeddings, hypernet=hypernet, auxiliary=aux_model, device=device)
    provenance = Provenance(
        study="dynamic evaluation",
        command=console.command_line(),
        seeds={"texts": seed},
        inputs=inputs,
        tokenizers={loaded.name: loaded.tokenizer.digest},
        model=model,
    )
    journal = None
    if output is not None:
        settings = {"plan": plan.as_json(), "embeddings": maker.name}
        journal = begin_journal(output, provenance, settings, force=force)
    with console.show_progress() as progress:
        found = measure(loaded, maker, texts, plan, journal=journal, progress=progress)
    if figure is not None:
        from tokkit.report.charts import write_chart
        from tokkit.report.dynamic import chart_evaluation

        write_chart(chart_evaluation(found), figure)
    if output is not None and journal is not None:
        told = {name: value for name, value in found.as_json().items() if name != "rows"}
        write_study(output, found.frame(), provenance, told)
        journal.remove()
    console.print_page(found, as_json)


def _levels(reductions: str, merges: str | None) -> "Sequence[Level]":
    """Read how far to merge."""
    from tokkit.dynamic.measures.level import Level

    if merges is not None:
        return [Level(merges=number) for number in read_numbers(merges, "--merges")]
    return [Level(share) for share in read_shares(reductions, "--reductions")]
