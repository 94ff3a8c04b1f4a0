"""Figures of a counting study."""

from typing import TYPE_CHECKING, Any

from tokkit.report.charts import altair, bars_with_intervals
from tokkit.studies.counting.cells import CONDITION
from tokkit.studies.counting.forms import FORMS
from tokkit.studies.counting.scoring import CountingScores

if TYPE_CHECKING:
    import pandas

_ROW = "condition"
_SHARE = "share right"
_HEIGHT = 190


def draw_counting(scores: CountingScores) -> Any:
    """Draw accuracy by format; below it signed errors, and accuracy by the true number.

    Args:
        scores: What was found.

    Returns:
        A chart for `tokkit.report.charts.write_chart`.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    alt = altair()
    parts = [draw_accuracy(scores)]
    if len(scores.differences):
        parts += [draw_errors(scores), draw_truths(scores)]
    return alt.vconcat(*parts, spacing=30).resolve_scale(color="independent", x="independent")


def draw_accuracy(scores: CountingScores) -> Any:
    """Draw how many answers are right in each format, with 95 % intervals.

    Args:
        scores: What was found.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    alt = altair()
    frame = _label(scores.cells)
    several = frame[_ROW].nunique() > 1
    offset = {"xOffset": alt.XOffset("condition:N", sort=None)} if several else {}
    base = alt.Chart(frame).encode(
        x=alt.X(
            "input_format:N",
            sort=list(FORMS),
            title="how the string is written",
            axis=alt.Axis(labelAngle=0),
        ),
        **offset,
    )
    ends = ("accuracy", "accuracy_low", "accuracy_high")
    bars = bars_with_intervals(base, *ends, title=_SHARE, color=_color(frame))
    title = alt.TitleParams(
        "Accuracy by format",
        subtitle=f"{_describe(scores.cells)}; lines: 95 % intervals, invalid answers are wrong",
    )
    return bars.properties(title=title, width=640, height=_HEIGHT)


def draw_errors(scores: CountingScores) -> Any:
    """Draw how far wrong numbers are off, and to which side.

    Args:
        scores: What was found; numbers that are right are not drawn.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    alt = altair()
    frame = _label(scores.differences)
    frame = frame[frame["difference"] != 0]
    frame = frame.assign(difference=frame["difference"].clip(-_FURTHEST, _FURTHEST))
    keys = [_ROW, "input_format", "difference"]
    frame = frame.groupby(keys, sort=False)[["answers"]].sum().reset_index()
    frame = frame.assign(
        side=frame["difference"].map(lambda each: "too few" if each < 0 else "too many")
    )
    sides = alt.Scale(domain=["too few", "too many"], range=["#0072B2", "#D55E00"])
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X(
                "difference:O",
                title="answer less truth",
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y("answers:Q", title="answers"),
            color=alt.Color("side:N", scale=sides, legend=alt.Legend(title=None)),
            column=alt.Column("input_format:N", sort=list(FORMS), title=None, spacing=10),
        )
        .properties(
            title=f"Wrong numbers (±{_FURTHEST}: that far off or farther)",
            width=_column_width(frame),
            height=130,
        )
    )
    if frame[_ROW].nunique() < 2:
        return chart
    return chart.encode(row=alt.Row("condition:N", sort=None, title=None, spacing=10))


_FURTHEST = 6
"""Errors beyond are drawn with these."""


def draw_truths(scores: CountingScores) -> Any:
    """Draw how many answers are right by the true number, with 95 % intervals.

    Args:
        scores: What was found.

    Raises:
        MissingExtraError: If altair is not installed.
    """
    alt = altair()
    frame = _label(scores.truths)
    order = frame.sort_values("by_low", kind="stable")["by"].drop_duplicates().tolist()
    known = [form for form in FORMS if form in set(frame["input_format"])]
    legend = alt.Legend(title=None, symbolOpacity=1, symbolType="square")
    share = alt.Scale(domain=[0, 1])
    base = alt.Chart(frame).encode(
        x=alt.X("by:O", sort=order, title="true number", axis=alt.Axis(labelAngle=0)),
        color=alt.Color("input_format:N", sort=known, legend=legend),
    )
    lines = base.mark_line(point=True).encode(
        y=alt.Y("accuracy:Q", title=_SHARE, scale=share),
    )
    band = base.mark_area(opacity=0.15).encode(
        y=alt.Y("accuracy_low:Q", scale=share),
        y2="accuracy_high:Q",
    )
    several = frame[_ROW].nunique()
    width = 640 if several == 1 else 300
    chart = (band + lines).properties(width=width, height=_HEIGHT)
    if several == 1:
        return chart.properties(title="Accuracy by the true number")
    return chart.facet(
        facet=alt.Facet("condition:N", sort=None, title=None), columns=2
    ).properties(title="Accuracy by the true number")


def _label(frame: "pandas.DataFrame") -> "pandas.DataFrame":
    """Name the condition of each line by what differs, its format aside."""
    varying = _varying(frame)
    names = [
        ", ".join(filter(None, (_word(name, row[name]) for name in varying))) or "all"
        for row in frame.to_dict("records")
    ]
    if "input_format" not in frame:
        frame = frame.assign(input_format="all")
    return frame.assign(**{_ROW: names})


def _varying(frame: "pandas.DataFrame") -> list[str]:
    return [
        column
        for column in CONDITION.values()
        if column in frame
        and column != "input_format"
        and frame[column].nunique(dropna=False) > 1
    ]


def _word(name: str, value: Any) -> str:
    if name == "letters_per_token":
        return (
            f"{value} letter{'s' * (value != 1)} per token" if value == value else "unaligned"
        )
    return f"{value} letters" if name == "lengths" else str(value or "")


def _describe(cells: "pandas.DataFrame") -> str:
    """Say what all cells share."""
    shared = [
        str(cells[name].iloc[0])
        for name in ("model", "task", "prompt_style")
        if name in cells and cells[name].nunique(dropna=False) == 1 and cells[name].iloc[0]
    ]
    n = " to ".join(map(str, sorted({cells["n"].min(), cells["n"].max()})))
    return ", ".join([*shared, f"n = {n} per bar"])


def _color(frame: "pandas.DataFrame") -> Any:
    alt = altair()
    if frame[_ROW].nunique() < 2:
        return alt.value("#0072B2")
    return alt.Color("condition:N", sort=None, legend=alt.Legend(title=None))


def _column_width(frame: "pandas.DataFrame") -> float:
    return 620 / max(frame["input_format"].nunique(), 1) - 10
