"""Scoring a study of numbers: from recorded answers to everything that is said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.errors import CorpusError
from tokkit.studies.frames import json_lines, lines_of
from tokkit.studies.numbers.rows import read_rows
from tokkit.studies.numbers.scoring.breakdown import (
    count_kinds,
    map_digits,
    map_digits_by_length,
    place_digits,
    split_accuracy,
)
from tokkit.studies.numbers.scoring.cells import (
    CONDITION,
    check_pool,
    count_cells,
    label_prompts,
    problem_ids,
)
from tokkit.studies.numbers.scoring.checks import find_flags, misses_format
from tokkit.studies.numbers.scoring.comparing import compare
from tokkit.studies.numbers.scoring.positions import cut_by_groups, cut_by_tokenizer
from tokkit.studies.numbers.scoring.reading import read_answers
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType


@dataclass(frozen=True)
class Scores:
    """What a study of numbers has found; every frame is tidy.

    Attributes:
        rows: One line per answer: what was asked, what came, and what is wrong with it; see
            `tokkit.studies.numbers.scoring.reading.read_answers`.
        cells: One line per condition; see `tokkit.studies.numbers.scoring.cells.count_cells`.
        pooled: The same pooled over what was asked for; empty if nothing was.
        errors: One line per condition and kind of error; see
            `tokkit.studies.numbers.scoring.breakdown.count_kinds`.
        splits: Accuracy by length match and by carries; see `split_accuracy` there.
        digits: Wrong digits by where they are; see `map_digits` there.
        digits_by_length: The same by length match; see `map_digits_by_length` there.
        comparisons: One line per pair of conditions; see
            `tokkit.studies.numbers.scoring.comparing.compare`.
        overall: Cochran's test of each stratum.
        flags: What is wrong with prompts and records; see
            `tokkit.studies.numbers.scoring.checks.find_flags`.
        prompts: The system prompt that each label stands for.
        settings: How this was scored.
    """

    rows: "pandas.DataFrame"
    cells: "pandas.DataFrame"
    pooled: "pandas.DataFrame"
    errors: "pandas.DataFrame"
    splits: "pandas.DataFrame"
    digits: "pandas.DataFrame"
    digits_by_length: "pandas.DataFrame"
    comparisons: "pandas.DataFrame"
    overall: "pandas.DataFrame"
    flags: "pandas.DataFrame"
    prompts: dict[str, str]
    settings: dict[str, Any]

    @property
    def frames(self) -> dict[str, "pandas.DataFrame"]:
        """All frames by name."""
        return {name: getattr(self, name) for name in _FRAMES}

    def as_json(self) -> dict[str, Any]:
        """Everything but the rows, as JSON."""
        frames = {
            name: json_lines(each) for name, each in self.frames.items() if name != "rows"
        }
        return {"settings": self.settings, "prompts": self.prompts, **frames}

    def __rich__(self) -> "RenderableType":
        from tokkit.studies.numbers.scoring.showing import show_scores

        return show_scores(self)


_FRAMES = (
    "rows",
    "cells",
    "pooled",
    "errors",
    "splits",
    "digits",
    "digits_by_length",
    "comparisons",
    "overall",
    "flags",
)


def score_files(
    paths: str | Path | Sequence[str | Path],
    *,
    tokenizer: Tokenizer | None = None,
    pool: Sequence[str] = (),
    compare_by: str = "format",
    seed: int = 0,
) -> Scores:
    """Score recorded answers: the published tables, or what `tokkit numbers run` wrote.

    Args:
        paths: CSV, JSON lines or parquet files.
        tokenizer: See `score`.
        pool: See `score`.
        compare_by: See `score`.
        seed: See `score`.

    Raises:
        CorpusError: If a file cannot be read, or has no answers.
        UsageError: If there is nothing to pool over or to compare by that is called so.
    """
    return score(
        read_rows(paths), tokenizer=tokenizer, pool=pool, compare_by=compare_by, seed=seed
    )


def score(
    frame: "pandas.DataFrame",
    *,
    tokenizer: Tokenizer | None = None,
    pool: Sequence[str] = (),
    compare_by: str = "format",
    seed: int = 0,
) -> Scores:
    """Score answers.

    Args:
        frame: One row per answer, as `tokkit.studies.numbers.rows.read_rows` gives it.
        tokenizer: Of the model, to say in which token which digit is; without it the groups in
            which an answer is written are taken for its tokens.
        pool: Names in `tokkit.studies.numbers.scoring.cells.CONDITION` to pool over as well.
            Comparisons are then of pooled conditions.
        compare_by: One of `tokkit.studies.numbers.scoring.comparing.COMPARE`.
        seed: Of the bootstrap.

    Raises:
        CorpusError: If no row has an answer.
        UsageError: If there is nothing to pool over or to compare by that is called so.
    """
    import pandas

    own = check_pool(pool)
    rows = read_rows_of(frame, tokenizer)
    comparisons, overall = compare(rows, compare_by, pool, seed=seed)
    names = [name for name in CONDITION if name not in own]
    usable = rows[rows["cell_matches_format"]] if own else rows
    texts = dict.fromkeys(rows["system_prompt"])
    return Scores(
        rows=rows,
        cells=count_cells(rows),
        pooled=count_cells(rows, pool) if pool else pandas.DataFrame(),
        errors=count_kinds(usable, names),
        splits=split_accuracy(usable, names),
        digits=map_digits(usable, names),
        digits_by_length=map_digits_by_length(usable, names),
        comparisons=comparisons,
        overall=overall,
        flags=find_flags(rows, tokenizer),
        prompts={label: text for text, label in label_prompts(texts).items()},
        settings={
            "pool": list(pool),
            "compare_by": compare_by,
            "seed": seed,
            "level": 0.95,
            "tokenizer": tokenizer.digest if tokenizer else None,
            "tokens": "as the tokenizer cuts answers" if tokenizer else "groups as written",
        },
    )


def read_rows_of(
    frame: "pandas.DataFrame", tokenizer: Tokenizer | None = None
) -> "pandas.DataFrame":
    """Read all answers, and say which rows' prompts match their stated format.

    Returns:
        The rows as `read_answers` gives them, with `prompt_label`, `problem_id`,
        `prompt_matches_format`, `cell_matches_format` (whether all prompts of the row's
        condition do), and what `place_digits` says of tokens.

    Raises:
        CorpusError: If no row has an answer.
    """
    rows = read_answers(frame)
    if not rows["answered"].any():
        raise CorpusError("no row has a response: ask a model first, with `tokkit numbers run`")
    labels = label_prompts(rows["system_prompt"])
    rows["prompt_label"] = rows["system_prompt"].map(labels)
    for name in ("repeat_problem_number_format", "preamble"):
        rows[name] = rows[name].astype(object).where(rows[name] != "", None)
    rows["problem_id"] = problem_ids(rows)
    rows["prompt_matches_format"] = [not misses_format(row) for row in lines_of(rows)]
    columns = list(CONDITION.values())
    cells = rows.groupby(columns, sort=False, dropna=False)["prompt_matches_format"]
    rows["cell_matches_format"] = cells.transform("all")
    cut = cut_by_groups if tokenizer is None else cut_by_tokenizer(tokenizer)
    return rows.assign(**{str(name): each for name, each in place_digits(rows, cut).items()})
