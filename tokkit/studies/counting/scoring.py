"""Scoring a counting study: from answers to everything that is said of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tokkit.errors import CorpusError, UsageError
from tokkit.studies.counting.answers import read_answer
from tokkit.studies.counting.cells import CONDITION, break_down, count_cells
from tokkit.studies.counting.comparing import compare
from tokkit.studies.counting.strings import edit_distance, first_difference, same_letters
from tokkit.studies.frames import frame_of, json_lines, lines_of

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType


@dataclass(frozen=True)
class CountingScores:
    """What a counting study has found; every frame is tidy.

    Attributes:
        rows: One line per request: what was asked, what came, and what is wrong with it; see
            `judge`.
        cells: One line per condition; see `tokkit.studies.counting.cells.count_cells`.
        lengths: The same by the length of strings, in bins; see `break_down` there.
        truths: The same by the true number; none of tasks without one.
        differences: How often each signed error occurs in each condition: `difference`
            (answer less truth) and `answers`.
        comparisons: One line per pair of conditions on the same strings; see
            `tokkit.studies.counting.comparing.compare`.
        overall: Cochran's test where there are three conditions or more.
        notes: What could not be read, or fits nothing.
    """

    rows: "pandas.DataFrame"
    cells: "pandas.DataFrame"
    lengths: "pandas.DataFrame"
    truths: "pandas.DataFrame"
    differences: "pandas.DataFrame"
    comparisons: "pandas.DataFrame"
    overall: "pandas.DataFrame"
    notes: list[str] = field(default_factory=list)

    @property
    def frames(self) -> dict[str, "pandas.DataFrame"]:
        """All frames by name."""
        return {name: getattr(self, name) for name in _FRAMES}

    def as_json(self) -> dict[str, Any]:
        """Everything but the rows, as JSON."""
        frames = {
            name: json_lines(each) for name, each in self.frames.items() if name != "rows"
        }
        return {**frames, "notes": self.notes}

    def __rich__(self) -> "RenderableType":
        from tokkit.studies.counting.showing import show_scores

        return show_scores(self)


_FRAMES = (
    "rows",
    "cells",
    "lengths",
    "truths",
    "differences",
    "comparisons",
    "overall",
)


def score(
    rows: "pandas.DataFrame",
    *,
    compare_by: str = "format",
    pool: Sequence[str] = (),
    notes: Sequence[str] = (),
    seed: int = 0,
) -> CountingScores:
    """Score answers.

    Args:
        rows: As `row_files.read_rows` or `rows.add_answers` of this package makes them.
        compare_by: What tells conditions apart that are compared: a name of
            `tokkit.studies.counting.cells.CONDITION`.
        pool: Names of it that are pooled over.
        notes: What is to be said of the rows.
        seed: Of what is drawn for intervals.

    Raises:
        CorpusError: If there are no answers, or one question of a model has two.
        UsageError: If there is nothing to compare by or to pool over that is called so.
    """
    for name in (compare_by, *pool):
        if name not in CONDITION:
            known = ", ".join(CONDITION)
            raise UsageError(f"{name!r} does not tell conditions apart: take one of {known}")
    judged = judge(rows)
    comparisons, overall = compare(judged, compare_by, pool, seed=seed)
    counted = judged[judged["task"] == "count"]
    return CountingScores(
        rows=judged,
        cells=count_cells(judged, pool),
        lengths=break_down(judged, "length", pool),
        truths=break_down(counted, "truth", pool),
        differences=_differences(counted, pool),
        comparisons=comparisons,
        overall=overall,
        notes=list(notes),
    )


def judge(rows: "pandas.DataFrame") -> "pandas.DataFrame":
    """Say of each answer whether it is right, and what is wrong with it.

    Returns:
        The rows, and: `answered`; `answer`, what the published scorer reads; whether it is
        `valid` and `correct`; the same of the robust one (`robust_answer`, `robust_valid`,
        `robust_correct`); `difference`, the answer less the truth; of strings `edit_distance`,
        `same_letters` (the same ones in any order) and `first_wrong`, a place from 0.

    Raises:
        CorpusError: If there are no answers, or one question of a model has two.
    """
    if "response" not in rows or not len(rows):
        raise CorpusError("there are no answers to score: ask for them first")
    if "model" not in rows:
        rows = rows.assign(model="")
    rows = rows.assign(model=rows["model"].fillna(""))
    asked = [*CONDITION.values(), "sample"]
    double = rows.duplicated(asked)
    if double.any():
        twice = rows[double].iloc[0]
        raise CorpusError(
            f"{twice['key']!r} is answered twice ({twice.get('file') or twice['model']!r} has "
            "the second answer): score the files one by one"
        )
    verdicts = frame_of(_judge(row) for row in lines_of(rows))
    return rows.assign(**{str(name): verdicts[name].to_numpy() for name in verdicts})


def _judge(row: dict[str, Any]) -> dict[str, Any]:
    """Return the verdict on one row."""
    response, truth = row["response"], row["truth"]
    answered = isinstance(response, str)
    cut_off = row.get("finish_reason") == "length"
    text = response if answered else ""
    found = read_answer(row["task"], text, row["sample"], cut_off=cut_off)
    verdict: dict[str, Any] = {
        "answered": answered,
        "answer": found.published,
        "valid": answered and found.published is not None,
        "correct": answered and found.published == truth,
        "robust_answer": found.robust,
        "robust_valid": answered and found.robust is not None,
        "robust_correct": answered and found.robust == truth,
        "difference": None,
        "edit_distance": None,
        "same_letters": None,
        "first_wrong": None,
    }
    if isinstance(found.published, int):
        verdict["difference"] = found.published - truth
    elif isinstance(found.published, str):
        verdict["edit_distance"] = edit_distance(found.published, truth)
        verdict["same_letters"] = same_letters(found.published, truth)
        verdict["first_wrong"] = first_difference(found.published, truth)
    return verdict


def _differences(rows: "pandas.DataFrame", pool: Sequence[str]) -> "pandas.DataFrame":
    """Count the signed errors of each condition."""
    keys = [column for name, column in CONDITION.items() if name not in pool]
    lines = []
    for values, part in rows[rows["valid"]].groupby(keys, sort=False, dropna=False):
        found, counts = np.unique(
            part["difference"].to_numpy(dtype=np.int64), return_counts=True
        )
        condition = dict(zip(keys, values, strict=True))
        lines += [
            {**condition, "difference": int(difference), "answers": int(count)}
            for difference, count in zip(found, counts, strict=True)
        ]
    return frame_of(lines)
