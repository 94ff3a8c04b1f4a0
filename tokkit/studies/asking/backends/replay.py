"""Recorded answers as a backend: a study can be run again without asking anybody.

Files are tables with the columns of `tokkit.studies.asking.recorded`, such as those published
with arXiv 2402.14903 and what tokkit's own studies write (.csv, .jsonl, .parquet), or results
of batches and transcripts (.jsonl; see `tokkit.studies.asking.backends.result_lines`).
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tokkit.errors import CorpusError, UsageError
from tokkit.studies.asking.backends.result_lines import (
    BadLines,
    name_of,
    read_objects,
    read_result,
)
from tokkit.studies.asking.recorded import read_columns
from tokkit.studies.asking.request import Answer, Decoding, Message, Request
from tokkit.studies.frames import lines_of
from tokkit.studies.table_files import read_table

_log = logging.getLogger("tokkit")
_OPERANDS = ("num1", "num2")


class ReplayBackend:
    """Answers what was asked before, as it was answered then.

    A request is looked up by its key, which may also be what a batch called it; then by what
    was asked, whoever was asked and however answers were drawn. For rows of a study of
    numbers, that is what their columns describe.

    Attributes:
        model: The file.
        recorded: How many answers it has.
    """

    batch_size = 1 << 30
    workers = 1
    keeps = False

    def __init__(self, path: str | Path) -> None:
        """Read a file.

        Raises:
            UsageError: If there is no such file, or it is of no known kind.
            CorpusError: If it has no answers.
        """
        self._path = Path(path)
        if not self._path.is_file():
            raise UsageError(f"replay:{path}: there is no such file")
        self._by_name: dict[str, Answer] = {}
        self._by_content: dict[str, Answer] = {}
        self.recorded = 0
        bad = BadLines()
        for names, content, answer in _records(self._path, bad):
            self._take(names, content, answer)
        bad.log()
        if not self.recorded:
            raise CorpusError(f"replay:{path}: the file has no answers")
        self.model = f"replay:{self._path.name}"

    def _take(self, name: str | None, content: str | None, answer: Answer) -> None:
        """Remember an answer; the first one stays, unless it is an error."""
        self.recorded += answer.error is None
        for index, place in ((self._by_name, name), (self._by_content, content)):
            if place is not None and (place not in index or index[place].error is not None):
                index[place] = answer

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests; the logger ``tokkit`` says how many have no recorded answer."""
        found = [self._find(request) for request in requests]
        absent = sum(answer is None for answer in found)
        if absent:
            _log.warning(
                "%d of %d requests have no recorded answer in %s",
                absent,
                len(requests),
                self._path,
            )
        return [answer or Answer(error="no answer is recorded") for answer in found]

    def _find(self, request: Request) -> Answer | None:
        # Transcripts of arXiv 2410.19730 leave "request-" out of what they call requests.
        names = (request.key, request.key.removeprefix("request-"))
        named = next((self._by_name[name] for name in names if name in self._by_name), None)
        return named or self._by_content.get(_content(request.messages, request.prompt))


_Record = tuple[str | None, str | None, Answer]
"""What a request was called, the digest of what was asked, and what was answered."""


def _records(path: Path, bad: BadLines) -> Iterator[_Record]:
    """Yield what a file has recorded."""
    if path.suffix == ".jsonl":
        first = next(read_objects(path, BadLines()), None)
        if first is not None and not any(name in first[1] for name in _OPERANDS):
            yield from _lines(path, bad)
            return
    if path.suffix not in (".csv", ".jsonl", ".parquet"):
        raise UsageError(f"replay:{path}: recorded answers are .csv, .jsonl or .parquet files")
    table = read_table(path)
    if all(name in table for name in _OPERANDS):
        yield from _number_rows(path)
        return
    rows = (
        dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)
    )
    for row in rows:
        yield from _row(row)


def _lines(path: Path, bad: BadLines) -> Iterator[_Record]:
    """Yield what JSON lines have: rows of a study, or results of a batch."""
    for number, content in read_objects(path, bad):
        try:
            if "messages" in content or ("response" in content and "key" in content):
                yield from _row(content)
            else:
                yield name_of(content), None, read_result(content)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            bad.reasons.append(f"{path}:{number}: no recorded answer ({error})")


def _row(row: Mapping[str, Any]) -> Iterator[_Record]:
    """Yield what a row of any study has, if it has an answer."""
    answer = read_columns(row)
    if answer is None:
        return
    messages, prompt = row.get("messages"), row.get("prompt")
    content = None
    if messages:
        chat = json.loads(messages) if isinstance(messages, str) else messages
        content = _content(tuple(_message(each) for each in chat), None)
    elif isinstance(prompt, str):
        content = _content((), prompt)
    yield name_of(row), content, answer


def _message(value: Any) -> Message:
    """Read a message, which is a list or as the APIs have it."""
    if isinstance(value, Mapping):
        return Message(value["role"], value["content"])
    return Message(*value)


def _number_rows(path: Path) -> Iterator[_Record]:
    """Yield the answers of rows whose columns describe what was asked."""
    from tokkit.studies.numbers.rows import read_rows, requests_of

    frame = read_rows(path)
    for row, request in zip(lines_of(frame), requests_of(frame), strict=True):
        answer = read_columns(row)
        if answer is not None:
            yield request.key, _content(request.messages, request.prompt), answer


_ANY = Decoding()


def _content(messages: tuple[Message, ...], prompt: str | None) -> str:
    """Name what is asked, whoever is asked."""
    return Request(key="", messages=messages, prompt=prompt, decoding=_ANY).digest("")
