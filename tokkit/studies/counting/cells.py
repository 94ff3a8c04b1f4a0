"""How many answers are right under each condition, and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.studies.frames import frame_of
from tokkit.studies.paired import share_columns

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
    told: dict[str, NDArray[Any]] = {name: _numbers(rows, name) for name in _TOLD}
    told["string"] = rows.groupby("sample", sort=False).ngroup().to_numpy()
    answered = rows["answered"].to_numpy(dtype=bool)
    cell = rows.groupby(list(keys), sort=False, dropna=False).ngroup().to_numpy()
    lines = []
    for first in np.unique(cell, return_index=True)[1]:
        inside = cell == cell[first]
        own = {name: values[inside & answered] for name, values in told.items()}
        shared = {name: rows[name].iloc[first] for name in keys}
        named = {name: each if each == each else None for name, each in shared.items()}
        unanswered = int((inside & ~answered).sum())
        lines.append({**named, **_count(own), "unanswered": unanswered})
    return frame_of(lines)


_TOLD = (
    "correct",
    "valid",
    "robust_correct",
    "robust_valid",
    "difference",
    "edit_distance",
    "same_letters",
    "completion_tokens",
    "length",
    "sample_tokens",
)
"""The columns that figures are made of."""


def _numbers(rows: "pandas.DataFrame", name: str) -> NDArray[np.float64]:
    """Return a column; what is missing or unknown is not a number."""
    if name not in rows:
        return np.full(len(rows), np.nan)
    return rows[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _count(told: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return the numbers and shares of one cell."""
    right, robust, valid = (told[name] > 0 for name in ("correct", "robust_correct", "valid"))
    strings, off = told["string"], told["difference"]
    counted = not np.isnan(off).all()
    same = told["same_letters"]
    return {
        "n": right.size,
        "k": int(right.sum()),
        "valid": int(valid.sum()),
        **share_columns("accuracy", right, strings),
        **share_columns("accuracy_valid", right[valid], strings[valid]),
        "robust_k": int(robust.sum()),
        "robust_valid": int(told["robust_valid"].sum()),
        **share_columns("robust_accuracy", robust, strings),
        "under": int((off < 0).sum()) if counted else None,
        "over": int((off > 0).sum()) if counted else None,
        "mean_difference": _mean(off),
        "mean_edit_distance": _mean(told["edit_distance"]),
        "same_letters": None if np.isnan(same).all() else int(np.nansum(same)),
        "completion_tokens": _mean(told["completion_tokens"]),
        "measured_letters_per_token": _letters_per_token(told),
    }


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _letters_per_token(told: Mapping[str, NDArray[Any]]) -> float | None:
    """Return how many letters the tokens hold that hold something of a string."""
    tokens = told["sample_tokens"]
    if not tokens.size or np.isnan(tokens).any():
        return None
    return float(told["length"].sum() / tokens.sum())
