"""How the scores of a counting study look to people."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tokkit.studies.counting.cells import CONDITION
from tokkit.studies.frames import lines_of

if TYPE_CHECKING:
    import pandas

    from tokkit.studies.counting.scoring import CountingScores

Line = dict[str, Any]
_TITLE = ("model", "task", "letters", "lengths")
"""What is said above a table rather than in its rows."""
_NAMED = ("prompt_style", "target")
"""What is said there where it is the same in all rows."""
_NAMES = {
    "prompt_style": "style",
    "input_format": "format",
    "letters_per_token": "aligned",
}
_LEGEND = (
    "Of n answers, valid have a number after Result:, and k are right. Accuracy is\n"
    "k / n in percent, invalid answers being wrong, with its 95 % interval; valid\n"
    "% is k / valid; robust is that of a reader which takes numbers however they are\n"
    "written; few:many are numbers too small and too large; tokens, an answer's."
)


def show_scores(scores: "CountingScores") -> RenderableType:
    """Show cells and comparisons."""
    parts: list[RenderableType] = [Text(_LEGEND)]
    keys = [name for name in _TITLE if name in scores.cells]
    for values, cells in scores.cells.groupby(keys, sort=False, dropna=False):
        same = {name: cells[name].iloc[0] for name in _NAMED if _is_constant(cells, name)}
        parts.append(_cell_table(cells, _title(dict(zip(keys, values, strict=True)) | same)))
    return Group(*parts, *_comparisons(scores))


def _title(named: Line) -> str:
    """Name what all cells of a table share."""
    strings = [f"strings of {named['letters']}"] if "letters" in named else []
    lengths = [f"{named['lengths']} letters"] if "lengths" in named else []
    target = [f"target {named['target']}"] if named.get("target") else []
    style = [named["prompt_style"]] if "prompt_style" in named else []
    model = named.get("model") or "model not named"
    parts = [model, named.get("task"), *style, *target, *strings, *lengths]
    return " · ".join(str(part) for part in parts if part)


def _cell_table(cells: "pandas.DataFrame", title: str) -> Table:
    """Return one row per cell."""
    lines = lines_of(cells)
    names = _names(cells)
    figures = [name for name, (is_shown, _) in _FIGURES.items() if any(map(is_shown, lines))]
    if "letters_per_token" in names and "letters/token" in figures:
        figures.remove("letters/token")  # written raw, it is what they were made for
    table = _table(title, [*(_NAMES.get(name, name) for name in names)], figures)
    for line in lines:
        shown = (_FIGURES[name][1](line) for name in figures)
        table.add_row(*(_text(line[name]) for name in names), *shown)
    return table


def _names(cells: "pandas.DataFrame") -> list[str]:
    """Return the columns that tell the cells of a table apart, or are always shown."""
    known = [name for name in CONDITION.values() if name in cells and name not in _TITLE]
    return [name for name in known if name == "input_format" or not _is_constant(cells, name)]


def _is_constant(cells: "pandas.DataFrame", name: str) -> bool:
    return name in cells and cells[name].nunique(dropna=False) == 1


def _comparisons(scores: "CountingScores") -> Iterator[RenderableType]:
    """Yield one row per pair of conditions."""
    pairs = scores.comparisons
    if not len(pairs):
        yield Text("No two conditions were tried on the same strings.")
        return
    starred = int((pairs["stars"] != "").sum())
    shared = [name for name in CONDITION.values() if name in pairs]
    names = [name for name in shared if pairs[name].nunique(dropna=False) > 1]
    n = " to ".join(str(each) for each in sorted({pairs["n"].min(), pairs["n"].max()}))
    table = _table(
        f"On the same strings, n = {n}: exact McNemar tests, {starred} of {len(pairs)} starred "
        "after\nHolm's correction (* 0.05, ** 0.01, *** 0.001). 1st:2nd are right in one only.",
        [*(_NAMES.get(name, name) for name in names), "first", "second"],
        ["1st:2nd", "difference [95 %]", "p", "Holm"],
    )
    for line in lines_of(pairs):
        table.add_row(
            *(_text(line[name]) for name in [*names, "first", "second"]),
            f"{line['only_first']}:{line['only_second']}",
            _interval(line, "difference"),
            f"{line['p_value']:.2g}",
            f"{line['p_holm']:.2g}{line['stars']:<3}",
        )
    yield table
    for line in lines_of(scores.overall):
        what = ", ".join(filter(None, (_text(line[name]) for name in names))) or "all"
        yield Text(
            f"{what}: Cochran's Q({line['degrees']}) = {line['q']:.1f} over "
            f"{', '.join(map(str, line['conditions']))} (n = {line['n']}), "
            f"p = {line['p_value']:.3g}"
        )


def _table(title: str, names: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for name in names:
        table.add_column(name, no_wrap=True)
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _is_missing(value: Any) -> bool:
    return value is None or value != value


def _text(value: Any) -> str:
    if _is_missing(value):
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _count(value: Any) -> str:
    return "–" if _is_missing(value) else f"{int(value)}"


def _decimal(value: Any, places: int) -> str:
    return "–" if _is_missing(value) else f"{value:.{places}f}"


def _percent(value: Any) -> str:
    return "–" if _is_missing(value) else f"{100 * value:.1f}"


def _interval(line: Line, name: str) -> str:
    ends = f"{_percent(line[f'{name}_low'])}, {_percent(line[f'{name}_high'])}"
    return "–" if _is_missing(line[name]) else f"{_percent(line[name])} [{ends}]"


def _always(line: Line) -> bool:
    return True


def _has(name: str) -> Callable[[Line], bool]:
    return lambda line: not _is_missing(line[name])


_FIGURES: Mapping[str, tuple[Callable[[Line], bool], Callable[[Line], str]]] = {
    "k/valid/n": (_always, lambda line: f"{line['k']}/{line['valid']}/{line['n']}"),
    "accuracy [95 %]": (_always, lambda line: _interval(line, "accuracy")),
    "valid %": (
        lambda line: bool(line["valid"] < line["n"]),
        lambda line: _percent(line["accuracy_valid"]),
    ),
    "robust": (
        lambda line: bool(line["robust_k"] != line["k"]),
        lambda line: _percent(line["robust_accuracy"]),
    ),
    "few:many": (
        _has("under"),
        lambda line: f"{_count(line['under'])}:{_count(line['over'])}",
    ),
    "edits": (_has("mean_edit_distance"), lambda line: _decimal(line["mean_edit_distance"], 1)),
    "same letters": (_has("same_letters"), lambda line: _count(line["same_letters"])),
    "tokens": (_has("completion_tokens"), lambda line: _decimal(line["completion_tokens"], 1)),
    "letters/token": (
        _has("measured_letters_per_token"),
        lambda line: _decimal(line["measured_letters_per_token"], 2),
    ),
    "no answer": (
        lambda line: bool(line["unanswered"]),
        lambda line: _count(line["unanswered"]),
    ),
}
"""What is said of a cell: by which name, whether it is worth a column, and how."""
