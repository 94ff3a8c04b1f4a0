"""The rows of a study of numbers: one per request, with its answer once there is one.

A row has the columns of the tables published with arXiv 2402.14903, and a few more:
`tokkit.studies.numbers.row_columns.COLUMNS` lists them. Files are CSV, JSON lines or parquet;
the published tables are read as they are.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.errors import CorpusError
from tokkit.results import write_table
from tokkit.studies.asking.recorded import COLUMNS as ANSWER
from tokkit.studies.asking.recorded import write_columns
from tokkit.studies.asking.request import Answer, Decoding, Message, Request
from tokkit.studies.frames import lines_of
from tokkit.studies.numbers.formats import parse_format
from tokkit.studies.numbers.problems import Problem, read_solved
from tokkit.studies.numbers.prompts import Style
from tokkit.studies.numbers.row_columns import (
    COLUMNS,
    read_column,
    to_column,
    to_objects,
)
from tokkit.studies.table_files import Table, read_table

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]


def read_rows(paths: str | Path | Sequence[str | Path]) -> "pd.DataFrame":
    """Read rows.

    Args:
        paths: Files that end in .csv, .jsonl or .parquet; one below the other.

    Returns:
        All `COLUMNS`, then any others the files have. Keys that several files have begin with
        the names of the files. Texts are Python strings and integers
        are Python integers of any size (columns of type object where values may be missing:
        None). An answer nobody gave is None; one of no characters is empty, which a CSV file
        shows by its `completion_tokens`.

    Raises:
        CorpusError: If a file cannot be read, has no operands, or has a value that cannot be.
    """
    import pandas as pd

    files = [paths] if isinstance(paths, str | Path) else list(paths)
    frames = [complete_rows(read_table(Path(path)), Path(path)) for path in files]
    frame = pd.concat(frames, ignore_index=True)
    if frame["key"].duplicated().any():
        stems = (Path(path).stem for path in files)
        pairs = zip(stems, frames, strict=True)
        named = [f"{stem}:{key}" for stem, own in pairs for key in own["key"]]
        frame["key"] = to_objects(named)
    return frame


def frame_of(rows: Iterable[Row]) -> "pd.DataFrame":
    """Return rows as a table with all `COLUMNS`, those a row does not have by default."""
    import pandas as pd

    given = list(rows)
    names = dict.fromkeys([*COLUMNS, *(name for row in given for name in row)])
    table = {}
    for name in names:
        default = COLUMNS[name].default if name in COLUMNS else None
        table[name] = to_column(name, [row.get(name, default) for row in given])
    return pd.DataFrame(table)


def write_rows(frame: "pd.DataFrame", path: Path) -> None:
    """Write rows as what the name of a file ends in: .csv, .jsonl or .parquet.

    In JSON lines `messages` are lists. The file is there as a whole or not at all.

    Raises:
        UsageError: If the name ends in something else.
        MissingExtraError: If pyarrow is not installed, which writes parquet.
    """
    if path.suffix == ".jsonl":
        frame = unpack_messages(frame)
    if path.suffix == ".parquet":
        for name in ("num1", "num2"):
            if max(frame[name], default=0) >= 2**63:  # parquet has no larger integers
                frame = frame.assign(**{name: frame[name].map(str)})
    write_table(frame, path)


def unpack_messages(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return rows whose `messages` are lists, not JSON as text."""
    texts = frame["messages"]
    chats = [json.loads(each) if isinstance(each, str) else None for each in texts]
    return frame.assign(messages=to_objects(chats).set_axis(frame.index))


def requests_of(frame: "pd.DataFrame", decoding: Decoding | None = None) -> list[Request]:
    """Return what is asked, one request per row.

    Args:
        frame: As `read_rows` gives it.
        decoding: How answers are drawn. A row's own `max_tokens` goes before it, and a text
            that is continued ends with its line unless it has a `stop`.

    Returns:
        Requests whose facts are `truth`, `formatted_truth`, `answer_format`, `chunk_size`,
        `problem` (equal for equal problems however they are put), `operation`, `num1`, `num2`.

    Raises:
        CorpusError: If two rows have one key.
    """
    double = frame["key"].duplicated()
    if double.any():
        key = frame.loc[double, "key"].iloc[0]
        raise CorpusError(
            f"two rows have the key {key!r}: give each file once, and files different names"
        )
    decoding = decoding or Decoding()
    return [_request(row, decoding) for row in lines_of(frame)]


def add_answers(
    frame: "pd.DataFrame", answers: Sequence[Answer | None], model: str | None
) -> "pd.DataFrame":
    """Return rows with the answers to them, in the same order.

    Args:
        frame: As `read_rows` gives it.
        answers: One per row.
        model: Who gave them; None: the one that a row names already.
    """
    columns = [write_columns(answer) for answer in answers]
    new = {name: [each[name] for each in columns] for name in ANSWER}
    if model is not None:
        new["model"] = [model] * len(frame)
    return frame.assign(
        **{name: to_objects(values).set_axis(frame.index) for name, values in new.items()}
    )


def problem_of(row: Row) -> Problem:
    """Return the problem of a row."""
    return Problem(int(row["num1"]), int(row["num2"]), row["operation"])


def style_of(row: Row) -> Style:
    """Return how the problem of a row is put, as its columns say."""
    size = int(row["chunk_size"])
    repeat = row["repeat_problem_number_format"]
    return Style(
        query=parse_format(row["problem_number_format"], size),
        answer=parse_format(row["answer_number_format"], size),
        repeat=parse_format(repeat, size) if repeat else None,
        spaces=int(row["num_spaces"]),
        trailing_spaces=int(row["num_trailing_spaces"]),
        system_prompt=row["system_prompt"],
        preamble=row["preamble"],
    )


def examples_of(row: Row) -> list[Problem]:
    """Return the examples of a row as they are shown: flipped if they are to be."""
    examples = read_solved(row["shots"])
    return [each.flipped for each in examples] if row["flip_shots"] else examples


def documented_messages(row: Row) -> tuple[Message, ...]:
    """Return the chat that the columns of a row describe.

    What was sent may be something else: its `messages`, or its `problem_msg`.
    """
    return style_of(row).chat(problem_of(row), examples_of(row))


def complete_rows(table: Table, path: Path) -> "pd.DataFrame":
    """Make values of what a file has, and add what it does not have, as `read_rows` says."""
    import pandas as pd

    count = len(next(iter(table.values())))
    _fold_repeat_style(table)
    if path.suffix == ".csv":
        _keep_answers(table)
    found: dict[str, Any] = {}
    for name, column in COLUMNS.items():
        if name not in table and column.default is ...:
            raise CorpusError(f"{path} has no column {name!r}: a row needs its operands")
        given = table.get(name) or [None] * count
        found[name] = read_column(column, given, f"{path}, column {name}")
    asked, answered = found["problem_number_format"], found["answer_number_format"]
    found["answer_number_format"] = [
        own or other for own, other in zip(answered, asked, strict=True)
    ]
    found["file"] = [own or path.name for own in found["file"]]
    found["key"] = [own or f"{path.stem}:{place}" for place, own in enumerate(found["key"])]
    extra = {name: values for name, values in table.items() if name not in COLUMNS}
    return pd.DataFrame({name: to_column(name, each) for name, each in (found | extra).items()})


def _fold_repeat_style(table: Table) -> None:
    """Say how problems are said again as later tables do: earlier ones say ``same``."""
    styles = table.pop("repeat_style", None)
    if styles and "repeat_problem_number_format" not in table:
        own = table.get("problem_number_format") or [""] * len(styles)
        table["repeat_problem_number_format"] = [
            mine if style == "same" else style for style, mine in zip(styles, own, strict=True)
        ]


def _keep_answers(table: Table) -> None:
    """Tell answers of no characters from those nobody gave: a CSV file has nothing for both."""
    used = table.get("completion_tokens")
    if "response" in table and used is not None:
        table["response"] = [
            "" if text is None and tokens is not None else text
            for text, tokens in zip(table["response"], used, strict=True)
        ]


def _request(row: Row, decoding: Decoding) -> Request:
    prompt = row["prompt"] if isinstance(row["prompt"], str) else None
    if prompt is not None and not decoding.stop:
        decoding = replace(decoding, stop=("\n",))
    if row["max_tokens"] is not None and row["max_tokens"] == row["max_tokens"]:
        decoding = replace(decoding, max_tokens=int(row["max_tokens"]))
    messages: tuple[Message, ...] = ()
    if isinstance(row["messages"], str):
        messages = tuple(Message(*each) for each in json.loads(row["messages"]))
    elif prompt is None:
        messages = documented_messages(row)
    return Request(
        key=row["key"], messages=messages, prompt=prompt, decoding=decoding, facts=_facts(row)
    )


def _facts(row: Row) -> dict[str, Any]:
    problem = problem_of(row)
    return {
        "truth": problem.truth,
        "formatted_truth": style_of(row).respond(problem),
        "answer_format": row["answer_number_format"],
        "chunk_size": int(row["chunk_size"]),
        "problem": str(problem),
        **problem._asdict(),
    }
