"""How many answers are right under each condition, and how sure that is.

Every cell counts invalid answers as wrong (`accuracy`) and leaves them out (`accuracy_valid`);
the published figures of arXiv 2402.14903 leave them out.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tokkit.errors import UsageError
from tokkit.studies.frames import frame_of
from tokkit.studies.paired import share_columns

if TYPE_CHECKING:
    import pandas

CONDITION = {
    "file": "file",
    "model": "model",
    "system_prompt": "prompt_label",
    "operation": "operation",
    "problem_format": "problem_number_format",
    "repeat_format": "repeat_problem_number_format",
    "answer_format": "answer_number_format",
    "chunk_size": "chunk_size",
    "num_spaces": "num_spaces",
    "num_trailing_spaces": "num_trailing_spaces",
    "num_shots": "num_shots",
    "flip_problem": "flip_problem",
    "flip_shots": "flip_shots",
    "preamble": "preamble",
}
"""What a cell is of, and in which column of the rows that is."""
PROBLEM = ("problem_index", "operation", "num1", "num2")
"""What makes two answers ones to the same problem."""
_FOLLOWS = {"num_spaces": "num_trailing_spaces"}
"""What is pooled along, because it changes with the other."""
_LABELS = {
    "": "none",
    "You are a helpful assistant.": "default",
    "You are MathGPT, an expert at solving math problems. When given a math problem, you "
    "respond only with the answer. You do not say any other words.": "MathGPT",
    "You are MathGPT, an expert at solving math problems. You do not say any other "
    "words.": "MathGPT-short",
    "You are MathGPT, an expert at solving math problems. When given a math problem, you "
    "respond only by repeating the problem statement and appending the answer. You do not say "
    "any other words.": "MathGPT-repeat",
}
_LABEL_LENGTH = 24


def label_prompts(texts: Iterable[str]) -> dict[str, str]:
    """Name system prompts shortly: those of the study by its names, others by their beginning.

    Returns:
        From each text to its label, in order of appearance. Different texts have different
        labels.
    """
    labels: dict[str, str] = {}
    for text in dict.fromkeys(texts):
        label = _LABELS.get(text) or " ".join(text.split())
        if len(label) > _LABEL_LENGTH:
            label = label[: _LABEL_LENGTH - 1].rstrip() + "…"
        if label in labels.values():
            label += hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
        labels[text] = label
    return labels


def count_cells(rows: "pandas.DataFrame", pool: Sequence[str] = ()) -> "pandas.DataFrame":
    """Count the answers of each condition.

    Args:
        rows: As `tokkit.studies.numbers.scoring.score` makes them.
        pool: Names in `CONDITION` over which cells are pooled. Pooled cells leave out rows
            whose prompts do not match their stated format.

    Returns:
        One line per cell, in order of appearance: the columns of `CONDITION` (None for what is
        pooled over); `n` answers, `k` of them `correct` (`k` is the same number, as tables
        have it), `valid`, `format_match`, `correct_and_format`; `accuracy` and
        `accuracy_valid` with their 95 % intervals (`_low`, `_high`; Wilson's, or drawn anew by
        problem where a problem is answered more than once: `interval` says which); the same
        of `agnostic` reading; `repeat_copy` and `repeat_format_match`; `prompts_match_format`;
        means of what log probabilities say.

    Raises:
        UsageError: If `pool` names something else.
    """
    own = check_pool(pool)
    if own:
        rows = rows[rows["cell_matches_format"]]
    cells = []
    for named, part in by_condition(rows, [name for name in CONDITION if name not in own]):
        condition = {name: named.get(name) for name in CONDITION}
        pooled = {name: _in_order(part[CONDITION[name]]) for name in pool}
        cells.append({**condition, "pooled_over": pooled or None, **_count(part)})
    return frame_of(cells)


def by_condition(
    rows: "pandas.DataFrame", names: Sequence[str]
) -> Iterator[tuple[dict[str, Any], "pandas.DataFrame"]]:
    """Yield the rows of each condition, in order of appearance, under what they share.

    Args:
        rows: The rows.
        names: Names in `CONDITION`.
    """
    columns = [CONDITION[name] for name in names]
    if not columns:
        yield {}, rows
        return
    for values, part in rows.groupby(columns, sort=False, dropna=False):
        known: tuple[Any, ...] = tuple(values)
        known = tuple(None if value != value else value for value in known)
        yield dict(zip(names, known, strict=True)), part


def check_pool(pool: Sequence[str]) -> list[str]:
    """Return what is pooled over, and what changes along with it.

    Raises:
        UsageError: If a name is not in `CONDITION`.
    """
    for name in pool:
        if name not in CONDITION:
            raise UsageError(f"cannot pool over {name!r}: take one of {', '.join(CONDITION)}")
    return [*pool, *(_FOLLOWS[name] for name in pool if name in _FOLLOWS)]


def problem_ids(rows: "pandas.DataFrame") -> "pandas.Series[int]":
    """Return a number for the problem of each row: equal numbers, equal problems."""
    return rows.groupby(list(PROBLEM), sort=False, dropna=False).ngroup()


def _in_order(values: Iterable[Any]) -> list[Any]:
    """Return the different values: numbers by size, texts by their letters."""
    return sorted(set(values), key=lambda value: (type(value).__name__, value))


def _count(part: "pandas.DataFrame") -> dict[str, Any]:
    """Return the counts and shares of one cell."""
    matches, unanswered = part["prompt_matches_format"].all(), int((~part["answered"]).sum())
    part = part[part["answered"]]
    correct = part["answer_match"].to_numpy(dtype=bool)
    valid = part["valid_answer"].to_numpy(dtype=bool)
    agnostic = part["agnostic_match"].to_numpy(dtype=bool)
    problems = part["problem_id"].to_numpy()
    repeats = part["repeat_copy_match"].notna().any()
    own: dict[str, Any] = {
        "n": len(part),
        "valid": int(valid.sum()),
        "k": int(correct.sum()),
        "correct": int(correct.sum()),
        "format_match": int(part["format_match"].sum()),
        "correct_and_format": int(part["formatted_answer_match"].sum()),
        "problems": len(np.unique(problems)),
        "unanswered": unanswered,
        "prompts_match_format": bool(matches),
    }
    own["interval"] = "wilson" if own["problems"] == own["n"] else "bootstrap by problem"
    own |= share_columns("accuracy", correct, problems)
    own |= share_columns("accuracy_valid", correct[valid], problems[valid])
    own["agnostic_valid"] = int(part["agnostic_valid"].sum())
    own["agnostic_correct"] = int(agnostic.sum())
    own |= share_columns("agnostic_accuracy", agnostic, problems)
    for name in ("repeat_copy_match", "repeat_format_match"):
        own[name] = int(part[name].fillna(False).astype(bool).sum()) if repeats else None
    for name in ("answer_logprob", "mean_logprob", "top5_entropy"):
        mean = part[name].astype(float).mean()
        own[name] = None if np.isnan(mean) else float(mean)
    return own
