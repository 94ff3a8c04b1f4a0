"""Studies of numbers whose answers are made up."""

import numpy as np

from tokkit.studies.numbers.problems import Problem
from tokkit.studies.numbers.row_columns import COLUMNS
from tokkit.studies.numbers.rows import frame_of, style_of


def problems(count, digits=(7, 10), operation="+", seed=0):
    """Problems with operands of several lengths."""
    random = np.random.default_rng(seed)
    lengths = random.integers(*digits, size=(count, 2))
    return [
        Problem(*(int(random.integers(10 ** (n - 1), 10**n)) for n in pair), operation)
        for pair in lengths.tolist()
    ]


def row(problem, answer, number_format="nosep", **columns):
    """One row, with its problem put as it says and its answer written in its format."""
    base = {
        "num1": problem.num1,
        "num2": problem.num2,
        "operation": problem.operation,
        "problem_number_format": number_format,
        "answer_number_format": number_format,
        "model": "made-up",
        "file": "made-up.csv",
        "key": f"{number_format}:{problem}",
        **columns,
    }
    style = style_of({name: column.default for name, column in COLUMNS.items()} | base)
    written = answer if isinstance(answer, str) else style.answer.write(answer)
    return {"problem_msg": style.ask(problem), "response": written, **base}


def study(answers_by_format, asked, **columns):
    """A study that asks the same problems in several formats."""
    return frame_of(
        row(problem, answer(problem), number_format, problem_index=index, **columns)
        for number_format, answer in answers_by_format.items()
        for index, problem in enumerate(asked)
    )
