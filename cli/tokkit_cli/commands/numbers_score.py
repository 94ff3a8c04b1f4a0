"""``tokkit numbers score``: what recorded answers to a study of numbers say."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tokkit_cli import console
from tokkit_cli.options import AsJson, FilePattern, Force, Quiet, Seed, Verbose
from tokkit_cli.study_options import Figure

if TYPE_CHECKING:
    from tokkit.studies.numbers.scoring import Scores

CompareName = Literal["format", "shots", "model", "prompt", "file"]
FigureErrors = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Draw which digits are wrong: .png, .svg, .json."),
]


def score(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Answers: .csv, .jsonl or .parquet, as `run` writes them."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Write all tables there, as CSV files."
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="TOKENIZER", help="The model's, to see errors by its tokens."),
    ] = None,
    pattern: FilePattern = None,
    pool: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="Pool cells over this, as num_spaces; repeatable."),
    ] = [],  # noqa: B006 (Typer copies it)
    compare: Annotated[
        CompareName, typer.Option(help="What differs between the conditions compared.")
    ] = "format",
    errors: Annotated[
        bool, typer.Option("--errors", help="Show what is wrong with wrong answers, too.")
    ] = False,
    figure: Figure = None,
    figure_errors: FigureErrors = None,
    force: Force = False,
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Score answers to arithmetic problems, and compare the formats they were asked in.

    Accuracies have 95 % intervals, with invalid answers counted as wrong and left out.
    Conditions are compared on the same problems, by exact McNemar tests after Holm's
    correction. Prompts that do not match their stated format are listed apart.

    ```console
    tokkit numbers score answers.csv --errors --tokenizer my-tokenizer
    tokkit numbers score *.csv --pool num_spaces -o scores --figure accuracy.png
    ```
    """
    from tokkit.outputs import refuse_existing
    from tokkit.report.charts import check_figure
    from tokkit.results import begin_folder
    from tokkit.studies.numbers.scoring import score_files
    from tokkit_cli.tokenizers import load_tokenizer

    for each in (figure, figure_errors):
        if each is not None:
            refuse_existing(check_figure(each), force=force)
    if output is not None:
        begin_folder(output, force=force)
    with console.show_progress() as progress:
        progress("scoring", 0, 0)
        scores = score_files(
            files,
            tokenizer=load_tokenizer(tokenizer, pattern) if tokenizer else None,
            pool=pool,
            compare_by=compare,
            seed=seed,
        )
    if output is not None:
        _write(scores, output, files, tokenizer)
    _draw(scores, figure, figure_errors)
    console.print_page(scores, as_json)
    if errors and not as_json:
        _show_errors(scores)


def _write(scores: "Scores", folder: Path, files: list[Path], tokenizer: str | None) -> None:
    """Write all tables and a summary."""
    from tokkit.results import Provenance
    from tokkit.studies.numbers.scoring.files import write_scores

    digest = scores.settings["tokenizer"]
    provenance = Provenance(
        study="numbers-score",
        command=console.command_line(),
        seeds={"bootstrap": scores.settings["seed"]},
        inputs=files,
        tokenizers={tokenizer: digest} if tokenizer else {},
    )
    write_scores(scores, folder, provenance)
    console.note(f"written: {folder}")


def _draw(scores: "Scores", figure: Path | None, figure_errors: Path | None) -> None:
    from tokkit.report.numbers import draw_accuracy, draw_errors

    if figure is not None:
        console.note(f"drawn: {draw_accuracy(scores, figure)}")
    if figure_errors is not None:
        console.note(f"drawn: {draw_errors(scores, figure_errors)}")


def _show_errors(scores: "Scores") -> None:
    from rich.console import Console

    from tokkit.studies.numbers.scoring.showing_errors import show_errors

    Console(emoji=False, markup=False, highlight=False).print(
        show_errors(scores), soft_wrap=True
    )
