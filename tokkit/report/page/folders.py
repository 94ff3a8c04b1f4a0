"""Result folders, read: what `tokkit.results` writes, and the figures beside it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokkit.errors import UsageError
from tokkit.report.page.kinds import ANY_KIND, KINDS, Kind
from tokkit.report.page.tables import (
    ROWS,
    TABLE_SUFFIXES,
    Table,
    cross,
    read_table,
    shorten,
    table_of,
)
from tokkit.results import SUMMARY

PROVENANCE = (
    *("study", "model", "tokkit", "schema", "command", "seeds", "inputs"),
    *("rows", "results", "tokenizers"),
)
"""What every summary has, besides its findings."""
_RECORDS = {"transplant.json": "transplant", "training.json": "training"}
"""What lies beside a model or tokenizer in place of a summary, and the study it is of."""
_UNREAD = frozenset({"settings", "tensor_hashes", "rows_by_origin", "guesses"})
"""What programs read, of such a record."""
_FIGURES = (".svg", ".png")


@dataclass(frozen=True)
class Folder:
    """The results of one study.

    Attributes:
        name: What its folder is called.
        kind: How studies of its kind are shown.
        summary: The content of ``summary.json``.
        tables: Its tables, the main one first.
        figures: Its pictures: the content of each file by its name.
    """

    name: str
    kind: Kind
    summary: Mapping[str, Any]
    tables: tuple[Table, ...]
    figures: Mapping[str, bytes]

    @property
    def findings(self) -> dict[str, Any]:
        """What the study found, without where it comes from."""
        return {key: self.summary[key] for key in self.summary if key not in PROVENANCE}


def read_folder(folder: Path, *, most_rows: int = ROWS) -> Folder:
    """Read the results of a finished study.

    Args:
        folder: What a command wrote with ``-o``.
        most_rows: How many rows of a table are kept; of an audit, the noteworthy ones.

    Raises:
        UsageError: If the study is not finished, or a file is damaged.
        MissingExtraError: If a table is a parquet file, and pyarrow is not installed.
    """
    summary = _read_summary(folder)
    kind = KINDS.get(str(summary["study"]), ANY_KIND)
    main = str(summary.get("results", ""))
    paths = sorted(folder.iterdir(), key=lambda path: (path.name != main, path.name))
    paths = [path for path in paths if path.is_file() and not path.name.startswith(".")]
    tables = [read_table(path) for path in paths if path.suffix in TABLE_SUFFIXES]
    tables += _tables_of(summary, tables)
    if kind.crossed is not None and tables:
        tables = [*filter(None, (cross(tables[0], kind.crossed),)), *tables]
    return Folder(
        name=folder.resolve().name,
        kind=kind,
        summary=summary,
        tables=tuple(shorten(table, most_rows, kind.ordinary) for table in tables),
        figures={path.name: path.read_bytes() for path in paths if path.suffix in _FIGURES},
    )


def _read_summary(folder: Path) -> dict[str, Any]:
    paths = [folder / name for name in (SUMMARY, *_RECORDS)]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise UsageError(
            f"{str(folder)!r} has no {SUMMARY}: name a folder that a command wrote with -o "
            "and finished"
        )
    try:
        summary = json.loads(path.read_bytes())
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is not JSON: repeat the study ({error})") from error
    if isinstance(summary, dict) and path.name in _RECORDS:
        return _of_record(summary, _RECORDS[path.name])
    if not isinstance(summary, dict) or "study" not in summary:
        raise UsageError(f"{str(path)!r} does not say which study it is of")
    return summary


def _of_record(record: Mapping[str, Any], study: str) -> dict[str, Any]:
    """Make a summary of what is written beside a model or a tokenizer that was made."""
    kept = {name: value for name, value in record.items() if name not in _UNREAD}
    if "rows" in kept:  # which is how long results are, in a summary
        kept["vocabulary_size"] = kept.pop("rows")
    return {"study": study, **kept}


def _tables_of(summary: Mapping[str, Any], written: list[Table]) -> Iterator[Table]:
    """Make tables of the lists in a summary that are not written as tables already."""
    for name, value in summary.items():
        if name not in PROVENANCE and is_records(value):
            table = table_of(name, value)
            if not any(_says_the_same(table, other) for other in written):
                yield table


def is_records(value: object) -> bool:
    """Whether a value of a summary is a table: a list of JSON objects that is not empty."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) for each in value)
    )


def _says_the_same(table: Table, other: Table) -> bool:
    """Whether another table is called the same, or has as many rows, or the same ones."""
    if table.name == other.name or not set(table.columns) <= set(other.columns):
        return table.name == other.name
    if table.total == other.total:  # they may be rounded
        return True
    places = [other.columns.index(name) for name in table.columns]
    there = {tuple(row[place] for place in places) for row in other.rows}
    return there.issuperset(table.rows)
