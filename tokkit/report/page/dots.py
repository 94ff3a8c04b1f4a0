"""A chart of a table: a line for each name, on it dots with their intervals.

Drawn as SVG whose colours are the page's, so that it is light and dark with it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tokkit.report.page.kinds import Dots
from tokkit.report.page.markup import Markup, element, join
from tokkit.report.page.tables import Table

_LEFT = 170
_RIGHT = 30
_WIDTH = 720
_TOP = 14
_LINE = 10
_GAP = 10
_AXIS = 44
_MOST_LINES = 120
_MOST_SERIES = 8
_LETTERS = 24


@dataclass(frozen=True)
class _Dot:
    line: int
    series: int
    value: float
    low: float
    high: float
    said: str


@dataclass(frozen=True)
class _Scale:
    """From values to places; `ticks` are round."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def draw_dots(table: Table, dots: Dots) -> Markup | None:
    """Draw a chart of a table.

    Args:
        table: The table.
        dots: Which of its columns are drawn.

    Returns:
        None if it has not those columns, no numbers in them, or too many lines to be read.
    """
    wanted = {dots.value, dots.label} | ({dots.series} if dots.series else set())
    if table.name != dots.table or not wanted <= set(table.columns):
        return None
    records = [each for each in table.records() if _number(each[dots.value]) is not None]
    lines = list(dict.fromkeys(each[dots.label] for each in records))
    series = list(dict.fromkeys(each.get(dots.series, "") for each in records))
    if not len(records) > 1 or not len(lines) <= _MOST_LINES or len(series) > _MOST_SERIES:
        return None
    if len(lines) * len(series) < len(records):  # something else tells them apart
        return None
    found = [_dot(each, dots, lines, series) for each in records]
    scale = _scale([each.low for each in found] + [each.high for each in found])
    chart = _chart(found, lines, series, scale, dots.title)
    return join(_legend(series) if dots.series and len(series) > 1 else None, chart)


def _dot(
    record: dict[str, str], dots: Dots, lines: Sequence[str], series: Sequence[str]
) -> _Dot:
    value = float(record[dots.value])
    low = _number(record.get(f"{dots.value}_low", ""))
    high = _number(record.get(f"{dots.value}_high", ""))
    name = record.get(dots.series, "")
    between = "" if low is None or high is None else f" ({low:.4g} to {high:.4g})"
    named = ", ".join(each for each in (record[dots.label], name) if each)
    return _Dot(
        lines.index(record[dots.label]),
        series.index(name),
        value,
        value if low is None else low,
        value if high is None else high,
        f"{named}: {value:.4g}{between}",
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _scale(values: Sequence[float]) -> _Scale:
    """Choose round ticks around all values."""
    low, high = min(values), max(values)
    if high - low <= abs(high) * 1e-9:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    raw = (high - low) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(place * step for place in range(first, last + 1))
    return _Scale(ticks[0], ticks[-1], ticks)


def _chart(
    found: Sequence[_Dot],
    lines: Sequence[str],
    series: Sequence[str],
    scale: _Scale,
    title: str,
) -> Markup:
    each = _LINE * len(series) + _GAP
    bottom = _TOP + each * len(lines)
    grid = [_tick(scale(tick), bottom, f"{tick:.6g}") for tick in scale.ticks]
    names = [
        element(
            "text",
            element("title", name),
            name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…",
            x=_LEFT - 10,
            y=_TOP + each * (place + 0.5),
            class_="name",
        )
        for place, name in enumerate(lines)
    ]
    marks = [_mark(dot, scale, each) for dot in found]
    axis = element("text", title, x=(_LEFT + _WIDTH - _RIGHT) / 2, y=bottom + 36, class_="axis")
    return element(
        "svg",
        *grid,
        *names,
        *marks,
        axis,
        viewBox=f"0 0 {_WIDTH} {bottom + _AXIS}",
        class_="dots",
        role="group",
        aria_label=f"{title}, chart; its numbers are in the table",
    )


def _tick(x: float, bottom: float, label: str) -> Markup:
    line = element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=_TOP - 6, y2=bottom, class_="grid")
    text = element("text", label, x=f"{x:.1f}", y=bottom + 16, class_="tick")
    return join(line, text)


def _mark(dot: _Dot, scale: _Scale, each: float) -> Markup:
    y = _TOP + each * dot.line + _GAP / 2 + _LINE * (dot.series + 0.5)
    low, high = f"{scale(dot.low):.1f}", f"{scale(dot.high):.1f}"
    return element(
        "g",
        element("title", dot.said),
        element("line", x1=low, x2=high, y1=y, y2=y, class_="interval"),
        element("circle", cx=f"{scale(dot.value):.1f}", cy=y, r=4),
        class_=f"mark series-{dot.series}",
    )


def _legend(series: Sequence[str]) -> Markup:
    items = [
        element("li", element("span", class_=f"swatch series-{place}"), name)
        for place, name in enumerate(series)
    ]
    return element("ul", *items, class_="legend")
