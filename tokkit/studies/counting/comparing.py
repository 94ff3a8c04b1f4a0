"""Whether conditions differ, on the same strings."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tokkit.stats import holm
from tokkit.studies.counting.cells import CONDITION
from tokkit.studies.frames import frame_of
from tokkit.studies.paired import compare_all, compare_pairs, stars

if TYPE_CHECKING:
    import pandas


def compare(
    rows: "pandas.DataFrame", by: str = "format", pool: Sequence[str] = (), *, seed: int = 0
) -> tuple["pandas.DataFrame", "pandas.DataFrame"]:
    """Compare all pairs of conditions that were tried on the same strings.

    Invalid answers are wrong, as the published scorer reads them. All pairs of one call are one
    family: stars are for what is left after Holm's correction.

    Args:
        rows: As `tokkit.studies.counting.scoring.judge` makes them.
        by: The name in `CONDITION` that tells the two apart; all others are equal.
        pool: Names that are neither compared nor held equal: a question about another target,
            for instance, is then another problem of the same string.
        seed: Of the bootstrap.

    Returns:
        Two frames. One line per pair: what both share (columns of `CONDITION`), what
        `tokkit.studies.paired.compare_pairs` says of them, `p_holm` and `stars`. Then one line
        per Cochran's test: what is shared, and what `compare_all` says there.
    """
    shared = [column for name, column in CONDITION.items() if name not in {by, *pool}]
    pooled = [column for name, column in CONDITION.items() if name in pool and name != by]
    pairs: list[dict[str, Any]] = []
    overall: list[dict[str, Any]] = []
    for values, part in rows[rows["answered"]].groupby(shared, sort=False, dropna=False):
        stratum = dict(zip(shared, values, strict=True))
        table = _table(part, CONDITION[by], pooled)
        strings = table.index.get_level_values("sample")
        clusters = np.unique(strings, return_inverse=True)[1]
        pairs += [{**stratum, **pair} for pair in compare_pairs(table, clusters, seed=seed)]
        whole = compare_all(table)
        if whole is not None:
            overall.append({**stratum, **whole})
    for pair, p_value in zip(pairs, holm([each["p_value"] for each in pairs]), strict=True):
        pair |= {"p_holm": p_value, "stars": stars(p_value)}
    return frame_of(pairs), frame_of(overall)


def _table(part: "pandas.DataFrame", by: str, pooled: Sequence[str]) -> "pandas.DataFrame":
    """Return the share of right answers, problems x conditions, in order of appearance."""
    problem = ["sample", *pooled]
    shares = part.assign(correct=part["correct"].astype(float)).pivot_table(
        index=problem, columns=by, values="correct", aggfunc="mean", sort=False, dropna=False
    )
    return shares.dropna(how="all")
