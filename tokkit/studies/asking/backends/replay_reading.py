"""Reading files of recorded answers.

They are tables with the columns of `tokkit.studies.asking.recorded`, such as those published
with arXiv 2402.14903 and what tokkit's own studies write (.csv, .jsonl, .parquet), or results
of batches and transcripts (.jsonl; see `tokkit.studies.asking.backends.result_lines`). Columns
may have other names: see `tokkit.studies.asking.backends.replay_columns`.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tokkit.errors import UsageError
from tokkit.studies.asking.backends.replay_columns import ColumnNames
from tokkit.studies.asking.backends.result_lines import (
    BadLines,
    name_of,
    read_objects,
    read_result,
)
from tokkit.studies.asking.recorded import read_columns
from tokkit.studies.asking.request import Answer, Decoding, Message, Request
from tokkit.studies.frames import lines_of
from tokkit.studies.table_files import Table, read_table

_OPERANDS = ("num1", "num2")
_ANY = Decoding()


class Record(NamedTuple):
    """A recorded answer.

    Attributes:
        answer: What was answered.
        name: What the request was called; None: the file does not say.
        content: The digest of what was asked; None: the file does not say.
        problem: What a row of numbers poses, however it was put.
    """

    answer: Answer
    name: str | None = None
    content: str | None = None
    problem: str | None = None


class Reader:
    """Reads what a file has recorded.

    Args:
        path: The file.
        names: What it calls its columns.
        bad: Told which lines cannot be read.
    """

    def __init__(self, path: Path, names: ColumnNames, bad: BadLines) -> None:
        self._path, self._names, self._bad = path, names, bad
        self._columns: list[str] = []

    def records(self) -> Iterator[Record]:
        """Yield everything, in the order of the file.

        Raises:
            UsageError: If the file is of no known kind, or has no column that was named.
            CorpusError: If it cannot be read.
        """
        if self._path.suffix not in (".csv", ".jsonl", ".parquet"):
            raise UsageError(
                f"replay:{self._path}: recorded answers are .csv, .jsonl or .parquet files"
            )
        if self._path.suffix == ".jsonl":
            first = next(read_objects(self._path, BadLines()), None)
            if first is not None and not self._has_operands(first[1]):
                self._names.check(first[1])
                yield from self._lines()
                return
        table = read_table(self._path)
        self._names.check(table)
        self._columns = list(table)
        named = self._names.apply(table)
        if self._has_operands(table):
            yield from _number_rows(named, self._path)
            return
        for values in zip(*named.values(), strict=True):
            yield from _row(dict(zip(named, values, strict=True)))

    def remedy(self) -> str:
        """Say how to name the column with the answers, if there are columns."""
        if not self._columns:
            return ""
        return (
            f"; if a column has them, name it with --column response=NAME: there are "
            f"{', '.join(self._columns)}"
        )

    def _has_operands(self, row: Mapping[str, Any]) -> bool:
        named = self._names.apply(row)
        return all(name in named for name in _OPERANDS)

    def _lines(self) -> Iterator[Record]:
        """Yield what JSON lines have: rows of a study, or results of a batch."""
        for number, content in read_objects(self._path, self._bad):
            try:
                if _is_result(content):
                    yield Record(read_result(content), name_of(content))
                else:
                    self._columns = self._columns or list(content)
                    yield from _row(self._names.apply(content))
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                self._bad.reasons.append(f"{self._path}:{number}: no recorded answer ({error})")


def _is_result(content: Mapping[str, Any]) -> bool:
    """Tell results of a batch, and transcripts, from rows that say what was asked."""
    found = [content.get(name) for name in ("response", "result", "error")]
    if any(isinstance(each, Mapping) for each in found):
        return True
    is_row = any(name in content for name in ("key", "messages", "prompt"))
    return not is_row and any(each is not None for each in found)


def _row(row: Mapping[str, Any]) -> Iterator[Record]:
    """Yield what a row of any study has, if it has an answer."""
    answer = read_columns(row)
    if answer is None:
        return
    messages, prompt = row.get("messages"), row.get("prompt")
    content = None
    if messages:
        chat = json.loads(messages) if isinstance(messages, str) else messages
        content = content_of(tuple(_message(each) for each in chat), None)
    elif isinstance(prompt, str):
        content = content_of((), prompt)
    yield Record(answer, name_of(row), content)


def _message(value: Any) -> Message:
    """Read a message, which is a list or as the APIs have it."""
    if isinstance(value, Mapping):
        return Message(value["role"], value["content"])
    return Message(*value)


def _number_rows(table: Table, path: Path) -> Iterator[Record]:
    """Yield the answers of rows whose columns describe what was asked."""
    from tokkit.studies.numbers.rows import complete_rows, requests_of

    frame = complete_rows(table, path)
    for row, request in zip(lines_of(frame), requests_of(frame), strict=True):
        answer = read_columns(row)
        if answer is not None:
            content = content_of(request.messages, request.prompt)
            yield Record(answer, request.key, content, request.facts["problem"])


def content_of(messages: tuple[Message, ...], prompt: str | None) -> str:
    """Name what is asked, whoever is asked."""
    return Request(key="", messages=messages, prompt=prompt, decoding=_ANY).digest("")
