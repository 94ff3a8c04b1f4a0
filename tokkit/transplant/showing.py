"""How a planned and a finished transplantation look to people."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tokkit.transplant.context import SIDES
from tokkit.transplant.plan import Plan

if TYPE_CHECKING:
    from rich.table import Table

    from tokkit.transplant.preparing import Prepared

MEANINGS: Mapping[str, str] = {
    "copied": "the same bytes",
    "role": "special tokens with the same role or name",
    "override": "as you said",
    "composed": "from the tokens that spell it",
    "neighbours": "from tokens of similar meaning",
    "mixed": "from spelling and meaning",
    "donor": "through the donor model",
    "predicted": "by the hypernetwork, from its pieces",
    "mean": "nothing is known: the mean of known rows",
    "random": "drawn",
    "unused": "not reachable: padding, gaps, reserved",
}
"""What each of `ORIGINS` means, in the order of tables."""


def show_prepared(prepared: "Prepared") -> Any:
    """Show what would be done."""
    from rich.console import Group

    said = prepared.as_json()
    return Group(
        facts(
            {
                "model": said["model"],
                "tokenizer": said["tokenizer"],
                "rows": f"{said['rows']['before']:,} → {said['rows']['after']:,}",
                "head": _head(said["tied"]),
                "methods": methods_of(prepared.plan, prepared.tied),
                "hypernetwork": name_hypernet(prepared),
            }
        ),
        origins_table(prepared.plan, prepared.tied),
        *notes("warning", said["warnings"]),
    )


def facts(content: Mapping[str, object]) -> Any:
    """Show names and values below each other."""
    from rich.text import Text

    width = max(map(len, content))
    lines = (
        f"{name:<{width}}  {value}" for name, value in content.items() if value is not None
    )
    return Text("\n".join(lines))


def notes(kind: str, texts: Iterable[str]) -> list[Any]:
    """Show sentences, each on a line of its own."""
    from rich.text import Text

    return [Text(f"{kind}: {text}") for text in texts]


def methods_of(plan: Plan, tied: bool) -> str:
    """Name the methods: ``"last for input, front for output"``."""
    names = [plan.halves[side].method for side in SIDES]
    if tied or names[0] == names[1]:
        return names[0]
    return f"{names[0]} for input, {names[1]} for output"


def name_hypernet(prepared: "Prepared") -> str | None:
    """Name the hypernetwork that predicts rows, if one does."""
    said = prepared.predictor
    return None if said is None else f"{said['name']} ({said['digest'][:12]})"


def origins_table(plan: Plan, tied: bool) -> "Table":
    """Show how many rows have which origin."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    table.add_column("rows")
    sides = SIDES[:1] if tied else SIDES
    for side in sides:
        table.add_column("both" if tied else side, justify="right")
    table.add_column("because")
    counts = [plan.counts(side) for side in sides]
    for origin, meaning in MEANINGS.items():
        if any(origin in each for each in counts):
            figures = (f"{each.get(origin, 0):,}" for each in counts)
            table.add_row(origin, *figures, meaning)
    return table


def _head(tied: Mapping[str, bool]) -> str:
    """Say what becomes of the head."""
    if tied["before"] and not tied["after"]:
        return "gets a matrix of its own"
    return "is the input embedding" if tied["before"] else "a matrix of its own"
