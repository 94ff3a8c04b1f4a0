"""Dynamic tokenization as pictures: how short batches get, and what that does to a model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tokkit.report.charts import altair

if TYPE_CHECKING:
    from tokkit.dynamic.curve import Curve
    from tokkit.dynamic.curves import Curves
    from tokkit.dynamic.measures.evaluation import Evaluation

_ALL = "all"
_COLOURS = 8
"""Of so many groups or fewer each has a colour of tokkit's own."""
_POINTS = 200
"""About how many points a curve has."""
_LINEAR = 5
"""Up to about so many merges the axis is linear, then logarithmic."""
_TICKS = (0, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)


def chart_curve(found: "Curve | Curves") -> Any:
    """Return a chart of how much shorter batches get with every merge.

    Args:
        found: One curve, or one for each group.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    alt = altair()
    groups = getattr(found, "groups", None) or {"": found}
    rows = [
        {"group": name, "merges": merges, "reduction": 1 - curve.lengths[merges] / first}
        for name, curve in groups.items()
        for first in (curve.lengths[0],)
        for merges in _chosen(curve.lengths.size - 1)
    ]
    boundary = next(iter(groups.values())).boundary
    scale = alt.Scale(type="symlog", constant=_LINEAR, nice=False)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "merges:Q", scale=scale, title="merges in a batch", axis=alt.Axis(values=_TICKS)
        ),
        y=alt.Y(
            "reduction:Q",
            scale=alt.Scale(domainMin=0),
            title="fewer tokens",
            axis=alt.Axis(format=".0%"),
        ),
    )
    subtitle = f"merges stay within: {boundary}" + "; black: all texts" * (_ALL in groups)
    title = alt.TitleParams("How much shorter batches get", subtitle=subtitle)
    return _lines(base, list(groups)).properties(title=title)


def _chosen(last: int) -> list[int]:
    """Choose numbers of merges that are about evenly spaced on the axis."""
    ratio = (last / _LINEAR + 1) ** (1 / _POINTS)
    return sorted({round(_LINEAR * (ratio**step - 1)) for step in range(_POINTS + 1)})


def _lines(base: Any, groups: Sequence[str], *, points: bool = False) -> Any:
    """Draw a line for each group; the one for all is thick and black."""
    alt = altair()
    shown = [name for name in groups if name != _ALL]
    scheme: dict[str, Any] = {"scheme": "tableau20"} if len(shown) > _COLOURS else {}
    colour = alt.Color(
        "group:N",
        scale=alt.Scale(domain=shown, **scheme),
        legend=alt.Legend(title=None) if len(shown) > 1 else None,
    )
    marks: dict[str, Any] = {"point": alt.OverlayMarkDef(size=22)} if points else {}
    own = base.transform_filter(f"datum.group != '{_ALL}'").mark_line(strokeWidth=1.6, **marks)
    total = base.transform_filter(f"datum.group == '{_ALL}'").mark_line(
        strokeWidth=3, color="black", **({"point": {"color": "black"}} if points else {})
    )
    return own.encode(color=colour) + total


_PANELS = (
    ("ratio", "whole texts, in their batch's tokens", "bits per byte, by those without merges"),
    ("half_ratio", "second halves, after merged first halves", None),
    ("divergence", "what is expected after merged first halves", "divergence in bits"),
)


def chart_evaluation(found: "Evaluation") -> Any:
    """Return a chart of what merging does to a model, by how much shorter texts become.

    Args:
        found: What to draw.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    alt = altair()
    groups = list(dict.fromkeys(row.group for row in found.rows))
    rows = [row.as_json() for row in found.rows]
    for row in rows:
        del row["asked_reduction"], row["asked_merges"]
    panels = [_panel(rows, groups, *panel) for panel in _PANELS]
    made = f"{found.embeddings}, within {found.boundary}, batches of {found.batch_size}"
    title = alt.TitleParams(
        f"{found.model} on dynamically tokenized text",
        subtitle=f"{made}; black: all texts; grey: 95 % intervals",
    )
    return alt.hconcat(*panels, spacing=24, title=title)


def _panel(
    rows: Sequence[Any], groups: Sequence[str], measure: str, title: str, axis: str | None
) -> Any:
    """Draw one measure."""
    alt = altair()
    of_whole = measure == "ratio"
    x = "reduction" if of_whole else "prefix_reduction"
    what = "fewer tokens" if of_whole else "fewer tokens in the first half"
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(f"{x}:Q", title=what, axis=alt.Axis(format=".0%", tickCount=5)),
        y=alt.Y(f"{measure}:Q", title=axis, scale=alt.Scale(zero=False)),
        tooltip=["group:N", f"{x}:Q", f"{measure}:Q"],
    )
    sure = [_ALL] if _ALL in groups else groups
    ends = base.transform_filter(alt.FieldOneOfPredicate(field="group", oneOf=sure))
    ends = ends.mark_rule(color="#777").encode(
        y=alt.Y(f"{measure}_low:Q", title=axis), y2=alt.Y2(f"{measure}_high:Q")
    )
    chart = alt.layer(ends, _lines(base, groups, points=True))
    shown = alt.Title(title, fontSize=11, fontWeight="normal", frame="group")
    return chart.properties(width=250, height=230, title=shown)
