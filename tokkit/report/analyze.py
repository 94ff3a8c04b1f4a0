"""An analysis as a picture: what tokenizers make of a text, its groups, how long tokens are."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.analysis.analyze_showing import shorten
from tokkit.report.charts import altair, write_chart

if TYPE_CHECKING:
    from tokkit.analysis.analyze import Analysis

_PANELS: Mapping[str, str] = {
    "bytes_per_token": "bytes per token",
    "fertility": "tokens per word",
    "strr_spaced": "word types of one token (after a space)",
    "vocabulary_utilisation": "share of the vocabulary used",
    "renyi_2.5_efficiency_vocabulary": "Rényi efficiency 2.5, by vocabulary",
    "digits_per_token": "digits per token of numbers",
}
_WIDTH = 250
_MOST_GROUPS = 60
_LONGEST = 24


def draw_analysis(found: "Analysis", path: str | Path) -> Path:
    """Draw the main measures with their intervals, groups, and how long tokens are.

    Args:
        found: What to draw.
        path: A ``.png``, ``.svg`` or ``.json`` (Vega-Lite) file.

    Raises:
        UsageError: If the suffix is another one.
        MissingExtraError: If altair or vl-convert is not installed.
    """
    return write_chart(chart_analysis(found), path)


def chart_analysis(found: "Analysis") -> Any:
    """Return the chart of `draw_analysis`."""
    alt = altair()
    present = set(found.results["metric"])
    panels = [_panel(found, each) for each in _PANELS if each in present]
    main = alt.concat(*panels, columns=2, spacing=24)
    parts = [main, _lengths(found)]
    for field in found.results["group_by"].unique():
        if field != "all":
            parts.insert(-1, _groups(found, str(field)))
    title = alt.TitleParams(
        "What tokenizers make of a text",
        subtitle=f"{found.documents:,} documents, {found.size:,} bytes; lines are 95 % "
        "intervals, documents drawn anew",
    )
    chart = alt.vconcat(*parts, spacing=28).resolve_scale(color="independent")
    return chart.properties(title=title)


def _color(found: "Analysis", *, legend: bool = False) -> Any:
    alt = altair()
    shown = alt.Legend(title=None, orient="top-right", labelLimit=260) if legend else None
    scale = alt.Scale(domain=list(found.names))
    return alt.Color("tokenizer:N", scale=scale, sort=list(found.names), legend=shown)


def _dots(found: "Analysis", rows: list[dict[str, Any]], title: str, y: Any) -> Any:
    """Draw values as dots, and their intervals as lines."""
    alt = altair()
    scale = alt.Scale(zero=False, nice=True, padding=12)
    axis = alt.Axis(tickCount=5, grid=True)
    base = alt.Chart(alt.Data(values=rows)).encode(y=y, color=_color(found))
    lines = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2)
    dots = base.mark_point(filled=True, opacity=1, size=44).encode(
        x=alt.X("value:Q", scale=scale, axis=axis, title=title),
        tooltip=["tokenizer:N", "group:N", "value:Q", "low:Q", "high:Q"],
    )
    return alt.layer(lines.encode(x=alt.X("low:Q", scale=scale), x2="high:Q"), dots)


def _panel(found: "Analysis", metric: str) -> Any:
    alt = altair()
    rows = _rows(found, "all", metric)
    axis = alt.Axis(grid=False, labelLimit=110)
    y = alt.Y("tokenizer:N", sort=list(found.names), title=None, axis=axis)
    chart = _dots(found, rows, _PANELS[metric], y)
    return chart.properties(width=_WIDTH, height=24 * len(found.names))


def _groups(found: "Analysis", field: str) -> Any:
    """Draw the bytes per token of each group, those with the longest tokens on top."""
    alt = altair()
    rows = _rows(found, field, "bytes_per_token")
    first = [row for row in rows if row["tokenizer"] == found.names[0]]
    order = [row["group"] for row in sorted(first, key=lambda row: -(row["value"] or 0))]
    shown = set(order[:_MOST_GROUPS])
    rows = [{**row, "group": shorten(row["group"])} for row in rows if row["group"] in shown]
    order = [shorten(group) for group in order]
    y = alt.Y("group:N", sort=order, title=None, axis=alt.Axis(grid=True, labelLimit=160))
    chart = _dots(found, rows, f"bytes per token, by {field}", y)
    if len(found.names) > 1:
        chart = chart.encode(yOffset=alt.YOffset("tokenizer:N", sort=list(found.names)))
    row = max(16, 8 * len(found.names))
    return chart.properties(width=2 * _WIDTH + 130, height=row * len(shown))


def _lengths(found: "Analysis") -> Any:
    """Draw which share of a text's tokens is how long."""
    alt = altair()
    frame = found.token_lengths
    rows = json.loads(frame[frame["bytes"].between(1, _LONGEST)].to_json(orient="records"))
    chart = alt.Chart(alt.Data(values=rows)).mark_line(point=alt.OverlayMarkDef(size=18))
    chart = chart.encode(
        x=alt.X("bytes:Q", title="bytes of a token", axis=alt.Axis(tickMinStep=1)),
        y=alt.Y("share:Q", title="share of tokens", axis=alt.Axis(format=".0%", tickCount=5)),
        color=_color(found, legend=True),
        tooltip=["tokenizer:N", "bytes:Q", "share:Q", "tokens:Q", "vocabulary:Q"],
    )
    return chart.properties(width=2 * _WIDTH + 130, height=180)


def _rows(found: "Analysis", field: str, metric: str) -> list[dict[str, Any]]:
    frame = found.results
    chosen = frame[(frame["group_by"] == field) & (frame["metric"] == metric)]
    rows: list[dict[str, Any]] = json.loads(
        chosen[["tokenizer", "group", "value", "low", "high"]].to_json(orient="records")
    )
    return rows
