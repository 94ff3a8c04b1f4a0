"""The tables in which scores are shown."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from tokkit.studies.frames import lines_of
from tokkit.studies.numbers.scoring.comparing import describe_condition

if TYPE_CHECKING:
    import pandas

Line = dict[str, Any]
FORMATS = ("problem_format", "repeat_format", "answer_format", "num_spaces")
"""What a condition is called by, whatever else it differs in."""
_WIDTH = 80


def titled(title: str, table: Table) -> Group:
    """Put a title above a table, after an empty line; rich's own is as narrow as the table."""
    return Group(Text(f"\n{title}", style="bold"), table)


def new_table(first: str, columns: Sequence[str] = (), *, names: int = 1) -> Table:
    """Return a table whose first columns have names, and whose others have figures.

    Names take several lines where there is no room; figures are never cut.

    Args:
        first: The head of the first column.
        columns: Those of all others.
        names: How many columns have names.
    """
    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,
        show_edge=False,
    )
    for number, name in enumerate([first, *columns]):
        if number < names:
            table.add_column(name, overflow="fold")
        else:
            table.add_column(name, justify="right", no_wrap=True)
    return table


def crossed(
    lines: Sequence[Line], rows: str, title: str, show: Callable[[Line], str]
) -> list[Group]:
    """Return tables with one column per condition, as many side by side as there is room for.

    Args:
        lines: Each with its `condition`.
        rows: The name of what tells rows apart.
        title: What it is.
        show: Writes a figure.
    """
    conditions = list(dict.fromkeys(line["condition"] for line in lines))
    labels = list(dict.fromkeys(str(line[rows]) for line in lines))
    found = {(str(line[rows]), line["condition"]): show(line) for line in lines}
    room = _WIDTH - max(map(len, labels))
    tables, rest = [], conditions
    while rest:
        shown = _fitting(rest, found, room)
        rest = rest[len(shown) :]
        table = new_table("", [folded(name) for name in shown])
        for label in labels:
            table.add_row(label, *(found.get((label, name), "") for name in shown))
        tables.append(titled(title, table))
        title = f"{title} (more)" if not title.endswith(" (more)") else title
    return tables


def folded(name: str) -> str:
    """Break a condition's name into short lines: ``"comma_r2l"`` is two."""
    return name.replace("_", "\n").replace(" → ", "→\n").replace(", ", ",\n")


def _fitting(conditions: list[str], found: dict[tuple[str, str], str], room: int) -> list[str]:
    """Return the first conditions whose columns fit; at least one."""
    shown: list[str] = []
    for name in conditions:
        figures = [len(text) for (_, own), text in found.items() if own == name]
        width = max([*figures, *map(len, folded(name).split("\n"))])
        room -= width + 2
        if shown and room < 0:
            break
        shown.append(name)
    return shown


def with_conditions(frame: "pandas.DataFrame", names: Sequence[str] = ()) -> list[Line]:
    """Return the lines of a frame, each with the name of its condition."""
    return [{**line, "condition": name_of(line, names)} for line in lines_of(frame)]


def name_of(line: Line, names: Sequence[str] = ()) -> str:
    """Name the condition of a line by its formats, and by what else is told apart."""
    named = {name: line.get(name) for name in dict.fromkeys([*FORMATS, *names])}
    return describe_condition(named) or "all"


def counted(line: Line) -> str:
    """Write k of n."""
    return f"{line['k']}/{line['n']}"


def decimal(value: float | None) -> str:
    """Write a share: ``".933"``; a dash for what is not a number."""
    if value is None or value != value:
        return "–"
    return f"{value:.3f}".replace("0.", ".", 1)


def interval(line: Line, name: str) -> str:
    """Write an estimate with its interval: ``".933 [.862, .969]"``."""
    if decimal(line[name]) == "–":
        return "–"
    ends = (decimal(line[f"{name}_low"]), decimal(line[f"{name}_high"]))
    return f"{decimal(line[name])} [{', '.join(ends)}]"
