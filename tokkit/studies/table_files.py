"""Tables in files, read so that every value is exactly what the file has."""

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tokkit.errors import CorpusError, MissingExtraError

Table = dict[str, list[Any]]
"""Columns by name, all of one length; what is not there is None."""
_INDEX = ("", "Unnamed: 0", "__index_level_0__")
"""What the column is called in which pandas writes the numbers of rows."""


def read_table(path: Path) -> Table:
    """Read a CSV, JSON lines or parquet file; its name says which it is.

    Values of a CSV file are texts, and None where it has nothing; those of the others are what
    they are, and numbers may have any size.

    Raises:
        CorpusError: If it cannot be read, or has no rows.
        MissingExtraError: If pyarrow is not installed, which reads parquet.
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise CorpusError(f"{path}: rows are read from .csv, .jsonl and .parquet files")
    try:
        table = reader(path)
    except UnicodeDecodeError:
        raise CorpusError(f"{path}, {_not_utf8(path.read_bytes())}") from None
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CorpusError(f"{path}: {reason}") from None
    table = {name: values for name, values in table.items() if name not in _INDEX}
    if not table or not next(iter(table.values())):
        raise CorpusError(f"{path} has no rows")
    return table


def _not_utf8(data: bytes) -> str:
    r"""Name the first byte that is not UTF-8: ``b"a\n\xff"`` has it in line 2."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"line {line}: the byte 0x{data[error.start]:02X} is not UTF-8; save it as UTF-8"
    return "not UTF-8; save it as UTF-8"


def _read_csv(path: Path) -> Table:
    with path.open(encoding="utf-8-sig", newline="") as file:
        csv.field_size_limit(2**31 - 1)
        reader = csv.reader(file)
        names = next(reader, [])
        rows = []
        for row in reader:
            if len(row) != len(names):
                raise csv.Error(
                    f"line {reader.line_num} has {len(row)} values, the first {len(names)}"
                )
            rows.append(row)
    columns = [[value or None for value in column] for column in zip(*rows, strict=True)]
    return dict(zip(names, columns, strict=False))


def _read_jsonl(path: Path) -> Table:
    rows: list[dict[str, Any]] = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                rows.append(_read_object(line, f"{path}, line {number}"))
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _read_object(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise CorpusError(f"{place}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise CorpusError(f"{place}: not a JSON object, but {type(row).__name__}")
    return row


def _read_parquet(path: Path) -> Table:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error
    try:
        table: Table = parquet.read_table(path).to_pydict()
    except pyarrow.ArrowInvalid as error:
        raise CorpusError(f"{path}: {error}") from None
    return table


_READERS: Mapping[str, Callable[[Path], Table]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
