"""Recorded answers as a backend: a study can be run again without asking anybody.

What files may look like is said in `tokkit.studies.asking.backends.replay_reading`.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokkit.errors import CorpusError, UsageError
from tokkit.studies.asking.backends.replay_columns import ColumnNames
from tokkit.studies.asking.backends.replay_reading import Reader, Record, content_of
from tokkit.studies.asking.backends.result_lines import BadLines
from tokkit.studies.asking.request import Answer, Message, Request

_log = logging.getLogger("tokkit")


class ReplayBackend:
    """Answers what was asked before, as it was answered then.

    A request is looked up by its key, which may also be what a batch called it, unless the
    file says that something else was asked under that key; then by what was asked, whoever was
    asked and however answers were drawn. For rows of a study of numbers, that is what their
    columns describe. Where a file has questions alone, they are those of requests that are
    nothing but a question, whatever the system says before.

    Attributes:
        model: The file.
        recorded: How many answers it has.
    """

    batch_size = 1 << 30
    workers = 1
    keeps = False

    def __init__(self, path: str | Path, columns: Mapping[str, str] | None = None) -> None:
        """Read a file.

        Args:
            path: The file.
            columns: What it calls its columns, by tokkit's names, such as
                ``{"response": "model_said"}``; those not named are found by usual names.

        Raises:
            UsageError: If there is no such file or column, or it is of no known kind.
            CorpusError: If it has no answers, or does not say to what.
        """
        self._path = Path(path)
        if not self._path.is_file():
            raise UsageError(f"replay:{path}: there is no such file")
        self._by_name: dict[str, Record] = {}
        self._by_content: dict[str, Record] = {}
        self.recorded = 0
        bad = BadLines()
        reader = Reader(self._path, ColumnNames(columns or {}), bad)
        for record in reader.records():
            self._take(record)
        bad.log()
        if not self.recorded:
            raise CorpusError(f"replay:{path}: the file has no answers{reader.remedy()}")
        if not self._by_name and not self._by_content:
            raise CorpusError(
                f"replay:{path}: the file does not say what was asked: name a column that "
                "does, as in --column prompt=NAME or --column key=NAME"
            )
        self.model = f"replay:{self._path.name}"

    def _take(self, record: Record) -> None:
        """Remember an answer; the first one stays, unless it is an error."""
        self.recorded += record.answer.error is None
        for index, place in (
            (self._by_name, record.name),
            (self._by_content, record.content),
        ):
            if place is not None and (
                place not in index or index[place].answer.error is not None
            ):
                index[place] = record

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests; the logger ``tokkit`` says how many have no recorded answer."""
        found = [self._find(request) for request in requests]
        absent = sum(record is None for record in found)
        if absent:
            named = any(
                record is None and self._named(request) is not None
                for record, request in zip(found, requests, strict=True)
            )
            _log.warning(
                "%d of %d requests have no recorded answer in %s%s",
                absent,
                len(requests),
                self._path,
                ": what has their keys there are answers to something else" if named else "",
            )
        absence = Answer(error="no answer is recorded")
        return [absence if record is None else record.answer for record in found]

    def _find(self, request: Request) -> Record | None:
        contents = _contents(request)
        named = self._named(request)
        if named is not None and _is_answer_to(named, request, contents):
            return named
        return next(
            (self._by_content[each] for each in contents if each in self._by_content), None
        )

    def _named(self, request: Request) -> Record | None:
        """Return what is recorded under a request's key."""
        # Transcripts of arXiv 2410.19730 leave "request-" out of what they call requests.
        names = (request.key, request.key.removeprefix("request-"))
        return next((self._by_name[name] for name in names if name in self._by_name), None)


def _is_answer_to(record: Record, request: Request, contents: Sequence[str]) -> bool:
    """Whether what was asked may have been this request, as far as is known."""
    if record.problem is not None:
        # What was sent may differ from what the columns describe.
        return bool(request.facts.get("problem", record.problem) == record.problem)
    return record.content is None or record.content in contents


def _contents(request: Request) -> list[str]:
    """Name what is asked, as it is and as files may have it that have questions alone."""
    named = [content_of(request.messages, request.prompt)]
    spoken = tuple(each for each in request.messages if each.role != "system")
    if len(spoken) == 1:
        named += [content_of(spoken, None), content_of((), spoken[0].content)]
    elif request.prompt is not None:
        named.append(content_of((Message("user", request.prompt),), None))
    return named
