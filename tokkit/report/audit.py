"""Under-trained tokens as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tokkit.analysis.audit.undertrained_result import PERCENTILE, Undertrained
from tokkit.report.charts import altair, write_chart

_BINS = 80
_GROUPS = ("tokens that text gives", "candidates", "known to be unused")


def draw_undertrained(found: Undertrained, path: str | Path) -> Path:
    """Draw how the indicator is distributed, with candidates and unused rows marked.

    Args:
        found: What to draw.
        path: A ``.png``, ``.svg`` or ``.json`` (Vega-Lite) file.

    Raises:
        UsageError: If the suffix is another one.
        MissingExtraError: If altair or vl-convert is not installed.
    """
    return write_chart(chart_undertrained(found), path)


def chart_undertrained(found: Undertrained) -> Any:
    """Return the chart of `draw_undertrained`: counts on a scale of square roots."""
    alt = altair()
    color = alt.Color(
        "group:N",
        sort=list(_GROUPS),
        scale=alt.Scale(domain=list(_GROUPS)),
        legend=alt.Legend(title=None, orient="top"),
    )
    bars = (
        alt.Chart(alt.Data(values=_bins(found)))
        .mark_bar()
        .encode(
            x=alt.X("from:Q", title=found.main, scale=alt.Scale(nice=False, zero=False)),
            x2="to:Q",
            y=alt.Y("rows:Q", title="rows", scale=alt.Scale(type="sqrt"), stack=None),
            y2=alt.datum(0),
            color=color,
            opacity=alt.value(0.7),
        )
    )
    rule = (
        alt.Chart(alt.Data(values=[{"threshold": found.threshold}]))
        .mark_rule(strokeDash=[4, 3])
        .encode(x="threshold:Q")
    )
    title = {
        "text": f"{found.name}: how far rows are from untrained",
        "subtitle": f"dashed: {PERCENTILE:g} % of tokens are below",
    }
    return alt.layer(bars, rule).properties(width=480, height=240, title=title)


def _bins(found: Undertrained) -> list[dict[str, Any]]:
    """Count rows of each group between the same edges."""
    values = found.values
    others = np.setdiff1d(found.tested, found.candidates).tolist()
    groups: dict[str, Sequence[int]] = dict(
        zip(_GROUPS, (others, list(found.candidates), found.known), strict=True)
    )
    shown = values[[*found.tested.tolist(), *found.known]]
    edges = np.linspace(shown.min(), max(shown.max(), shown.min() + 1e-9), _BINS + 1)
    return [
        {"group": name, "from": float(low), "to": float(high), "rows": int(count)}
        for name, ids in groups.items()
        for low, high, count in zip(
            edges[:-1], edges[1:], np.histogram(values[list(ids)], edges)[0], strict=True
        )
        if count
    ]
