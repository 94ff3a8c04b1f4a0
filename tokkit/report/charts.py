"""Charts as files: PNG for texts, SVG for the web, JSON (Vega-Lite) for more work."""

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from tokkit.errors import JobError, MissingExtraError, UsageError

SUFFIXES = (".png", ".svg", ".json")
_FONT = "Helvetica, Arial, sans-serif"
_STYLE: dict[str, Any] = {
    "background": "white",
    "font": _FONT,
    "title": {"anchor": "start", "fontSize": 14, "subtitleColor": "#555", "offset": 10},
    "axis": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal"},
    "legend": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal"},
    "header": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal"},
    "view": {"continuousWidth": 420, "continuousHeight": 260, "stroke": "#ddd"},
    # Okabe and Ito's colours, which people with any kind of colour vision tell apart.
    "range": {
        "category": [
            "#0072B2",
            "#D55E00",
            "#009E73",
            "#CC79A7",
            "#E69F00",
            "#56B4E9",
            "#000000",
            "#999999",
        ]
    },
}


def altair() -> ModuleType:
    """Import altair.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        import altair as module
    except ImportError:
        raise MissingExtraError("altair", "plots") from None
    return module


def bars_with_intervals(
    base: Any, share: str, low: str, high: str, *, title: str, **channels: Any
) -> Any:
    """Draw shares, from 0 to 1, as bars with their intervals.

    Args:
        base: A chart of altair that says where along the x-axis each bar is.
        share: The column of the shares.
        low: That of the lower ends of their intervals.
        high: That of the upper ends.
        title: Of the y-axis.
        **channels: What else altair encodes of the bars, such as their colour.
    """
    alt = altair()
    whole = alt.Scale(domain=[0, 1])
    bars = base.mark_bar().encode(alt.Y(f"{share}:Q", title=title, scale=whole), **channels)
    ends = base.mark_rule(strokeWidth=1.5).encode(
        alt.Y(f"{low}:Q", scale=whole), alt.Y2(f"{high}:Q"), color=alt.value("#333")
    )
    return bars + ends


def check_figure(path: str | Path) -> Path:
    """Return where a figure is to go, before hours of work are done for it.

    Raises:
        UsageError: If the suffix is none of `SUFFIXES`.
        MissingExtraError: If altair is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: a figure ends in one of {', '.join(SUFFIXES)}")
    altair()
    return path


def write_chart(chart: Any, path: str | Path, *, scale: float = 2.0) -> Path:
    """Write a chart of altair, in tokkit's style, so that the file is whole or not there.

    Args:
        chart: The chart.
        path: Where; the suffix says as what: ``.png``, ``.svg``, or ``.json`` (Vega-Lite).
        scale: How many pixels of a PNG a unit of the chart has.

    Raises:
        UsageError: If the suffix is another one.
        MissingExtraError: If vl-convert is not installed.
        JobError: If the chart cannot be drawn.
    """
    path = check_figure(path)
    content = _draw(
        chart.properties(**_with_style(chart)).to_dict(), path.suffix.lower(), scale
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        place.write_bytes(content)
        os.replace(place, path)
    finally:
        place.unlink(missing_ok=True)
    return path


def _with_style(chart: Any) -> dict[str, Any]:
    """Return the style as a property; what the chart itself configures comes first."""
    module = altair()
    own = chart.config.to_dict() if isinstance(chart.config, module.Config) else {}
    return {"config": module.Config.from_dict({**_STYLE, **own})}


def _draw(specification: dict[str, Any], suffix: str, scale: float) -> bytes:
    """Return the file's content."""
    if suffix == ".json":
        return (json.dumps(specification, indent=1, sort_keys=True) + "\n").encode()
    try:
        import vl_convert
    except ImportError:
        raise MissingExtraError("vl-convert-python", "plots") from None
    try:
        if suffix == ".svg":
            return str(vl_convert.vegalite_to_svg(specification)).encode()
        return bytes(vl_convert.vegalite_to_png(specification, scale=scale))
    except ValueError as error:
        raise JobError(f"the chart cannot be drawn: {error}") from error
