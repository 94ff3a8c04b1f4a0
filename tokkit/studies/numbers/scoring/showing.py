"""How scores look to people: tables of at most 80 columns."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from tokkit.studies.frames import lines_of
from tokkit.studies.numbers.scoring.cells import CONDITION
from tokkit.studies.numbers.scoring.comparing import COMPARE, describe_condition
from tokkit.studies.numbers.scoring.tables import (
    FORMATS,
    Line,
    crossed,
    decimal,
    interval,
    name_of,
    new_table,
    titled,
)

if TYPE_CHECKING:
    import pandas

    from tokkit.studies.numbers.scoring.scores import Scores

_TITLE = ("file", "model", "system_prompt")
_IN_NAME = (*COMPARE["format"], "preamble", "operation", "flip_problem", "flip_shots")
_SPELLED = (*FORMATS, "num_trailing_spaces")
"""What `describe_condition` has in one name."""
_MOST = 12
"""How many conditions a matrix has at most; more are a list."""


def show_scores(scores: "Scores") -> RenderableType:
    """Show cells, pooled cells, flags and comparisons."""
    matching = scores.cells["prompts_match_format"]
    return Group(
        Text(
            "n: answers; valid: those with just one number; k: correct ones. Accuracy is\n"
            "k / n, invalid answers being wrong, with its 95 % interval; of valid: k / valid;\n"
            "as asked counts those that are correct and in the format asked for."
        ),
        *_cell_tables(scores.cells[matching]),
        *_cell_tables(scores.pooled),
        *_mismatched(scores.cells[~matching]),
        *_flags(scores.flags),
        *_comparisons(scores),
    )


def _cell_tables(cells: "pandas.DataFrame") -> Iterator[RenderableType]:
    """Yield one table per file, model and system prompt."""
    if not len(cells):
        return
    extra = [
        name
        for name in _IN_NAME
        if name not in FORMATS and cells[name].nunique(dropna=False) > 1
    ]
    for values, own in cells.groupby(list(_TITLE), sort=False, dropna=False):
        named = dict(zip(_TITLE, tuple(values), strict=True))
        varying = [name for name in extra if own[name].nunique(dropna=False) > 1]
        named |= {name: own[name].iloc[0] for name in extra if name not in varying}
        title = _title(named, own["pooled_over"].iloc[0])
        yield _cell_table(lines_of(own), title, varying)


def _title(named: Line, pooled: dict[str, list[Any]] | None) -> str:
    parts = [_shown(name, value) for name, value in named.items() if value not in (None, "")]
    title = " · ".join(filter(None, parts))
    for name, values in (pooled or {}).items():
        title += f"\npooled over {name}: {', '.join(map(str, values))}"
    return title


def _cell_table(cells: Sequence[Line], title: str, extra: Sequence[str]) -> Group:
    names = ("shots", "n", "valid", "k", "accuracy [95 %]", "of\nvalid", "as\nasked")
    table = new_table("format", names)
    for cell in cells:
        table.add_row(
            name_of(cell, extra),
            _shots(cell),
            *(str(cell[name]) for name in ("n", "valid", "k")),
            interval(cell, "accuracy"),
            decimal(cell["accuracy_valid"]),
            str(cell["correct_and_format"]),
        )
    return titled(title, table)


def _mismatched(cells: "pandas.DataFrame") -> Iterator[RenderableType]:
    """Yield the table of cells whose prompts do not match their format."""
    if not len(cells):
        return
    title = (
        "Prompts that are NOT written in their stated format: in no pooled cell and no\n"
        "comparison. Any: as a reader finds that takes whatever separates the digits."
    )
    names = ("shots", "n", "valid", "k", "any:\nvalid", "any:\nk", "any: accuracy\n[95 %]")
    table = new_table("format", names)
    counts = ("n", "valid", "k", "agnostic_valid", "agnostic_correct")
    for cell in lines_of(cells):
        figures = (str(cell[name]) for name in counts)
        table.add_row(
            name_of(cell), _shots(cell), *figures, interval(cell, "agnostic_accuracy")
        )
    yield titled(title, table)


def _flags(flags: "pandas.DataFrame") -> Iterator[RenderableType]:
    """Yield one line per flag."""
    if not len(flags):
        yield Text("\nChecks of prompts and records: nothing found.")
        return
    yield Text("\nChecks of prompts and records", style="bold")
    for says, own in flags.groupby("says", sort=False):
        yield Text(f"{says}:")
        for flag in lines_of(own):
            formats = name_of(flag)
            place = f"{flag['file']}, prompt {flag['system_prompt']}, {formats}"
            example = f"such as {flag['example']}"
            yield Text(f"  {place}: {flag['rows']} of {flag['of']}, {example}")


def _comparisons(scores: "Scores") -> Iterator[RenderableType]:
    """Yield one table of differences per stratum."""
    pairs = scores.comparisons
    if not len(pairs):
        yield Text("\nNothing to compare: no two conditions were given the same problems.")
        return
    starred = int((pairs["p_holm"] < 0.05).sum())
    yield Text("\nComparisons on the same problems", style="bold")
    yield Text(
        "Accuracy of the row less that of the column, in points. Stars (* 0.05, ** 0.01,\n"
        "*** 0.001) are for exact McNemar tests after Holm's correction of all of them:\n"
        f"{len(pairs)} tests, {starred} with stars. ±: the smallest difference that so many "
        "problems\nshow with a power of 80 %, uncorrected, for the median pair."
    )
    shared = [name for name in CONDITION if name in pairs.columns]
    varying = [name for name in shared if pairs[name].nunique(dropna=False) > 1]
    overall = {_key(line, shared): line for line in lines_of(scores.overall)}
    for _, own in pairs.groupby(shared, sort=False, dropna=False):
        lines = lines_of(own)
        title = _stratum_title(lines[0], varying) or "all"
        yield from _stratum(lines, title, overall.get(_key(lines[0], shared)))


def _stratum_title(line: Line, varying: Sequence[str]) -> str:
    """Say what a stratum is of, by what tells strata apart."""
    formats = {name: line[name] for name in FORMATS if name in varying}
    parts = [describe_condition(formats)]
    parts += [_shown(name, line[name]) for name in varying if name not in _SPELLED]
    return ", ".join(filter(None, parts))


def _stratum(lines: list[Line], title: str, overall: Line | None) -> Iterator[Group]:
    problems = sorted({line["n"] for line in lines})
    title = f"{title}: n = {'–'.join(map(str, dict.fromkeys((problems[0], problems[-1]))))}"
    known = sorted(line["detectable"] for line in lines if _is_known(line["detectable"]))
    if known:
        title += f", ± {100 * known[len(known) // 2]:.0f}"
    if overall is not None:
        statistic = f"Cochran's Q({overall['degrees']}) = {overall['q']:.1f}"
        title += f", {statistic}, {_p(overall['p_value'])}"
    if 2 < len({name for line in lines for name in (line["first"], line["second"])}) <= _MOST:
        cells = [{**line, "condition": line["second"]} for line in lines]
        yield from crossed(cells, "first", title, _points)
    else:
        yield _pair_list(lines, title)


def _pair_list(lines: Sequence[Line], title: str) -> Group:
    figures = ("only\nfirst", "only\nsecond", "difference [95 %]", "p (Holm)")
    table = new_table("first", ("second", *figures), names=2)
    for line in lines:
        table.add_row(
            line["first"],
            line["second"],
            f"{line['only_first']}",
            f"{line['only_second']}",
            interval(line, "difference"),
            f"{line['p_holm']:.2g}{line['stars']}",
        )
    return titled(title, table)


def _points(line: Line) -> str:
    return f"{100 * line['difference']:+.0f}{line['stars']}"


def _shown(name: str, value: Any) -> str:
    """Say what a condition is; empty for what is not done."""
    if name == "num_shots":
        return f"{value} {'shot' if value == 1 else 'shots'}"
    if name in ("flip_problem", "flip_shots"):
        return name.replace("_", " ") if value else ""
    if name in ("file", "model"):
        return str(value)
    return f"prompt {value}" if name == "system_prompt" else describe_condition({name: value})


def _shots(cell: Line) -> str:
    return f"{cell['num_shots']}" if _is_known(cell["num_shots"]) else "all"


def _key(line: Line, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(line[name]) for name in names)


def _is_known(value: Any) -> bool:
    return value is not None and value == value


def _p(value: float) -> str:
    return f"p = {value:.2g}" if value >= 1e-4 else "p < 0.0001"
