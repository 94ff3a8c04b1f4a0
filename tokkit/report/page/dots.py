"""A chart of a table: a line for each name, on it dots with their intervals.

Drawn as SVG whose colours are the page's, so that it is light and dark with it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokkit.report.page.kinds import Dots
from tokkit.report.page.markup import Markup, element, join
from tokkit.report.page.tables import Table

_RIGHT = 30
_WIDTH = 720
_TOP = 14
_LINE = 10
_GAP = 10
_AXIS = 44
_MOST_LINES = 120
_MOST_SERIES = 8
_LETTERS = 44
_LETTER = 7
"""Width of a letter, about."""


@dataclass(frozen=True)
class _Point:
    """One row of a table: the line it is on, its colour, its value and its interval."""

    line: str
    series: str
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, record: Mapping[str, str], dots: Dots, labels: Sequence[str]) -> "_Point":
        """Read a row whose value is a number."""
        named = [_label(name, record.get(name, "")) for name in labels]
        value = float(record[dots.value])
        before = "" if dots.value == "value" else f"{dots.value}_"
        low = _number(record.get(f"{before}low", ""))
        high = _number(record.get(f"{before}high", ""))
        return cls(
            line=", ".join(filter(None, named)),
            series=record.get(dots.series, ""),
            value=value,
            low=value if low is None else low,
            high=value if high is None else high,
        )

    def said(self) -> str:
        """Everything, for who points at it."""
        between = f" ({self.low:.4g} to {self.high:.4g})" if self.low < self.high else ""
        return f"{', '.join(filter(None, (self.line, self.series)))}: {self.value:.4g}{between}"


def _label(name: str, value: str) -> str:
    """Write a number with the name of its column."""
    return value if _number(value) is None else f"{name.replace('_', ' ')} {value}"


@dataclass(frozen=True)
class _Scale:
    """From values to places; `ticks` are round, the first one at the place `left`."""

    left: float
    low: float
    high: float
    ticks: tuple[float, ...]

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.left + share * (_WIDTH - self.left - _RIGHT)


def draw_dots(table: Table, dots: Dots) -> Markup | None:
    """Draw a chart of a table.

    Args:
        table: The table.
        dots: Which of its columns are drawn.

    Returns:
        None if it has not those columns, no numbers in them, or too many lines to be read.
    """
    if table.name != dots.table or dots.value not in table.columns:
        return None
    records = [
        each
        for each in table.records()
        if _number(each[dots.value]) is not None and _is_drawn(each, dots)
    ]
    if len(records) < 2:
        return None
    varied = [name for name in dots.labels if len({each.get(name) for each in records}) > 1]
    points = [_Point.of(each, dots, varied) for each in records]
    lines = _highest_first(points)
    series = list(dict.fromkeys(point.series for point in points))
    if len(lines) > _MOST_LINES or len(series) > _MOST_SERIES:
        return None
    if len({(point.line, point.series) for point in points}) < len(points):
        return None  # something else tells them apart
    chart = _chart(points, lines, series, dots.title)
    return join(_legend(series) if len(series) > 1 else None, chart)


def _is_drawn(record: Mapping[str, str], dots: Dots) -> bool:
    return not dots.only or record.get(dots.only[0]) == dots.only[1]


def _highest_first(points: Sequence[_Point]) -> list[str]:
    """Order lines by the values of the first series."""
    first: dict[str, float] = {}
    for point in points:
        first.setdefault(point.line, point.value)
    return sorted(first, key=lambda line: -first[line])


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _scale(values: Sequence[float], left: float) -> _Scale:
    """Choose round ticks around all values."""
    low, high = min(values), max(values)
    if high - low <= abs(high) * 1e-9:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    raw = (high - low) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(place * step for place in range(first, last + 1))
    return _Scale(left, ticks[0], ticks[-1], ticks)


def _chart(
    points: Sequence[_Point], lines: Sequence[str], series: Sequence[str], title: str
) -> Markup:
    left = 20 + _LETTER * min(_LETTERS, max(map(len, lines)))
    scale = _scale([value for each in points for value in (each.low, each.high)], left)
    each = _LINE * len(series) + _GAP
    bottom = _TOP + each * len(lines)
    grid = [_tick(scale(tick), bottom, f"{tick:.6g}") for tick in scale.ticks]
    names = [
        element(
            "text",
            element("title", name),
            name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…",
            x=left - 10,
            y=_TOP + each * (place + 0.5),
            class_="name",
        )
        for place, name in enumerate(lines)
    ]
    marks = [
        _mark(
            point,
            scale,
            _TOP + each * lines.index(point.line) + _GAP / 2,
            series.index(point.series),
        )
        for point in points
    ]
    axis = element("text", title, x=(left + _WIDTH - _RIGHT) / 2, y=bottom + 36, class_="axis")
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


def _mark(point: _Point, scale: _Scale, top: float, series: int) -> Markup:
    y = top + _LINE * (series + 0.5)
    low, high = f"{scale(point.low):.1f}", f"{scale(point.high):.1f}"
    return element(
        "g",
        element("title", point.said()),
        element("line", x1=low, x2=high, y1=y, y2=y, class_="interval"),
        element("circle", cx=f"{scale(point.value):.1f}", cy=y, r=4),
        class_=f"mark series-{series}",
    )


def _legend(series: Sequence[str]) -> Markup:
    items = [
        element("li", element("span", class_=f"swatch series-{place}"), name)
        for place, name in enumerate(series)
    ]
    return element("ul", *items, class_="legend")
