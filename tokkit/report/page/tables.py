"""Tables of a result folder, as the texts that their files have."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.errors import MissingExtraError, UsageError
from tokkit.report.page.kinds import Crossed

if TYPE_CHECKING:
    import pandas as pd

ROWS = 5_000
"""Most rows of a table that a page has, unless asked for more."""
CHARACTERS = 4_000_000
"""Most characters of a table that a page has: rows with whole prompts are long."""
_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?|[-+]?inf|nan", re.ASCII)

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Some or all rows of a table.

    Attributes:
        name: What it is called.
        columns: The names of its columns.
        rows: One text for each column; empty where there is nothing.
        total: How many rows there are.
        picked: Which rows come first, in words.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    total: int
    picked: str = ""

    def numeric(self) -> list[bool]:
        """Say of each column whether it has numbers only, and at least one."""
        return [_is_numeric(row[place] for row in self.rows) for place in range(self.width)]

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.columns)

    def records(self) -> list[dict[str, str]]:
        """Return each row by the names of columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def as_json(self) -> dict[str, Any]:
        """What `table.js` reads."""
        return {"columns": self.columns, "numeric": self.numeric(), "rows": self.rows}


def _is_numeric(cells: Any) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)


def read_table(path: Path) -> Table:
    """Read a table of a result folder, every cell as the text that is in the file.

    Args:
        path: A ``.csv``, ``.jsonl`` or ``.parquet`` file.

    Raises:
        UsageError: If it is damaged.
        MissingExtraError: If pyarrow is not installed, which reads parquet.
    """
    import pandas as pd

    try:
        frame = _READERS[path.suffix](path)
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame()
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error
    except (ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else "damaged"
        raise UsageError(
            f"{str(path)!r} is no table ({reason}): repeat the study that wrote it, or "
            "remove the file"
        ) from error
    columns = tuple(map(str, frame.columns))
    rows = tuple(tuple(map(spell_cell, row)) for row in frame.itertuples(index=False))
    return Table(path.stem, columns, rows, len(rows))


def table_of(name: str, records: Sequence[Mapping[str, Any]]) -> Table:
    """Make a table of the records of a JSON document."""
    columns = tuple(dict.fromkeys(key for record in records for key in record))
    rows = tuple(tuple(spell_cell(each.get(key)) for key in columns) for each in records)
    return Table(name, columns, rows, len(rows))


def cross(table: Table, crossed: Crossed) -> Table | None:
    """Make a table with a row for each measure and a column for each tokenizer.

    Returns:
        None if the table has not the columns for it.
    """
    needed = {crossed.rows, crossed.columns, crossed.value, crossed.only[0]}
    if not needed <= set(table.columns):
        return None
    cells: dict[str, dict[str, str]] = {}
    meanings: dict[str, str] = {}
    for record in table.records():
        if record[crossed.only[0]] == crossed.only[1]:
            row = record[crossed.rows]
            cells.setdefault(row, {})[record[crossed.columns]] = record[crossed.value]
            meanings[row] = record.get(crossed.said, "")
    names = tuple(dict.fromkeys(name for row in cells.values() for name in row))
    rows = tuple(
        (row, *(values.get(name, "") for name in names), meanings[row])
        for row, values in cells.items()
    )
    columns = (crossed.rows, *names, crossed.said)
    return Table(f"{crossed.rows}s by {crossed.columns}", columns, rows, len(rows))


def spell_cell(value: Any) -> str:
    """Write a value of a table as its file does; what is missing is empty."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def shorten(
    table: Table, most: int, ordinary: Mapping[str, frozenset[str]] | None = None
) -> Table:
    """Put the rows that are worth a look first, and keep as many rows as there is room for.

    Args:
        table: Any.
        most: How many rows may stay.
        ordinary: What a column has in a row that nobody looks for, the column that matters
            most first; without it the rows stay in their order.
    """
    watched = [
        (table.columns.index(name), cells)
        for name, cells in (ordinary or {}).items()
        if name in table.columns
    ]

    def rank(place: int) -> int:
        row = table.rows[place]
        worth = (n for n, (column, cells) in enumerate(watched) if row[column] not in cells)
        return next(worth, len(watched))

    order = sorted(range(table.total), key=rank)
    kept = _affordable(table, order, most)
    how = "the first ones"
    if order and rank(order[0]) < len(watched):
        named = ", ".join(table.columns[column] for column, _ in watched)
        how = f"the noteworthy ones by {named} before others"
    rows = tuple(table.rows[place] for place in kept)
    return Table(table.name, table.columns, rows, table.total, how)


def _affordable(table: Table, order: Sequence[int], most: int) -> list[int]:
    """Return the first places that fit into a page."""
    room = CHARACTERS
    kept: list[int] = []
    for place in order[:most]:
        room -= sum(map(len, table.rows[place]))
        if room < 0 and kept:
            break
        kept.append(place)
    return kept


def _read_csv(path: Path) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_csv(
        path, dtype=str, keep_default_na=False, encoding="utf-8", encoding_errors="replace"
    )


def _read_jsonl(path: Path) -> "pd.DataFrame":
    import pandas as pd

    records = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError(f"line {number} is no JSON object")
            records.append({key: spell_cell(value) for key, value in record.items()})
    return pd.DataFrame(records, dtype=object)


def _read_parquet(path: Path) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_parquet(path, engine="pyarrow").astype(object)


_READERS: Mapping[str, Callable[[Path], "pd.DataFrame"]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
TABLE_SUFFIXES = frozenset(_READERS)
