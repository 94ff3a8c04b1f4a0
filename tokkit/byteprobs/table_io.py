"""Scores of documents as files: rows that are written as they come.

While the work goes on, the rows are lines of ``OUTPUT.partial``, of which the first says what
was asked for; a job that was killed goes on from there. In the end OUTPUT is written in one
step, in the format that its name says.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokkit.byteprobs.rows import Row, Totals
from tokkit.errors import InputError, UsageError
from tokkit.formats.write import pending


@dataclass
class Table:
    """Rows being written to a file; see `open_table`.

    Attributes:
        path: What is to be written in the end.
        done: The rows that an earlier job left.
    """

    path: Path
    done: list[Row]
    _lines: io.TextIOBase = field(repr=False)

    def write(self, row: Row) -> None:
        """Keep a row, so that it is there even if the job is killed now."""
        self._lines.write(json.dumps(row) + "\n")
        self._lines.flush()


@contextmanager
def open_table(
    path: Path, request: Mapping[str, Any], *, force: bool = False, resume: bool = False
) -> Iterator[Table]:
    """Write rows, and make them the file `path` when the block ends.

    Args:
        path: A ``.json``, ``.jsonl`` or ``.csv`` file.
        request: What was asked for; another job's rows are not gone on from.
        force: Replace what is at `path`.
        resume: Go on from what an earlier job left, if it left anything.

    Raises:
        UsageError: If `path` exists, has another suffix, or was begun for another request.
    """
    refuse_table(path, force=force)
    partial = path.with_name(f"{path.name}.partial")
    request = json.loads(json.dumps(request))
    done = _left(partial, request) if resume else []
    path.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("w", encoding="utf-8") as lines:
        table = Table(path, done, lines)
        for row in ({"request": request}, *done):
            table.write(row)
        try:
            yield table
        except InputError:
            partial.unlink()
            raise
    with pending({path: b"".join(_format(partial, path.suffix))}):
        pass
    os.unlink(partial)


def refuse_table(path: Path, *, force: bool) -> None:
    """Do nothing if a table can be written to `path`.

    Raises:
        UsageError: If its name says no format, or it exists and may not be replaced.
    """
    if path.suffix not in FORMATS:
        raise UsageError(f"{str(path)!r} should end in {', '.join(FORMATS)}")
    if path.is_dir():
        raise UsageError(f"{str(path)!r} is a folder: name the file to write")
    if path.exists() and not force:
        raise UsageError(f"{str(path)!r} exists: choose another place, or --force replaces it")


def _left(partial: Path, request: Mapping[str, Any]) -> list[Row]:
    """Read the complete rows that an earlier job with the same request left."""
    if not partial.is_file():
        return []
    rows = list(_rows(partial))
    if not rows or rows[0].get("request") != request:
        raise UsageError(
            f"{str(partial)!r} is left of a job that was asked for something else: "
            "ask for the same, or leave --resume out to start over"
        )
    return rows[1:]


def _rows(partial: Path) -> Iterator[Row]:
    """Read rows; the last line may be torn, if the job was killed while it was written."""
    with partial.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                return
            yield row


def _format(partial: Path, suffix: str) -> Iterator[bytes]:
    rows = iter(_rows(partial))
    next(rows)  # the request
    yield from (text.encode() for text in FORMATS[suffix](rows))


def _as_lines(rows: Iterable[Row]) -> Iterator[str]:
    return (json.dumps(row) + "\n" for row in rows)


def _as_document(rows: Iterable[Row]) -> Iterator[str]:
    totals = Totals()
    yield '{"documents": ['
    before = "\n"
    for row in rows:
        totals.add(row)
        yield before + json.dumps(row)
        before = ",\n"
    yield f'\n], "total": {json.dumps(totals.as_json())}}}\n'


COLUMNS = (
    "document",
    "bytes",
    "logprob",
    "bits_per_byte",
    "logprob_end",
    "tokens",
    "token_logprob",
    "token_bits_per_byte",
    "windows",
    "segmentation",
    "method",
    "exact",
    "leaked_noncanonical",
    "leaked_special",
    "leaked_pruned",
    "error",
)
"""Of a CSV file."""


def _as_csv(rows: Iterable[Row]) -> Iterator[str]:
    for row in (dict(zip(COLUMNS, COLUMNS, strict=True)), *rows):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([row.get(name) for name in COLUMNS])
        yield line.getvalue()


FORMATS = {".json": _as_document, ".jsonl": _as_lines, ".csv": _as_csv}
"""What turns rows into a file, by its suffix."""
