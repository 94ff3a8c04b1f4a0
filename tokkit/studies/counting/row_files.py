"""Files with the rows of a counting study."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.errors import CorpusError, UsageError
from tokkit.results import write_table
from tokkit.studies.counting.rows import QUESTION
from tokkit.studies.counting.tasks import TASKS
from tokkit.studies.frames import frame_of
from tokkit.studies.table_files import read_table

if TYPE_CHECKING:
    import pandas

_NUMBERS = {
    "length",
    "letters_per_token",
    "sample_tokens",
    "max_tokens",
    "prompt_tokens",
    "completion_tokens",
}
_NEEDED = ("key", "task", "sample", "truth", "input_format", "prompt_style")


def write_rows(rows: "pandas.DataFrame", path: Path) -> None:
    """Write rows as what the name of a file ends in: .csv, .jsonl or .parquet.

    Raises:
        UsageError: If it ends in something else.
        MissingExtraError: If pyarrow is not installed, which writes parquet.
    """
    if path.suffix == ".parquet":  # whose columns have one type each
        mixed = [name for name in ("truth", "answer", "robust_answer") if name in rows]
        texts = {
            name: rows[name].map(lambda each: None if each is None else str(each))
            for name in mixed
        }
        rows = rows.assign(**texts)
    write_table(rows, path)


def keep_rows(rows: "pandas.DataFrame", path: Path, *, force: bool = False) -> None:
    """Write what is asked into the folder of a study, or see that it is there already.

    Raises:
        UsageError: If something else was asked there, unless `force` replaces it.
    """
    new = path.with_name(f".new-{path.name}")
    try:
        write_rows(rows, new)
        if path.exists() and not force and path.read_bytes() != new.read_bytes():
            raise UsageError(
                f"{str(path.parent)!r} has the answers to other problems: choose another "
                "place, or --force replaces them"
            )
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def read_rows(paths: Sequence[Path]) -> "pandas.DataFrame":
    """Read rows that tokkit wrote, one file below the other.

    Raises:
        CorpusError: If a file cannot be read, or has other columns.
    """
    rows = [row for path in paths for row in _read(path)]
    return frame_of(rows)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file, all columns of questions and answers in each."""
    table = read_table(path)
    absent = [name for name in _NEEDED if name not in table]
    if absent:
        raise CorpusError(
            f"{path} has no column {absent[0]!r}: it is not of a counting study of tokkit"
        )
    names = dict.fromkeys([*QUESTION, *table])
    for place in range(len(table["key"])):
        row = {name: table[name][place] if name in table else None for name in names}
        try:
            yield _restore(row)
        except (ValueError, TypeError) as error:
            raise CorpusError(f"{path}, row {place + 1}: {error}") from None


def _restore(row: dict[str, Any]) -> dict[str, Any]:
    """Make of a row's values what they were; CSV files have texts only."""
    if row["task"] not in TASKS or not isinstance(row["sample"], str):
        raise ValueError(f"no task {row['task']!r} of a string {row['sample']!r}")
    for name in row.keys() & _NUMBERS:
        value = row[name]
        row[name] = None if value in (None, "") or value != value else int(float(value))
    if row["task"] == "count":
        row["truth"] = int(row["truth"])
    if row.get("error") and not row.get("response"):
        row["response"] = None
    row["target"] = row["target"] or ""
    row["length"] = row["length"] or len(row["sample"])
    row["temperature"] = float(row["temperature"] or 0.0)
    return row


def is_rows_file(path: Path) -> bool:
    """Tell whether a file has rows of tokkit, and not recorded answers of a public study."""
    if path.suffix in (".csv", ".parquet"):
        return True
    try:
        with path.open(encoding="utf-8") as file:
            first = json.loads(next(file, "null"))
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and "input_format" in first
