"""``tokkit byte-probs score``: how probable documents are."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tokkit.errors import UsageError
from tokkit_cli import byte_options as own
from tokkit_cli import console
from tokkit_cli import options as given
from tokkit_cli.byte_requests import ModelRequest, Session, open_session
from tokkit_cli.score_lines import ScoreLines

if TYPE_CHECKING:
    from tokkit.byteprobs.rows import Row, Totals


def score(
    model: given.ModelName,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]", help="Text, JSON lines or parquet; - or none: stdin."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write .json, .jsonl or .csv, not a table."
        ),
    ] = None,
    whole: given.Whole = False,
    total_only: Annotated[
        bool,
        typer.Option("--total-only", help="Only each document's total, which is quicker."),
    ] = False,
    per_byte: Annotated[
        bool, typer.Option("--per-byte", help="Add the log probability of every byte.")
    ] = False,
    end: Annotated[
        bool, typer.Option("--end", help="Add the probability that the text ends there.")
    ] = False,
    segmentation: own.Segmentation = "renorm",
    beam: own.Beam = None,
    ensemble: own.Ensemble = [],  # noqa: B006 (Typer copies it)
    mix: own.Mix = None,
    weight: own.ModelWeight = [],  # noqa: B006
    text_column: given.TextColumn = "text",
    on_error: given.OnError = "raise",
    device: given.Device = "auto",
    dtype: given.DType = "auto",
    tokenizer: given.ModelTokenizer = None,
    start: given.Start = None,
    force: given.Force = False,
    resume: given.Resume = False,
    stats: own.Stats = False,
    as_json: given.AsJson = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Give the exact log probability and the bits per byte of documents.

    Each line of a text, without its line feed, is a document; so is each record of a `.jsonl`
    or `.parquet` file. Beside it stand the bits per byte of the document's own tokens, which
    count only one of the ways to spell it.

    ```console
    tokkit byte-probs score my-model --whole book.txt
    tokkit byte-probs score my-model documents.jsonl -o scores.csv
    echo 'Once upon a time' | tokkit byte-probs score my-model --per-byte --json
    ```
    """
    if per_byte and (total_only or (output and output.suffix == ".csv")):
        raise UsageError("--per-byte goes with neither --total-only nor a .csv file")
    if resume and output is None:
        raise UsageError("--resume goes on writing a file: name it with --output")
    work = Work(
        ModelRequest(
            model, segmentation, beam, device, dtype, tokenizer, start, ensemble, mix, weight
        ),
        files or ["-"],
        whole=whole,
        per_byte=per_byte,
        end=end,
        text_column=text_column,
        on_error=on_error,
    )
    if output is not None:
        _write(work, output, force=force, resume=resume)
        _say_totals(work, {"output": str(output)}, as_json, stats)
    elif as_json:
        rows = [row for _, row in work.rows()]
        _say_totals(work, {"documents": rows}, as_json, stats)
    else:
        lines = ScoreLines(end=end)
        for document, row in work.rows():
            lines.print(document, row)
        lines.print_totals(work.totals)
        _say_stats(work, stats)


@dataclass
class Work:
    """What is scored, and how: all that the rows depend on.

    Attributes:
        model: Which model is asked.
        files: Where the documents are.
        whole: Whether a text is one document.
        per_byte: Whether rows have the log probability of every byte.
        end: Whether they have that of the end.
        text_column: The field of a record that holds its text.
        on_error: What a bad record or an impossible document does.
    """

    model: ModelRequest
    files: Sequence[str]
    _: KW_ONLY
    whole: bool
    per_byte: bool
    end: bool
    text_column: str
    on_error: given.OnErrorName

    def __post_init__(self) -> None:
        self.n_bytes = 0  # of the documents scored by this job, not by one it goes on from

    @cached_property
    def session(self) -> Session:
        """The models, loaded when they are first asked."""
        return open_session(self.model)

    @cached_property
    def totals(self) -> "Totals":
        """What the rows so far add up to."""
        from tokkit.byteprobs.rows import Totals

        return Totals()

    def rows(self, first: int = 0) -> "Iterator[tuple[bytes, Row]]":
        """Yield each document from the one with number `first` on, and its row."""
        from tokkit.byteprobs.documents import score_documents
        from tokkit.streaming import read_documents

        _ = self.session
        documents = read_documents(
            self.files, whole=self.whole, text_column=self.text_column, on_error=self.on_error
        )
        rest = islice(documents, first, None)
        skip = self.on_error == "skip"
        with console.show_progress() as progress:
            for document, row in score_documents(self._score, rest, first=first, skip=skip):
                self.totals.add(row)
                self.n_bytes += row["bytes"]
                progress("scoring", self.totals.n_bytes, 0)
                yield document, row

    def _score(self, documents: Sequence[bytes]) -> "Sequence[Row]":
        from tokkit.byteprobs.rows import ensemble_row, score_row

        both = self.session.ensemble
        if both is not None:
            scores = map(both.score, documents)
            return [ensemble_row(each, per_byte=self.per_byte, end=self.end) for each in scores]
        model = self.session.members[0]
        found = model.score_batch(documents, total_only=not self.per_byte, end=self.end)
        return [score_row(each, per_byte=self.per_byte) for each in found]


def _write(work: Work, output: Path, *, force: bool, resume: bool) -> None:
    """Write the rows to a file."""
    from tokkit.byteprobs.table_io import open_table

    with open_table(output, asdict(work), force=force, resume=resume) as table:
        for row in table.done:
            work.totals.add(row)
        for _, row in work.rows(len(table.done)):
            table.write(row)


def _say_totals(work: Work, result: dict[str, object], as_json: bool, stats: bool) -> None:
    """Print what everything adds up to."""
    totals = work.totals.as_json()
    if as_json:
        result["total"] = totals
        if stats:
            result["stats"] = work.session.stats(work.n_bytes)
        console.print_result(result, as_json)
        return
    for name, value in result.items():
        sys.stdout.write(f"{name}: {value}\n")
    ScoreLines(end=work.end).print_totals(work.totals)
    _say_stats(work, stats)


def _say_stats(work: Work, wanted: bool) -> None:
    if wanted:
        console.note(work.session.describe(work.n_bytes))
