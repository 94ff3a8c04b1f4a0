"""Tables of studies, in which whole numbers stay whole and what is missing is None."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


def frame_of(lines: Iterable[Mapping[str, Any]]) -> "pandas.DataFrame":
    """Return lines as a table.

    Pandas makes floats of integers where one is missing. Here a column that has None has
    Python's objects; one that is complete has numpy's type if it has one.
    """
    import pandas

    frame = pandas.DataFrame(list(lines), dtype=object)
    complete = {name: column.notna().all() for name, column in frame.items()}
    return pandas.DataFrame(
        {
            name: column.infer_objects() if complete[name] else column
            for name, column in frame.items()
        }
    )


def lines_of(frame: "pandas.DataFrame") -> list[dict[str, Any]]:
    """Return each line of a table by the names of its columns."""
    return [
        {str(name): value for name, value in line.items()} for line in frame.to_dict("records")
    ]


def json_lines(frame: "pandas.DataFrame") -> list[dict[str, Any]]:
    """Return the lines of a table as JSON: what is not a number is None."""
    return [{name: _as_json(value) for name, value in line.items()} for line in lines_of(frame)]


def _as_json(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value
