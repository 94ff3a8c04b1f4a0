"""The problems, examples and prompts of arXiv 2402.14903, as they were asked.

Singh and Strouse, "Tokenization counts: the impact of tokenization on arithmetic in frontier
LLMs" (2024). What is generated here equals the published tables row by row; where the scripts
of its repository (aadityasingh/TokenizationCounts) differ from the tables, the tables count.
Of five tables there is no public content: theirs is what the scripts would ask.

The ``foo_r2l`` condition is kept as it was asked: its groups are separated by ``oof``, because
the script reversed the separator with the digits. Its prompts do not match their format.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import PurePath
from typing import Any

from tokkit.studies.numbers.formats import NumberFormat
from tokkit.studies.numbers.generating import Generated
from tokkit.studies.numbers.prompts import Style
from tokkit.studies.numbers.rows import frame_of
from tokkit.studies.numbers.singh2024_experiments import (
    EXPERIMENTS,
    Experiment,
    find_experiment,
)
from tokkit.studies.numbers.singh2024_sampling import (
    PROBLEM_SEED,
    SHOTS_SEED,
    sample_examples,
    sample_problems,
)


def generate_published(names: Sequence[str] = (), *, plain: bool = False) -> Generated:
    """Generate the rows of published tables, without their answers.

    Args:
        names: Keys of `EXPERIMENTS`, or what the tables are called; all if empty.
        plain: Whether problems are put as texts to continue, which the study did not do.

    Returns:
        Rows in the order of the tables, as `tokkit.studies.numbers.rows` describes them.

    Raises:
        UsageError: If there is no such experiment.
    """
    found = dict.fromkeys(find_experiment(name) for name in names or EXPERIMENTS)
    unlike = [
        each.problems
        for each in found
        for condition in each.conditions()
        if _as_asked(condition.style) != condition.style
    ]
    frame = frame_of(row for each in found for row in _rows(each, plain))
    return Generated(frame, unlike_format=sum(unlike))


def _rows(experiment: Experiment, plain: bool) -> Iterator[dict[str, Any]]:
    problems = sample_problems(experiment.lengths, experiment.problems)
    examples = cache(lambda shots: sample_examples(experiment.lengths, problems, shots))
    stem, number = PurePath(experiment.file).stem, 0
    for condition in experiment.conditions():
        style = _as_asked(condition.style)
        for index, (problem, own) in enumerate(
            zip(problems, examples(condition.shots), strict=True)
        ):
            yield {
                **condition.row(index, problem, own, style=style, plain=plain),
                "problem_rng_key": PROBLEM_SEED,
                "shots_rng_key": SHOTS_SEED,
                "file": experiment.file,
                "key": f"{stem}:{number}",
            }
            number += 1


def _as_asked(style: Style) -> Style:
    """Reverse the separators of groups counted from the right, as the study's script did."""

    def reverse(written: NumberFormat) -> NumberFormat:
        from_right = written.direction == "r2l"
        return replace(written, separator=written.separator[::-1]) if from_right else written

    return replace(style, query=reverse(style.query), answer=reverse(style.answer))
