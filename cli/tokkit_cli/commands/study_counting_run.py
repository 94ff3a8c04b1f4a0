"""``tokkit study counting run``: ask a model, and score its answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tokkit_cli import console, study_options
from tokkit_cli import counting_options as own
from tokkit_cli import options as given
from tokkit_cli.asking import Asking, AskingOptions, findings, is_incomplete

if TYPE_CHECKING:
    import pandas

    from tokkit.results import Provenance
    from tokkit.studies.asking import Asked
    from tokkit.studies.counting.scoring import CountingScores
    from tokkit.tokenizer import Tokenizer

PROBLEMS = "problems.jsonl"
"""What was asked, in the folder of a study that was given no file of problems."""


def run(
    context: typer.Context,
    backend: study_options.Backend,
    output: study_options.StudyFolder,
    problems: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PROBLEMS]", help="What `generate` wrote; none: made as the options say."
        ),
    ] = None,
    preset: own.Preset = None,
    letters: own.Letters = None,
    lengths: own.Lengths = None,
    number: own.Number = None,
    draw: own.Draw = None,
    letters_per_token: own.LettersPerToken = None,
    strings: own.Strings = None,
    tasks: own.Tasks = None,
    targets: own.Targets = None,
    formats: own.Formats = None,
    styles: own.Styles = None,
    seed: own.Seed = None,
    model: study_options.ModelName = None,
    limit: study_options.Limit = None,
    cache: study_options.Cache = None,
    key_variable: study_options.KeyVariable = "OPENAI_API_KEY",
    column: study_options.Columns = None,
    rpm: study_options.Rpm = None,
    tpm: study_options.Tpm = None,
    workers: study_options.Workers = 8,
    timeout: study_options.Timeout = 120.0,
    tries: study_options.Tries = 8,
    budget: study_options.Budget = None,
    prices: study_options.Prices = None,
    dry_run: study_options.DryRun = False,
    tokenizer: study_options.CostTokenizer = None,
    pattern: given.FilePattern = None,
    plain: study_options.Plain = False,
    batch_size: study_options.BatchSize = None,
    device: given.Device = "auto",
    dtype: given.DType = "auto",
    table: study_options.Table = "csv",
    figure: study_options.Figure = None,
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Ask a model to count, sort or reverse letters, and score its answers.

    Every answer is kept as it comes: the same command goes on where it was stopped, and what
    failed is asked again. Keys are read from the environment and written nowhere.

    ```console
    tokkit study counting run --backend sim:undercounter:0.3 -o simulated
    tokkit study counting run problems.jsonl --backend hf:my-model -o local
    tokkit study counting run --preset zhang2024 --strings count_dataset_10_20_ab.jsonl \
        --targets a --formats list --backend replay:count_res_a_3_s.jsonl -o recorded
    ```
    """
    wanted = own.Wanted(
        preset=preset,
        letters=letters,
        lengths=lengths,
        number=number,
        draw=draw,
        letters_per_token=letters_per_token,
        strings=strings,
        tasks=tasks,
        targets=targets,
        formats=formats,
        styles=styles,
    )
    options = AskingOptions.given(context)
    study = _Study(wanted, problems, Asking(options, output), output, seed)
    rows = study.rows if limit is None else study.rows.head(limit)
    if dry_run:
        from tokkit.studies.counting.rows import requests_of

        console.print_page(study.asking.estimate(requests_of(rows)), as_json)
        return
    study.begin(figure, force=force)
    scores, asked = study.ask(rows, table)
    if scores is not None and figure is not None:
        draw_figure(scores, figure)
    if as_json:
        result = {"account": asked.account.as_json(), "output": str(output)}
        console.print_result({**result, "scores": scores and scores.as_json()}, as_json)
    elif scores is not None:
        console.print_page(scores, as_json)
    if is_incomplete(asked):
        raise typer.Exit(1)


def draw_figure(scores: "CountingScores", figure: Path) -> None:
    """Draw scores."""
    from tokkit.report.charts import write_chart
    from tokkit.report.counting import draw_counting

    console.note(f"drawn: {write_chart(draw_counting(scores), figure)}")


class _Study:
    """Problems, who is asked, and the folder that is written."""

    def __init__(
        self,
        wanted: own.Wanted,
        problems: Path | None,
        asking: Asking,
        folder: Path,
        seed: int | None,
    ) -> None:
        from tokkit.studies.counting.row_files import read_rows

        self.asking = asking
        self._folder, self._seed = folder, seed
        self._inputs = [each for each in (problems, wanted.strings) if each is not None]
        self._drawn = problems is None
        if problems is not None:
            wanted.refuse()
            self.rows = read_rows([problems])
        else:
            self.rows = wanted.rows(seed, self._tokenizer)

    @property
    def _tokenizer(self) -> "Tokenizer | None":
        return self.asking.tokenizer

    def begin(self, figure: Path | None, *, force: bool) -> None:
        """Make sure that what is written may be."""
        from tokkit.outputs import refuse_existing
        from tokkit.report.charts import check_figure
        from tokkit.results import begin_folder, refuse_other
        from tokkit.studies.counting.row_files import keep_rows

        _ = self.asking.backend  # one that cannot be opened leaves no folder
        if figure is not None:
            refuse_existing(check_figure(figure), force=force)
        begin_folder(self._folder, resume=True)
        if self._drawn:
            problems = self._folder / PROBLEMS
            keep_rows(self.rows, problems, force=force)
            self._inputs.append(problems)
        if not force:
            refuse_other(self._folder, self._provenance())

    def ask(
        self, rows: "pandas.DataFrame", table: study_options.TableName
    ) -> "tuple[CountingScores | None, Asked]":
        """Have rows answered, score the answers, and write both."""
        from tokkit.results import write_study
        from tokkit.studies.counting.row_files import write_rows
        from tokkit.studies.counting.rows import add_answers, requests_of
        from tokkit.studies.counting.scoring import score

        asked = self.asking.ask(requests_of(rows))
        answered = add_answers(rows, asked.answers, self.asking.name)
        if not answered["response"].notna().any():
            return None, asked
        scores = score(answered, seed=self._seed or 0)
        path = write_study(
            self._folder,
            scores.rows,
            self._provenance(),
            {**findings(self.asking, asked), **scores.as_json()},
            table=table,
            writer=write_rows,
        )
        console.note(f"wrote {path}")
        return scores, asked

    def _provenance(self) -> "Provenance":
        """Say where the answers come from."""
        seeds = {"strings and answers": self._seed or 0}
        return self.asking.provenance("counting", self._inputs, seeds)
