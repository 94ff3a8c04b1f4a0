"""Documents with the groups they are of: a field of their record, their file, their script."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from tokkit.analysis.scripts import main_script
from tokkit.corpus import OnError, Tally
from tokkit.corpus.corpus import open_corpus
from tokkit.corpus.problems import BadRecordError, Problems, text_of
from tokkit.corpus.records import BOM, READERS
from tokkit.corpus.shards import WHOLE
from tokkit.corpus.sources import Source
from tokkit.corpus.streams import CorruptError, open_stream
from tokkit.errors import CorpusError, UsageError

FILE = "file"
SCRIPT = "script"
FOUND = (FILE, SCRIPT)
"""What documents are grouped by without a field that says so."""


class Labelled(NamedTuple):
    """A document.

    Attributes:
        text: Its bytes.
        groups: What it is of each of the fields, in their order.
    """

    text: bytes
    groups: tuple[str, ...]


def read_labelled(
    paths: Sequence[str],
    fields: Sequence[str] = (),
    *,
    whole: bool = False,
    text_column: str = "text",
    on_error: OnError = "raise",
) -> Iterator[Labelled]:
    """Read documents in order, empty ones too, as `tokkit.streaming.read_documents` does.

    Args:
        paths: As for `tokkit.corpus.open_corpus`.
        fields: What to group by: fields of records, ``file``, or ``script``, which is what
            the document is written in, whatever fields its record has.
        whole: Whether a text file is one document; else each of its lines is one.
        text_column: The field of a record that holds its text.
        on_error: Whether a bad record ends the job or is left out.

    Raises:
        CorpusError: If a file is missing or damaged, or a record is bad or lacks a field.
        UsageError: If a text file is to be grouped by a field, as it has none.
    """
    problems = Problems(on_error == "skip", Tally())
    corpus = open_corpus(list(paths), text_column, on_error)  # kept: it owns copies of pipes
    for source in corpus.sources:
        try:
            yield from _of_source(source, fields, whole, text_column, problems)
        except CorruptError as error:
            raise CorpusError(
                f"{source.name} is damaged or incomplete ({error}); fetch it again"
            ) from error


def _of_source(
    source: Source, fields: Sequence[str], whole: bool, text_column: str, problems: Problems
) -> Iterator[Labelled]:
    own = [field for field in fields if field not in FOUND]
    if source.kind != "text":
        texts = _values(source, text_column, problems)
        read = _json_values if source.kind == "jsonl" else _values
        labels = [read(source, field, problems) for field in own]
        for text, *values in _aligned(texts, labels):
            yield _label(text, fields, source.name, [value.decode() for value in values])
        return
    if own:
        raise UsageError(
            f"{source.name} is plain text, without a field {own[0]!r}: give JSON lines, or "
            f"group by {FILE} or {SCRIPT}"
        )
    with open_stream(source.path, source.compression) as stream:
        for line in (stream.read(),) if whole else stream:
            yield _label(line if whole else line.removesuffix(b"\n"), fields, source.name, [])


def _values(source: Source, column: str, problems: Problems) -> Iterator[tuple[int, bytes]]:
    return iter(READERS[source.kind](source, 0, WHOLE, column, problems))


def _json_values(source: Source, field: str, problems: Problems) -> Iterator[tuple[int, bytes]]:
    """Yield a field of JSON lines: what is no string as JSON, such as ``2001`` or ``null``.

    A line that is no record is for the reader of texts to report.
    """
    offset = 0
    with open_stream(source.path, source.compression) as stream:
        for number, line in enumerate(stream, 1):
            try:
                record = json.loads(line.removeprefix(BOM))
            except (ValueError, RecursionError):
                record = None
            if isinstance(record, dict):
                try:
                    yield offset, _label_of(record, field)
                except BadRecordError as error:
                    problems.bad_record(error, partial(str, f"{source.name}, line {number}"))
            offset += len(line)


def _label_of(record: dict[str, Any], field: str) -> bytes:
    if field not in record:
        names = ", ".join(list(record)[:8])
        raise BadRecordError("missing column", f"no column {field!r} (columns: {names})")
    value = record[field]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text_of(text, field).encode()


def _aligned(
    texts: Iterator[tuple[int, bytes]], labels: Sequence[Iterator[tuple[int, bytes]]]
) -> Iterator[list[bytes]]:
    """Yield the values of the records that have all of them; each reader says where it is."""
    readers = [texts, *labels]
    found = [next(reader, None) for reader in readers]
    while all(each is not None for each in found):
        places = [each[0] for each in found if each]
        latest = max(places)
        if min(places) == latest:
            yield [each[1] for each in found if each]
            latest += 1
        found = [
            next(reader, None) if each and each[0] < latest else each
            for reader, each in zip(readers, found, strict=True)
        ]


def _label(text: bytes, fields: Sequence[str], file: str, values: list[str]) -> Labelled:
    rest = iter(values)
    groups = tuple(
        file
        if field == FILE
        else main_script(text.decode("utf-8", "replace"))
        if field == SCRIPT
        else next(rest)
        for field in fields
    )
    return Labelled(text, groups)
