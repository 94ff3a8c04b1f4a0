"""``tokkit study counting score``: score answers that are there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from tokkit.errors import UsageError
from tokkit_cli import console, study_options
from tokkit_cli import counting_options as own
from tokkit_cli import options as given
from tokkit_cli.commands.study_counting_run import draw_figure
from tokkit_cli.lists import read_names

if TYPE_CHECKING:
    from tokkit.studies.counting.recorded import Asked
    from tokkit.studies.counting.scoring import CountingScores

Condition = Literal[
    "model", "task", "letters", "lengths", "letters-per-token", "target", "style", "format"
]
_RECORDED = "Recorded answers of arXiv 2410.19730"


def score(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Rows or folders that `run` wrote, or recorded answers such as "
            "count_res_a_3_s.jsonl.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write rows and scores there."),
    ] = None,
    compare: Annotated[
        Condition, typer.Option(help="What differs between the conditions compared.")
    ] = "format",
    pool: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Pool cells over these.")
    ] = None,
    strings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The strings, with ids: count_dataset_10_20_ab.jsonl.",
            rich_help_panel=_RECORDED,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What was counted, if names of files do not say; with --format and --style.",
            rich_help_panel=_RECORDED,
        ),
    ] = None,
    form: Annotated[
        own.FormName | None,
        typer.Option("--format", help="How strings were written.", rich_help_panel=_RECORDED),
    ] = None,
    style: Annotated[
        own.StyleName | None,
        typer.Option(help="How it was asked.", rich_help_panel=_RECORDED),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Who was asked, if answers do not say.",
            rich_help_panel=_RECORDED,
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="TOKENIZER",
            help="Counts the tokens that hold the strings.",
            rich_help_panel=_RECORDED,
        ),
    ] = None,
    pattern: given.FilePattern = None,
    figure: study_options.Figure = None,
    seed: given.Seed = 0,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Score answers, and compare conditions on the same strings.

    Accuracies have 95 % intervals, with invalid answers counted as wrong and left out; wrong
    numbers are counted on either side of the truth. Conditions are compared by exact McNemar
    tests after Holm's correction.

    ```console
    tokkit study counting score simulated --figure counting.png
    tokkit study counting score count_res_a_*_s.jsonl --strings count_dataset_10_20_ab.jsonl
    ```
    """
    from tokkit.outputs import refuse_existing
    from tokkit.report.charts import check_figure
    from tokkit.results import begin_folder
    from tokkit.studies.counting.files import Recording, score_files
    from tokkit_cli.tokenizers import load_tokenizer

    if figure is not None:
        refuse_existing(check_figure(figure), force=force)
    if output is not None:
        begin_folder(output, force=force)
    recording: Recording | None = None
    if strings is not None:
        recording = Recording(
            strings=strings,
            asked=_asked(target, form, style),
            model=model,
            tokenizer=load_tokenizer(tokenizer, pattern) if tokenizer else None,
        )
    scores = score_files(
        files,
        recording,
        compare_by=compare,
        pool=read_names(pool, "condition", get_args(Condition)) if pool else (),
        seed=seed,
    )
    for each in scores.notes:
        console.note(each)
    if output is not None:
        _write(scores, output, [*files, *([strings] if strings else [])], seed)
    if figure is not None:
        draw_figure(scores, figure)
    console.print_page(scores, as_json)


def _asked(
    target: str | None, form: own.FormName | None, style: own.StyleName | None
) -> "Asked | None":
    """Return what was asked, if options say so."""
    from tokkit.studies.counting.recorded import Asked

    if target is None and form is None and style is None:
        return None
    if not target or form is None or style is None:
        raise UsageError("--target, --format and --style are given together, or none of them")
    return Asked(target, form, style)


def _write(scores: "CountingScores", folder: Path, inputs: list[Path], seed: int) -> None:
    """Write rows and scores."""
    from tokkit.results import Provenance, write_study
    from tokkit.studies.counting.row_files import write_rows

    provenance = Provenance(
        study="counting",
        command=console.command_line(),
        seeds={"bootstrap": seed},
        inputs=[path for path in inputs if path.is_file()],
    )
    path = write_study(folder, scores.rows, provenance, scores.as_json(), writer=write_rows)
    console.note(f"wrote {path}")
