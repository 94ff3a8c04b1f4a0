"""Parallel texts in JSON lines, whichever way they are laid out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from tokkit.corpus.problems import BadRecordError, text_of
from tokkit.corpus.sources import Source
from tokkit.corpus.streams import CorruptError, open_stream
from tokkit.errors import CorpusError

Document = dict[str, bytes]
"""One text in each language that has it."""

_NESTED = ("translation", "translations", "texts")
"""What an object with texts by language is called, beside the column that was named."""
_LANGUAGE = ("language", "lang", "bcp47", "iso639_3", "language_code")
_SEGMENTS = "segments"


class _Row(NamedTuple):
    """A record and where it is."""

    place: str
    content: Mapping[str, Any]


def read_records(
    sources: Sequence[Source],
    languages: Sequence[str],
    text_column: str,
    language_column: str | None,
    id_column: str | None,
) -> Iterator[Document]:
    """Yield the documents of JSON lines; see `read_parallel`.

    Raises:
        CorpusError: If a record is not laid out as the first one is.
    """
    rows: Iterator[_Row] = _rows(sources)
    first = next(rows, None)
    if first is None:
        raise CorpusError(f"{sources[0].name} has no records")
    nested = next(
        (
            name
            for name in (text_column, *_NESTED)
            if isinstance(first.content.get(name), Mapping)
        ),
        None,
    )
    language = language_column or next(
        (name for name in _LANGUAGE if isinstance(first.content.get(name), str)), None
    )
    rows = chain([first], rows)
    if nested is not None and language_column is None:
        for row in rows:
            yield _texts(row, row.content.get(nested), languages)
    elif language is not None:
        yield from _pivoted(rows, languages, text_column, language, id_column)
    else:
        for row in rows:
            yield _texts(row, _columns(row, languages, id_column), languages)


def _rows(sources: Sequence[Source]) -> Iterator[_Row]:
    for source in sources:
        try:
            with open_stream(source.path, source.compression) as stream:
                for number, line in enumerate(stream, 1):
                    if not line.isspace():
                        place = f"{source.name}, line {number}"
                        yield _Row(place, _parse(line, place))
        except CorruptError as error:
            raise CorpusError(f"{source.name} is damaged ({error}); fetch it again") from error


def _parse(line: bytes, place: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{place}: not JSON ({error}); give one object per line") from error
    if not isinstance(record, dict):
        raise CorpusError(f"{place}: not a JSON object; give one per line")
    return record


def _columns(row: _Row, languages: Sequence[str], id_column: str | None) -> Mapping[str, Any]:
    """Return the columns that hold texts: those named as languages, or all with strings."""
    if languages:
        return row.content
    return {
        name: value
        for name, value in row.content.items()
        if isinstance(value, str) and name != id_column
    }


def _texts(row: _Row, found: Any, languages: Sequence[str]) -> Document:
    """Return the texts of an object by language; languages without text are left out."""
    if not isinstance(found, Mapping):
        raise CorpusError(
            f"{row.place}: no object of texts by language, as the first record has; correct it"
        )
    names = [name for name in languages or found if found.get(name) is not None]
    return {name: _text(row, found[name], name) for name in names}


def _text(row: _Row, value: Any, column: str) -> bytes:
    try:
        return text_of(value, column).encode()
    except BadRecordError as error:
        raise CorpusError(f"{row.place}: {error}; correct it") from error


def _pivoted(
    rows: Iterator[_Row],
    languages: Sequence[str],
    text_column: str,
    language_column: str,
    id_column: str | None,
) -> Iterator[Document]:
    """Yield documents whose languages are in records of their own."""
    documents: dict[str, Document] = {}
    seen: dict[str, int] = {}
    for row in rows:
        language = row.content.get(language_column)
        if not isinstance(language, str):
            raise CorpusError(
                f"{row.place}: no language in column {language_column!r} (--language-column)"
            )
        if languages and language not in languages:
            continue
        for key, text in _parts(row, text_column, id_column, seen.get(language, 0)):
            document = documents.setdefault(key, {})
            if language in document:
                raise CorpusError(
                    f"{row.place}: {language!r} has the text {key!r} twice: name the column "
                    "that tells texts apart (--id-column), or languages (--language-column)"
                )
            document[language] = text
        seen[language] = seen.get(language, 0) + 1
    yield from documents.values()


def _parts(
    row: _Row, text_column: str, id_column: str | None, number: int
) -> Iterator[tuple[str, bytes]]:
    """Yield the texts of a record of one language, each with what it is called in all."""
    segments = row.content.get(_SEGMENTS)
    whole = str(number) if id_column is None else str(row.content.get(id_column))
    if isinstance(segments, Mapping | list):
        named = (
            segments.items()
            if isinstance(segments, Mapping)
            else ((str(place), each) for place, each in enumerate(segments))
        )
        for name, value in named:
            if value is not None:
                yield f"{whole}/{name}", _text(row, value, f"{_SEGMENTS}.{name}")
        return
    if text_column not in row.content:
        raise CorpusError(f"{row.place}: no column {text_column!r} (--text-column)")
    yield whole, _text(row, row.content[text_column], text_column)
