"""The figure of a study that trains models from scratch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tokkit.report.charts import altair, bars_with_intervals
from tokkit.studies.scratch.results import Study

if TYPE_CHECKING:
    import pandas

_BASES: Mapping[str, str] = {
    "step": "steps",
    "tokens": "tokens read",
    "seconds": "seconds of training",
}
_MEASURES: Mapping[str, str] = {"accuracy": "share right", "bits_per_byte": "bits per byte"}
_WIDTH, _HEIGHT = 210, 190


def draw_scratch(study: Study) -> Any:
    """Draw how models learn, and what they have right in the end.

    Above there are the curves over steps, tokens and time: a thin line per model, a thick one
    for the mean of the seeds. Below, where answers are right or wrong, there is how many are
    right of each kind and digit, with intervals as wide as `Study.pooled` gives them.

    Args:
        study: What was found.

    Returns:
        A chart for `tokkit.report.charts.write_chart`.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    alt = altair()
    color = alt.Color(
        "tokenization:N",
        sort=list(study.plan.tokenizations),
        legend=alt.Legend(title=None, symbolOpacity=1),
    )
    frame = study.frame()
    curves = alt.hconcat(*(_curves(study, frame, basis, color) for basis in _BASES))
    seeds = f"{study.plan.seeds} seed{'s' if study.plan.seeds > 1 else ''}"
    title = alt.TitleParams(
        f"The same decoder trained from scratch: {study.plan.task}",
        subtitle=f"thick: mean of {seeds}; thin: each of them",
    )
    if not study.parts:
        return curves.properties(title=title)
    is_digit = {part: part.startswith("digit ") for part in study.parts}
    below = alt.hconcat(
        _shares(study, [part for part in study.parts if not is_digit[part]], "", color),
        _shares(
            study,
            [part for part in study.parts if is_digit[part]],
            "digit of the answer, 1 is the last",
            color,
        ),
    )
    # Bars are as wide as the number of their own groups allows.
    below = below.resolve_scale(xOffset="independent")
    return alt.vconcat(curves, below).properties(title=title)


def _curves(study: Study, frame: "pandas.DataFrame", basis: str, color: Any) -> Any:
    """Draw values over steps, tokens or time."""
    alt = altair()
    value = study.measure
    is_share = value == "accuracy"
    scale = alt.Scale(domain=[0, 1]) if is_share else alt.Scale(zero=False)
    title = _MEASURES[value] if basis == "step" else None
    axes = {
        "x": alt.X(f"{basis}:Q", title=_BASES[basis], axis=alt.Axis(format="~s", tickCount=4)),
        "y": alt.Y(f"{value}:Q", title=title, scale=scale),
        "color": color,
    }
    means = frame.groupby(["tokenization", "step"], sort=False)[[*_means(basis), value]].mean()
    thin = alt.Chart(frame).mark_line(opacity=0.3, strokeWidth=1)
    thick = alt.Chart(means.reset_index()).mark_line(strokeWidth=2.5)
    layers = thin.encode(**axes, detail="seed:N") + thick.encode(**axes)
    return layers.properties(width=_WIDTH, height=_HEIGHT)


def _means(basis: str) -> list[str]:
    """Return what is averaged beside the value: seeds differ a little in tokens and time."""
    return [] if basis == "step" else [basis]


def _shares(study: Study, parts: list[str], title: str, color: Any) -> Any:
    """Draw how many answers of each kind or digit are right."""
    import pandas

    alt = altair()
    rows = [
        {
            "tokenization": name,
            "part": _label(part),
            **_interval(study, name, part),
        }
        for name in study.plan.tokenizations
        for part in parts
    ]
    axis = alt.Axis(labelAngle=0, title=title or None)
    base = alt.Chart(pandas.DataFrame(rows)).encode(
        x=alt.X("part:N", sort=[_label(part) for part in parts], axis=axis),
        xOffset=alt.XOffset("tokenization:N", sort=list(study.plan.tokenizations)),
        color=color,
    )
    bars = bars_with_intervals(base, "share", "low", "high", title="share right")
    return bars.properties(width=1.5 * _WIDTH + 25, height=_HEIGHT)


def _label(part: str) -> str:
    return part.removeprefix("digit ")


def _interval(study: Study, name: str, part: str) -> dict[str, float]:
    """Return a share and its interval."""
    found = study.pooled(name, part)
    return {"share": found.value, "low": found.low, "high": found.high}
