"""How many answers are right under each condition, and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tokkit.studies.frames import frame_of
from tokkit.studies.paired import share

if TYPE_CHECKING:
    import pandas

CONDITION: Mapping[str, str] = {
    "model": "model",
    "task": "task",
    "letters": "letters",
    "lengths": "lengths",
    "letters-per-token": "letters_per_token",
    "target": "target",
    "style": "prompt_style",
    "format": "input_format",
}
"""What tells conditions apart, and in which column of the rows that is."""
_MOST_BINS = 8


def count_cells(rows: "pandas.DataFrame", pool: Sequence[str] = ()) -> "pandas.DataFrame":
    """Count the answers of each condition.

    Args:
        rows: As `tokkit.studies.counting.scoring.judge` makes them.
        pool: Names in `CONDITION` over which cells are pooled.

    Returns:
        One line per cell, in order of appearance: the columns of `CONDITION` (not those that
        are pooled over); `n` answers, `k` of them right, `valid`, as the published scorer
        reads them; `accuracy`, invalid answers being wrong, and `accuracy_valid`, without
        them, with 95 % intervals (`_low`, `_high`: Wilson's, or drawn anew by string where one
        is asked more than once); `robust_k`, `robust_valid` and `robust_accuracy` of the
        robust reader; `under` and `over`, wrong answers on either side, and the
        `mean_difference`; of strings the `mean_edit_distance` and `same_letters`;
        `completion_tokens` per answer; measured letters per token of the string
        (`measured_letters_per_token`); `unanswered` requests, which are not among `n`.
    """
    keys = [column for name, column in CONDITION.items() if name not in pool]
    return _cells(rows, keys)


def break_down(
    rows: "pandas.DataFrame", by: Literal["length", "truth"], pool: Sequence[str] = ()
) -> "pandas.DataFrame":
    """Count the answers of each condition by the length of strings, or by the true number.

    Args:
        rows: See `count_cells`.
        by: What tells strings of one condition apart; if it has more than a few values, bins
            of equally many hold about equally many of them.
        pool: See `count_cells`.

    Returns:
        As `count_cells`, with `by`, the bin (such as ``10-12``), and `by_low`, its least value.
    """
    if not len(rows):
        return frame_of([])
    bins = _bins(rows[by].to_numpy(dtype=np.int64))
    keys = [column for name, column in CONDITION.items() if name not in pool]
    lows = [low for low, _ in bins]
    place = np.searchsorted(lows, rows[by].to_numpy(dtype=np.int64), side="right") - 1
    named = [f"{low}-{high}" if high > low else str(low) for low, high in bins]
    rows = rows.assign(
        **{"by": [named[each] for each in place], "by_low": [lows[each] for each in place]}
    )
    cells = _cells(rows.sort_values("by_low", kind="stable"), [*keys, "by", "by_low"])
    return cells


def _bins(values: np.ndarray) -> list[tuple[int, int]]:
    """Divide the values that occur into bins: the least and the largest of each."""
    known = np.unique(values)
    parts = np.array_split(known, min(_MOST_BINS, known.size))
    return [(int(part[0]), int(part[-1])) for part in parts]


def _cells(rows: "pandas.DataFrame", keys: Sequence[str]) -> "pandas.DataFrame":
    """Count the rows of each combination of keys."""
    groups = rows.groupby(list(keys), sort=False, dropna=False)
    return frame_of(
        {
            **{
                key: value if value == value else None
                for key, value in zip(keys, values, strict=True)
            },
            **_count(part),
        }
        for values, part in groups
    )


def _count(part: "pandas.DataFrame") -> dict[str, Any]:
    """Return the numbers and shares of one cell."""
    unanswered = int((~part["answered"]).sum())
    part = part[part["answered"]]
    right = {name: part[name].to_numpy(dtype=bool) for name in ("correct", "robust_correct")}
    valid = part["valid"].to_numpy(dtype=bool)
    strings = part.groupby("sample", sort=False).ngroup().to_numpy()
    off = part.loc[part["valid"] & (part["task"] == "count"), "difference"].astype(float)
    return {
        "n": len(part),
        "k": int(right["correct"].sum()),
        "valid": int(valid.sum()),
        **_share("accuracy", right["correct"], strings),
        **_share("accuracy_valid", right["correct"][valid], strings[valid]),
        "robust_k": int(right["robust_correct"].sum()),
        "robust_valid": int(part["robust_valid"].sum()),
        **_share("robust_accuracy", right["robust_correct"], strings),
        "under": int((off < 0).sum()) if len(off) else None,
        "over": int((off > 0).sum()) if len(off) else None,
        "mean_difference": _mean(off),
        "mean_edit_distance": _mean(part["edit_distance"]),
        "same_letters": _same(part["same_letters"]),
        "completion_tokens": _mean(part["completion_tokens"])
        if "completion_tokens" in part
        else None,
        "measured_letters_per_token": _letters_per_token(part),
        "unanswered": unanswered,
    }


def _share(name: str, right: Any, strings: Any) -> dict[str, float | None]:
    """Return a share with its interval, under three names."""
    found = share(right, strings)
    ends = {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    return {key: None if np.isnan(value) else value for key, value in ends.items()}


def _mean(values: "pandas.Series[Any]") -> float | None:
    mean = values.astype(float).mean()
    return None if np.isnan(mean) else float(mean)


def _same(values: "pandas.Series[Any]") -> int | None:
    known = values.dropna()
    return int(known.astype(bool).sum()) if len(known) else None


def _letters_per_token(part: "pandas.DataFrame") -> float | None:
    """Return how many letters the tokens hold that hold something of a string."""
    if not len(part) or part["sample_tokens"].isna().any():
        return None
    return float(part["length"].sum() / part["sample_tokens"].astype(float).sum())
