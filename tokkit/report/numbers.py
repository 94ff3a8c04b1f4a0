"""A scored study of numbers as pictures: accuracy by format and shots, and where errors are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.errors import UsageError
from tokkit.report.charts import altair, write_chart
from tokkit.studies.frames import lines_of
from tokkit.studies.numbers.scoring import Scores
from tokkit.studies.numbers.scoring.breakdown import map_digits, map_digits_by_length
from tokkit.studies.numbers.scoring.cells import CONDITION
from tokkit.studies.numbers.scoring.tables import FORMATS, Line, name_of

if TYPE_CHECKING:
    import pandas

_SHADES = ("#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08306b")
"""For shots: the more, the darker."""
_PANEL = ("model", "system_prompt", "file")
_ROW = 46
_CELL = 26


def draw_accuracy(scores: Scores, path: str | Path) -> Path:
    """Draw the accuracy of each format by shots, with 95 % intervals.

    Args:
        scores: What to draw; pooled cells if there are any.
        path: A ``.png``, ``.svg`` or ``.json`` (Vega-Lite) file.

    Raises:
        UsageError: If the suffix is another one, or no prompts match their format.
        MissingExtraError: If altair or vl-convert is not installed.
    """
    return write_chart(chart_accuracy(scores), path)


def draw_errors(scores: Scores, path: str | Path) -> Path:
    """Draw how often each digit is wrong, by its place in the answer and in its token.

    Args:
        scores: What to draw.
        path: A ``.png``, ``.svg`` or ``.json`` (Vega-Lite) file.

    Raises:
        UsageError: If the suffix is another one, or there are no valid answers.
        MissingExtraError: If altair or vl-convert is not installed.
    """
    return write_chart(chart_errors(scores), path)


def chart_accuracy(scores: Scores) -> Any:
    """Return the chart of `draw_accuracy`: one panel per model, prompt and file."""
    cells = scores.pooled if len(scores.pooled) else scores.cells
    lines = lines_of(cells[cells["prompts_match_format"]])
    if not lines:
        raise UsageError("there is nothing to draw: no prompts match their stated format")
    panels: dict[str, list[Line]] = {}
    for line in lines:
        panels.setdefault(_panel(line), []).append(_point(line))
    alt = altair()
    shots = sorted({point["shots"] for own in panels.values() for point in own}, key=_order)
    charts = [_dots(name, own, shots) for name, own in panels.items()]
    title = alt.Title(
        "Accuracy by number format",
        subtitle="invalid answers are wrong; lines are 95 % intervals",
    )
    return alt.concat(*charts, columns=2, title=title).resolve_scale(color="shared")


def _point(line: Line) -> Line:
    shots = "all" if line["num_shots"] is None else f"{line['num_shots']}"
    return {
        "format": name_of(line, ("chunk_size",) if line["chunk_size"] != 3 else ()),
        "shots": shots,
        **{name: line[name] for name in ("n", "valid", "k", "accuracy")},
        "low": line["accuracy_low"],
        "high": line["accuracy_high"],
    }


def _panel(line: Line) -> str:
    return " · ".join(
        f"prompt {line[name]}" if name == "system_prompt" else str(line[name])
        for name in _PANEL
        if line[name] is not None
    )


def _dots(title: str, points: Sequence[Line], shots: Sequence[str]) -> Any:
    """Draw one panel: formats below each other, shots within each."""
    alt = altair()
    order = list(dict.fromkeys(point["format"] for point in points))
    shades = [_SHADES[-1 - min(place, 4)] for place in range(len(shots))][::-1]
    base = alt.Chart(alt.Data(values=list(points))).encode(
        y=alt.Y("format:N", sort=order, title=None, axis=alt.Axis(grid=True, labelLimit=220)),
        yOffset=alt.YOffset("shots:N", sort=list(shots)),
        color=alt.Color(
            "shots:N",
            scale=alt.Scale(domain=list(shots), range=shades),
            sort=list(shots),
            legend=alt.Legend(title="shots"),
        ),
    )
    whole = alt.Scale(domain=[0, 1], nice=False)
    dots = base.mark_point(filled=True, size=36, opacity=1).encode(
        x=alt.X("accuracy:Q", scale=whole, title="accuracy", axis=alt.Axis(format=".0%")),
        tooltip=["format:N", "shots:N", "n:Q", "valid:Q", "k:Q", "accuracy:Q"],
    )
    bars = base.mark_rule(strokeWidth=1.6).encode(
        x=alt.X("low:Q", scale=whole), x2=alt.X2("high:Q")
    )
    height = max(_ROW, 11 * len(shots)) * len(order)
    return (bars + dots).properties(
        width=330, height=height, title=alt.Title(title, fontSize=11, fontWeight="normal")
    )


def chart_errors(scores: Scores) -> Any:
    """Return the chart of `draw_errors`: conditions x places, over all prompts and shots."""
    alt = altair()
    rows = scores.rows[scores.rows["cell_matches_format"]]
    names = [
        name for name in ("model", *FORMATS) if rows[CONDITION[name]].nunique(dropna=False) > 1
    ]
    names = list(dict.fromkeys([*names, "problem_format"]))
    digits = [
        {**line, "format": name_of(line, names)} for line in lines_of(map_digits(rows, names))
    ]
    if not digits:
        raise UsageError("there is nothing to draw: no valid answer has the right length")
    formats = list(dict.fromkeys(line["format"] for line in digits))
    sides = {
        f"digit, from the {side}": [each for each in digits if each["counted_from"] == side]
        for side in ("left", "right")
    }
    charts = [_panels(sides, formats)]
    by_length = _by_length(rows, names)
    if all(by_length.values()):
        apart = "From the left, by whether an operand is as long as the answer"
        charts.append(_panels(by_length, formats).properties(title=apart))
    tokens: dict[str, list[Line]] = {}
    for each in sorted(digits, key=lambda line: line["token"] or 0):
        if each["counted_from"] == "token":
            digit = f"{each['digit']} of {each['of_token']}"
            tokens.setdefault(f"digit of token {each['token']}", []).append(
                {**each, "digit": digit}
            )
    if tokens:
        placed_by = f"By token: {scores.settings['tokens']}"
        charts.append(_panels(tokens, formats).properties(title=placed_by))
    title = alt.Title(
        "Where digits are wrong",
        subtitle="share of wrong digits in valid answers of the right length",
    )
    return alt.vconcat(*charts, title=title).resolve_scale(color="shared")


def _by_length(rows: "pandas.DataFrame", names: Sequence[str]) -> dict[str, list[Line]]:
    """Return wrong digits from the left, of answers of either kind."""
    titles = {True: "digit, one is as long", False: "digit, none is as long"}
    found: dict[str, list[Line]] = {title: [] for title in titles.values()}
    for line in lines_of(map_digits_by_length(rows, names)):
        if line["counted_from"] == "left":
            found[titles[line["len_match"]]].append({**line, "format": name_of(line, names)})
    return found


def _panels(lines: Mapping[str, Sequence[Line]], formats: Sequence[str]) -> Any:
    """Draw panels side by side, by their titles; only the first has the formats' names."""
    charts = [
        _heat(own, title, formats, has_names=number == 0)
        for number, (title, own) in enumerate(lines.items())
    ]
    return altair().hconcat(*charts)


def _heat(lines: Sequence[Line], title: str, formats: Sequence[str], *, has_names: bool) -> Any:
    """Draw shares as coloured cells."""
    alt = altair()
    places = sorted({line["digit"] for line in lines}, key=_order)
    names = ("format", "digit", "n", "k", "rate")
    shown = [{name: line[name] for name in names} for line in lines]
    base = alt.Chart(alt.Data(values=shown)).encode(
        x=alt.X("digit:O", sort=places, title=title, axis=alt.Axis(labelAngle=0)),
        y=alt.Y(
            "format:N",
            scale=alt.Scale(domain=list(formats)),
            title=None,
            axis=alt.Axis(labelLimit=220, labels=has_names, ticks=has_names),
        ),
    )
    colour = alt.Color(
        "rate:Q",
        scale=alt.Scale(range=["#f7fbff", "#08306b"], domain=[0, 1]),
        legend=alt.Legend(
            title="wrong", format=".0%", orient="top", gradientLength=240, values=[0, 0.5, 1]
        ),
    )
    cells = base.mark_rect().encode(color=colour, tooltip=["format:N", "k:Q", "n:Q", "rate:Q"])
    text = base.mark_text(fontSize=9).encode(
        text=alt.Text("rate:Q", format=".0%"),
        color=alt.condition("datum.rate > 0.35", alt.value("white"), alt.value("#333")),
    )
    width = _CELL * (1.4 if all(isinstance(place, int) for place in places) else 1.8)
    return (cells + text).properties(width=width * len(places), height=_CELL * len(formats))


def _order(text: Any) -> tuple[int, Any]:
    """Put numbers in order, before words."""
    shown = str(text)
    return (0, int(shown)) if shown.isdigit() else (1, shown)
