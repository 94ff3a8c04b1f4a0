"""Whether conditions differ, on the same problems."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tokkit.errors import UsageError
from tokkit.stats import holm
from tokkit.studies.frames import frame_of
from tokkit.studies.numbers.scoring.cells import CONDITION, PROBLEM, by_condition, check_pool
from tokkit.studies.paired import compare_all, compare_pairs, stars

if TYPE_CHECKING:
    import pandas

COMPARE: dict[str, tuple[str, ...]] = {
    "format": (
        "problem_format",
        "repeat_format",
        "answer_format",
        "chunk_size",
        "num_spaces",
        "num_trailing_spaces",
    ),
    "shots": ("num_shots",),
    "model": ("model",),
    "prompt": ("system_prompt",),
    "file": ("file",),
}
"""What may be compared: the names of `CONDITION` that tell the conditions apart; all others are
the same in both."""


def compare(
    rows: "pandas.DataFrame",
    by: str = "format",
    pool: Sequence[str] = (),
    *,
    seed: int = 0,
) -> tuple["pandas.DataFrame", "pandas.DataFrame"]:
    """Compare all pairs of conditions that were given the same problems.

    Invalid answers are wrong. Conditions whose prompts do not match their format take no part.
    All pairs of one call are one family: stars are for what is left after Holm's correction.

    Args:
        rows: As `tokkit.studies.numbers.scoring.score` makes them.
        by: One of `COMPARE`.
        pool: Names in `CONDITION` that are neither compared nor held equal.
        seed: Of the bootstrap.

    Returns:
        Two frames. One line per pair: what both share (columns of `CONDITION`), what
        `tokkit.studies.paired.compare_pairs` says of them, `p_holm` and `stars`. Then one line
        per Cochran's test: what is shared, and what `compare_all` says there.

    Raises:
        UsageError: If `by` or `pool` names something else.
    """
    if by not in COMPARE:
        raise UsageError(f"cannot compare by {by!r}: take one of {', '.join(COMPARE)}")
    pooled = check_pool(pool)
    told_apart = [name for name in COMPARE[by] if name not in pooled]
    shared = [name for name in CONDITION if name not in {*COMPARE[by], *pooled}]
    pairs: list[dict[str, Any]] = []
    overall: list[dict[str, Any]] = []
    for stratum, table in _tables(rows[rows["cell_matches_format"]], shared, told_apart):
        pairs += [{**stratum, **pair} for pair in compare_pairs(table, seed=seed)]
        whole = compare_all(table)
        if whole is not None:
            overall.append({**stratum, **whole})
    for pair, p_value in zip(pairs, holm([each["p_value"] for each in pairs]), strict=True):
        pair |= {"p_holm": p_value, "stars": stars(p_value)}
    return frame_of(pairs), frame_of(overall)


def _tables(
    rows: "pandas.DataFrame", shared: list[str], told_apart: list[str]
) -> Iterator[tuple[dict[str, Any], "pandas.DataFrame"]]:
    """Yield each stratum with a table of problems x conditions: the share answered rightly."""
    rows = rows[rows["answered"]]
    rows = rows.assign(
        condition_name=condition_names(rows, told_apart),
        right=rows["answer_match"].astype(float),
    )
    for stratum, part in by_condition(rows, shared):
        means = part.groupby([*PROBLEM, "condition_name"], sort=False, dropna=False)["right"]
        table = means.mean().unstack()
        if table.shape[1] > 1:
            order = dict.fromkeys(part["condition_name"])
            yield stratum, table[list(order)]


def condition_names(rows: "pandas.DataFrame", names: Sequence[str]) -> "pandas.Series[str]":
    """Name the condition of each row, by what differs anywhere: ``"comma_r2l+2"``."""
    import pandas

    varying = [name for name in names if rows[CONDITION[name]].nunique(dropna=False) > 1]
    found = pandas.Series("", index=rows.index, dtype=object)
    for named, part in by_condition(rows, list(dict.fromkeys([*names[:1], *varying]))):
        found[part.index] = describe_condition(named)
    return found


def describe_condition(named: dict[str, Any]) -> str:
    """Write a condition for people.

    Formats of problem, repetition and answer are one name if they are equal, and an arrow
    between them if not: ``"nosep → comma_r2l → nosep"``. Spaces are added as the study does:
    ``"nosep+1"``.
    """
    named = {name: value for name, value in named.items() if value == value}
    formats = [named.get("problem_format")]
    for name in ("repeat_format", "answer_format"):
        if named.get(name) and (name == "repeat_format" or named[name] != formats[0]):
            formats.append(named[name])
    if named.get("repeat_format") and len(formats) == 2:
        formats.append(named.get("answer_format", formats[0]))
    text = " → ".join(str(each) for each in formats if each)
    if named.get("num_spaces"):
        text += f"+{named['num_spaces']:g}"
    known = {"problem_format", "repeat_format", "answer_format", "num_spaces", "file"}
    rest = [
        f"{name.replace('num_', '').replace('_', ' ')} {value}"
        for name, value in named.items()
        if name not in known | {"num_trailing_spaces", "model", "system_prompt"}
        and value is not None
    ]
    plain = [str(named[name]) for name in ("file", "model", "system_prompt") if named.get(name)]
    return ", ".join(filter(None, [text, *plain, *rest]))
