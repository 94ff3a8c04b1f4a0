"""How one row of a plan is made, as something that can show itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokkit.transplant.context import SIDES
from tokkit.transplant.plan import Plan

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST = 20
"""Parts that are shown to people; the others are many and small."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a plan says of one token.

    Attributes:
        plan: The plan.
        token: The target id.
    """

    plan: Plan
    token: int

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return self.plan.explain(self.token)

    def __rich__(self) -> "RenderableType":
        from rich.box import SIMPLE_HEAD
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        said = self.as_json()
        shown: list[Any] = [Text(f"{said['token']!r} (id {said['id']})")]
        for side in SIDES:
            half = said[side]
            noise = f", {half['noise']:g} deviations of noise" if half["noise"] else ""
            title = f"{side}: {half['origin']} ({half['method']}){noise}"
            table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
            table.add_column("source token", no_wrap=True)
            table.add_column("id", justify="right")
            table.add_column("weight", justify="right")
            parts = sorted(half["parts"], key=lambda part: -abs(part["weight"] or 0))
            ordered = half["parts"] if len(parts) <= MOST else parts[:MOST]
            for part in ordered:
                weight = "read" if part["weight"] is None else f"{part['weight']:.4f}"
                table.add_row(repr(part["token"]), str(part["id"]), weight)
            shown.append(table)
            if len(parts) > MOST:
                shown.append(Text(f"  and {len(parts) - MOST} more with smaller weights"))
        return Group(*shown)
