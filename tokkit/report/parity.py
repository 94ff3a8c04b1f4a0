"""A parity study as pictures: premiums by language, and Lorenz curves."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.analysis.parity_frames import records
from tokkit.report.charts import altair, write_chart

if TYPE_CHECKING:
    from tokkit.analysis.parity import Parity

_WIDTH = 480
_CURVE = 225
_MANY = 60
"""With more languages, rows are lower and letters smaller."""


def draw_parity(found: "Parity", path: str | Path) -> Path:
    """Draw the premium of each language with its interval, and Lorenz curves.

    Args:
        found: What to draw.
        path: A ``.png``, ``.svg`` or ``.json`` (Vega-Lite) file.

    Raises:
        UsageError: If the suffix is another one.
        MissingExtraError: If altair or vl-convert is not installed.
    """
    return write_chart(chart_parity(found), path)


def chart_parity(found: "Parity") -> Any:
    """Return the chart of `draw_parity`."""
    alt = altair()
    curves = alt.hconcat(
        *(_curves(found, measure) for measure in ("tokens_per_line", "tokens_per_byte")),
        spacing=40,
    )
    both = alt.vconcat(_premiums(found), curves, spacing=28)
    return both.resolve_scale(color="independent", fill="independent")


def _color(found: "Parity", *, legend: bool = False) -> Any:
    alt = altair()
    names = list(found.counts)
    # Dear languages are on top, so that there is room below at the right.
    shown = alt.Legend(orient="bottom-right", title=None, labelLimit=260, fillColor="white")
    return alt.Color(
        "tokenizer:N",
        scale=alt.Scale(domain=names),
        legend=shown if legend and len(names) > 1 else None,
    )


def _premiums(found: "Parity") -> Any:
    """Draw premiums as dots, languages below each other, the dearest on top."""
    alt = altair()
    rows = records(found.languages)
    first = [row for row in rows if row["tokenizer"] == next(iter(found.counts))]
    order = [row["language"] for row in sorted(first, key=lambda row: -row["premium"])]
    many = len(order) > _MANY
    axis = alt.Axis(grid=True, labelLimit=160, labelFontSize=8 if many else 11)
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("language:N", sort=order, title=None, axis=axis),
        color=_color(found, legend=True),
    )
    if len(found.counts) > 1 and not many:
        base = base.encode(yOffset=alt.YOffset("tokenizer:N", sort=list(found.counts)))
    # Ratios: as far from 1 to 2 as from 2 to 4.
    scale = alt.Scale(type="log", base=2, nice=False, padding=8)
    title = f"tokens by tokens of {found.pivot} (logarithmic)"
    dots = base.mark_point(size=20 if many else 34, opacity=1).encode(
        x=alt.X("premium:Q", scale=scale, title=title, axis=alt.Axis(format="~g", tickCount=8)),
        fill=alt.condition(
            "datum.flagged",
            alt.value("white"),
            alt.Fill("tokenizer:N", scale=alt.Scale(domain=list(found.counts)), legend=None),
        ),
        tooltip=["language:N", "script:N", "tokenizer:N", "premium:Q", "tokens:Q"],
    )
    layers = [dots]
    if rows and rows[0]["premium_low"] is not None:
        layers.insert(
            0,
            base.mark_rule(strokeWidth=1.6).encode(
                x=alt.X("premium_low:Q", scale=scale), x2="premium_high:Q"
            ),
        )
    row = 10 if many else max(18, 9 * len(found.counts))
    return alt.layer(*layers).properties(
        width=_WIDTH, height=row * len(order), title=_title(found)
    )


def _title(found: "Parity") -> Any:
    subtitle = f"the same {found.sizes.documents:,} documents; lines are 95 % intervals"
    if found.layout == "joined":
        subtitle = "all documents of a language joined by spaces to one text"
    if found.languages["flagged"].any():
        subtitle += "; hollow: more than 10 % unknown tokens"
    return altair().TitleParams("What each language costs", subtitle=subtitle)


def _curves(found: "Parity", measure: str) -> Any:
    """Draw Lorenz curves of tokens over languages, and the line on which all are equal."""
    alt = altair()
    rows = [row for row in records(found.lorenz) if row["measure"] == measure]
    whole = alt.Scale(domain=[0, 1], nice=False)
    percent = alt.Axis(format=".0%", tickCount=5)
    equal = alt.Chart(alt.Data(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(
        color="#999", strokeDash=[4, 4], strokeWidth=1
    )
    equal = equal.encode(
        x=alt.X("x:Q", scale=whole, axis=percent, title="share of languages, cheapest first"),
        y=alt.Y("y:Q", scale=whole, axis=percent, title="share of tokens"),
    )
    curves = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(point=alt.OverlayMarkDef(size=14) if len(rows) < 200 else False)
        .encode(
            x=alt.X("share_of_languages:Q", scale=whole),
            y=alt.Y("share_of_tokens:Q", scale=whole),
            color=_color(found),
            order="share_of_languages:Q",
            tooltip=["language:N", "tokenizer:N", "share_of_tokens:Q"],
        )
    )
    title = alt.TitleParams(f"Lorenz curves, {measure.replace('_', ' ')}", fontSize=12)
    return (equal + curves).properties(width=_CURVE, height=_CURVE, title=title)
