"""Whether conditions differ, on the same problems."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from tokkit.errors import UsageError
from tokkit.stats import (
    Interval,
    clustered_mean,
    cochran_q,
    detectable_difference,
    holm,
    mcnemar,
)
from tokkit.studies.numbers.scoring.cells import CONDITION, PROBLEM, by_condition, check_pool
from tokkit.studies.numbers.scoring.frames import frame_of

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
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
"""Marks for p-values after Holm's correction."""
_NAMES = ("stratum", "first", "second")


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
        Two frames. One line per pair: the `stratum` (what both share), the `first` and the
        `second` condition, `n` problems with answers under both; the `accuracy` of both;
        `only_first` and `only_second`, the problems solved under one only; the exact McNemar
        `p_value` and `p_holm`, `stars`; the `difference` (first less second) with its 95 %
        interval by problem; `detectable`, the smallest difference that so many problems with
        as many discordant ones show with a power of 80 % (not corrected; None: none). Then one
        line per stratum of three conditions or more: `conditions`, `n`, Cochran's `q`,
        `degrees`, `p_value`.

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
        pairs += [{**stratum, **line} for line in _pairs(table, seed)]
        overall += [{**stratum, **line} for line in _overall(table)]
    adjusted = holm([pair["p_value"] for pair in pairs])
    for pair, p_value in zip(pairs, adjusted, strict=True):
        pair["p_holm"] = p_value
        pair["stars"] = stars(p_value)
    return frame_of(pairs), frame_of(overall)


def stars(p_value: float) -> str:
    """Mark a corrected p-value: ``"***"`` below 0.001, ``"**"`` 0.01, ``"*"`` 0.05."""
    return next((mark for limit, mark in STARS if p_value < limit), "")


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


def _pairs(table: "pandas.DataFrame", seed: int) -> Iterator[dict[str, Any]]:
    """Yield the comparison of each two columns."""
    for first, second in combinations(table.columns, 2):
        both = table[[first, second]].dropna()
        if not len(both):
            continue
        one, other = both[first].to_numpy(), both[second].to_numpy()
        # With several answers to a problem: the condition with the larger share solved it.
        test = mcnemar(one > other, other > one)
        gap = _mean_interval(tuple(np.sort(one - other).tolist()), seed)
        yield {
            "first": first,
            "second": second,
            "n": len(both),
            "accuracy_first": float(one.mean()),
            "accuracy_second": float(other.mean()),
            "only_first": test.only_first,
            "only_second": test.only_second,
            "difference": gap.value,
            "difference_low": gap.low,
            "difference_high": gap.high,
            "p_value": test.p_value,
            "detectable": _detectable(len(both), test.only_first + test.only_second),
        }


@lru_cache(maxsize=1024)
def _mean_interval(differences: tuple[float, ...], seed: int) -> Interval:
    """Estimate the mean of one difference per problem; their order means nothing."""
    return clustered_mean(differences, np.arange(len(differences)), seed=seed)


@lru_cache(maxsize=1024)
def _detectable(pairs: int, discordant: int) -> float | None:
    """Return the smallest difference that is likely to show; None if not even the largest."""
    least = detectable_difference(pairs, discordant / pairs) if discordant else nan
    return None if isnan(least) else least


def _overall(table: "pandas.DataFrame") -> Iterator[dict[str, Any]]:
    """Yield Cochran's test of three conditions or more, on the problems that all have."""
    whole = table.dropna()
    if table.shape[1] > 2 and len(whole) and whole.isin([0.0, 1.0]).all(axis=None):
        test = cochran_q(whole.to_numpy() > 0.5)
        yield {
            "conditions": list(table.columns),
            "n": len(whole),
            "q": test.statistic,
            "degrees": test.degrees,
            "p_value": test.p_value,
        }
