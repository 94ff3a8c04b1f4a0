"""``tokkit numbers run``: ask a model the rows of a number study."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli import study_options as own
from tokkit_cli.asking import Asking, AskingOptions, findings, is_incomplete

if TYPE_CHECKING:
    import pandas as pd

    from tokkit.results import Provenance
    from tokkit.studies.asking import Asked


def run(
    context: typer.Context,
    rows: Annotated[
        list[Path],
        typer.Argument(metavar="ROWS", help="What `tokkit numbers generate` wrote."),
    ],
    backend: own.Backend,
    output: own.StudyFolder,
    model: own.ModelName = None,
    limit: own.Limit = None,
    max_tokens: own.MaxTokens = 20,
    temperature: own.Temperature = 0.0,
    top_logprobs: own.TopLogprobs = 0,
    seed: own.Seed = 0,
    cache: own.Cache = None,
    key_variable: own.KeyVariable = "OPENAI_API_KEY",
    column: own.Columns = None,
    rpm: own.Rpm = None,
    tpm: own.Tpm = None,
    workers: own.Workers = 8,
    timeout: own.Timeout = 120.0,
    tries: own.Tries = 8,
    budget: own.Budget = None,
    prices: own.Prices = None,
    dry_run: own.DryRun = False,
    tokenizer: own.CostTokenizer = None,
    pattern: given.FilePattern = None,
    plain: own.Plain = False,
    batch_size: own.BatchSize = None,
    device: given.Device = "auto",
    dtype: given.DType = "auto",
    table: own.Table = "csv",
    force: given.Force = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Ask a model the rows of a number study, and score its answers.

    Every answer is kept as it comes: the same command goes on where it was stopped, and what
    failed is asked again. Keys are read from the environment and written nowhere.

    ```console
    tokkit numbers generate --preset singh2024 -o rows.csv
    tokkit numbers run rows.csv --backend sim:off-by-one:0.2 -o simulated
    tokkit numbers run rows.csv --backend hf:my-model -o local
    tokkit numbers run rows.csv --backend openai:http://localhost:8000 -o served --dry-run
    ```
    """
    from tokkit.studies.asking import Decoding
    from tokkit.studies.numbers.rows import add_answers, read_rows, requests_of

    frame = read_rows(rows)
    frame = frame if limit is None else frame.head(limit)
    decoding = Decoding(
        max_tokens=max_tokens, temperature=temperature, seed=seed, top_logprobs=top_logprobs
    )
    requests = requests_of(frame, decoding)
    asking = Asking(
        AskingOptions.given(context),
        output,
    )
    if dry_run:
        console.print_page(asking.estimate(requests), as_json)
        return
    provenance = asking.provenance("numbers", rows, {"answers": seed})
    _begin(output, provenance, force)
    asked = asking.ask(requests)
    answered = add_answers(frame, asked.answers, None if asking.is_replay else asking.name)
    if answered["response"].notna().any():
        _write(output, answered, provenance, findings(asking, asked), table)
    _show(output, answered, asking, asked, as_json)
    if is_incomplete(asked):
        raise typer.Exit(1)


def _begin(output: Path, provenance: "Provenance", force: bool) -> None:
    from tokkit.results import begin_folder, refuse_other

    if not force:
        refuse_other(output, provenance)
    begin_folder(output, resume=True)


def _write(
    output: Path,
    frame: "pd.DataFrame",
    provenance: "Provenance",
    found: dict[str, Any],
    table: own.TableName,
) -> None:
    from tokkit.results import write_study
    from tokkit.studies.numbers.rows import write_rows

    path = write_study(output, frame, provenance, found, table=table, writer=write_rows)
    console.note(f"wrote {path}")


def _show(
    output: Path, frame: "pd.DataFrame", asking: Asking, asked: "Asked", as_json: bool
) -> None:
    """Print how many answers are right, if there are any."""
    from tokkit.studies.numbers.scoring import score

    scores = (
        score(frame, tokenizer=asking.tokenizer) if frame["response"].notna().any() else None
    )
    if as_json:
        result = {"account": asked.account.as_json(), "output": str(output)}
        console.print_result({**result, "scores": scores and scores.as_json()}, as_json)
    elif scores is not None:
        console.print_page(scores, as_json)
