"""An audit of numbers as a picture: where each tokenizer cuts."""

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from tokkit.report.charts import altair, write_chart
from tokkit.studies.numbers.audit_result import NumberAudit, TokenizerAudit, Width

_ROW = 15
_CELL = 19
_COLOURS = ("#E69F00", "#56B4E9", "#0072B2", "#009E73", "#CC79A7")
_SIZES = ("1", "2", "3", "4", "5 or more")


def draw_audit(audit: NumberAudit, path: str | Path) -> Path:
    """Draw numbers with their cuts, and how often numbers of each width are cut where.

    Args:
        audit: What to draw.
        path: A ``.png``, ``.svg`` or ``.json`` (Vega-Lite) file.

    Raises:
        UsageError: If the suffix is another one.
        MissingExtraError: If altair or vl-convert is not installed.
    """
    return write_chart(chart_audit(audit), path)


def chart_audit(audit: NumberAudit) -> Any:
    """Return the chart: a row for each tokenizer."""
    alt = altair()
    rows = [
        alt.hconcat(_numbers(each, not number), _places(each, not number), spacing=40)
        .resolve_scale(color="independent")
        .properties(title=alt.Title(each.name, subtitle=_subtitle(each)))
        for number, each in enumerate(audit.tokenizers)
    ]
    return alt.vconcat(*rows, spacing=26).resolve_scale(color="independent")


def _subtitle(audit: TokenizerAudit) -> str:
    verdict = audit.rules["alone"][0]
    said = {
        "whole": "numbers are one token",
        "single": "each digit is a token",
        "mixed": "cut by no rule: as merges, or scores, have it",
        "unknown": "its tokens do not spell the digits",
    }
    return said.get(verdict, audit.scheme)


def _numbers(audit: TokenizerAudit, has_legend: bool) -> Any:
    """Draw numbers right-aligned, their tokens as bars coloured by size."""
    alt = altair()
    most = max(map(len, audit.examples))
    places = alt.Scale(domain=[-most, 0], nice=False)
    y = alt.Y("width:O", axis=alt.Axis(title="digits", ticks=False, domain=False))
    colour = alt.Color(
        "size:N",
        scale=alt.Scale(domain=list(_SIZES), range=list(_COLOURS)),
        legend=alt.Legend(title="digits of a token", orient="top") if has_legend else None,
    )
    tokens = (
        alt.Chart(alt.Data(values=list(_bars(audit))))
        .mark_bar(height=_ROW - 2, cornerRadius=4)
        .encode(x=alt.X("start:Q", scale=places, axis=None), x2="end:Q", y=y, color=colour)
    )
    text = (
        alt.Chart(alt.Data(values=list(_characters(audit))))
        .mark_text(color="white", fontWeight="bold", fontSize=10)
        .encode(x=alt.X("place:Q", scale=places), y=y, text="digit:N")
    )
    size = {"width": _CELL * most, "height": (_ROW + 2) * len(audit.examples)}
    return alt.layer(tokens, text).properties(**size)


def _bars(audit: TokenizerAudit) -> Iterator[dict[str, Any]]:
    """Give each token of each number; a gap is left between two."""
    for number, cut in audit.examples.items():
        width = len(number)
        for size, end in zip(cut, accumulate(cut), strict=True):
            yield {
                "width": width,
                "start": end - width - size + 0.07,
                "end": end - width - 0.07,
                "size": _SIZES[min(size, len(_SIZES)) - 1],
            }


def _characters(audit: TokenizerAudit) -> Iterator[dict[str, Any]]:
    for number in audit.examples:
        for place, digit in enumerate(number):
            width = len(number)
            yield {"width": width, "place": place - width + 0.5, "digit": digit}


def _places(audit: TokenizerAudit, has_legend: bool) -> Any:
    """Draw how often numbers of each width are cut before each place."""
    alt = altair()
    rows = [row for row in audit.widths if row.form == "alone" and row.width > 1]
    most = max((row.width for row in rows), default=1)
    return (
        alt.Chart(alt.Data(values=[cell for row in rows for cell in _cells(row)]))
        .mark_rect(stroke="white", strokeWidth=1)
        .encode(
            x=alt.X(
                "behind:O",
                sort="descending",
                axis=alt.Axis(title="digits to the right of the cut", labelAngle=0),
            ),
            y=alt.Y("width:O", axis=alt.Axis(title="digits", ticks=False)),
            color=alt.Color(
                "share:Q",
                scale=alt.Scale(domain=[0, 1], range=["#f2f2f2", "#0072B2"]),
                legend=alt.Legend(
                    title="numbers cut there", format=".0%", orient="top", gradientLength=200
                )
                if has_legend
                else None,
            ),
        )
        .properties(width=14 * most, height=(_ROW + 2) * len(audit.examples))
    )


def _cells(row: Width) -> Iterator[dict[str, Any]]:
    """Give the share of numbers that are cut with so many digits behind."""
    counts = dict.fromkeys(range(1, row.width), 0)
    for cut, count in row.patterns.items():
        for end in list(accumulate(cut))[:-1]:
            counts[row.width - end] += count
    for behind, count in counts.items():
        yield {"width": row.width, "behind": behind, "share": count / row.n}
