"""Tables whose numbers are exact."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


def frame_of(lines: Iterable[Mapping[str, Any]]) -> "pandas.DataFrame":
    """Return lines as a table in which integers stay integers, of any size.

    Pandas makes floats of integers where one is missing. Here a column that has None has
    Python's objects; one that is complete has numpy's type if it has one.
    """
    import pandas

    frame = pandas.DataFrame(list(lines), dtype=object)
    whole = frame.columns[frame.notna().all()]
    return pandas.DataFrame(
        {name: frame[name].infer_objects() if name in whole else frame[name] for name in frame}
    )


def lines_of(frame: "pandas.DataFrame") -> list[dict[str, Any]]:
    """Return each line of a table by the names of its columns."""
    return [
        {str(name): value for name, value in line.items()} for line in frame.to_dict("records")
    ]


def records(frame: "pandas.DataFrame") -> list[dict[str, Any]]:
    """Return the lines of a frame as JSON: None for what is not a number."""
    return [{name: _plain(value) for name, value in line.items()} for line in lines_of(frame)]


def _plain(value: Any) -> Any:
    """Return a value as Python has it; what is not a number is None."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value
