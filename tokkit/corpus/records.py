"""Readers: from a source to its documents, with the place of each."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import BinaryIO

from tokkit.corpus import texts
from tokkit.corpus.datasets import read_dataset
from tokkit.corpus.parquet import read_parquet
from tokkit.corpus.problems import BadRecordError, Problems, text_of
from tokkit.corpus.sources import Kind, Source
from tokkit.corpus.streams import CorruptError, open_stream

Record = tuple[int, bytes]
"""Where a document is in its source (byte offset or row number), and its bytes, not empty."""

Reader = Callable[[Source, int, int, str, Problems], Iterator[Record]]
"""Reads units `first` to `last` (excluded) of a source: its `column`, where it has any."""

BOM = b"\xef\xbb\xbf"


def read_records(
    source: Source, first: int, last: int, column: str, problems: Problems
) -> Iterator[Record]:
    """Read units `first` to `last` (excluded) of any source; what is empty is left out.

    A file that cannot be read to its end is one problem; what was read until then is kept.
    """
    try:
        for record in READERS[source.kind](source, first, last, column, problems):
            if record[1]:
                yield record
    except CorruptError as error:
        problems.report(
            "corrupt file", f"{source.name} is damaged or incomplete ({error}); fetch it again"
        )
    except OSError as error:
        problems.report(
            "unreadable file", f"{source.name} cannot be read: {error.strerror or error}"
        )


def read_text(
    source: Source, first: int, last: int, column: str, problems: Problems
) -> Iterator[Record]:
    """Read blocks of a text file; a line with invalid UTF-8 is a bad record."""
    with open_stream(source.path, source.compression) as stream:
        for offset, block in texts.read_blocks(stream, first, last):
            try:
                block.decode()
                yield offset, block
            except UnicodeDecodeError:
                yield offset, _valid_lines(source, offset, block, problems)


def _valid_lines(source: Source, offset: int, block: bytes, problems: Problems) -> bytes:
    """The lines of a block that are UTF-8."""
    kept = bytearray()
    for line in io.BytesIO(block):
        try:
            text_of(line)
            kept += line
        except BadRecordError as error:
            problems.bad_record(error, partial(_line_of, source, offset))
        offset += len(line)
    return bytes(kept)


def read_jsonl(
    source: Source, first: int, last: int, column: str, problems: Problems
) -> Iterator[Record]:
    """Read the records whose lines begin in blocks `first` to `last` of a jsonl file."""
    with open_stream(source.path, source.compression) as stream:
        offset = _next_line(stream, first * texts.BLOCK)
        end = last * texts.BLOCK
        while offset < end:
            line = stream.readline()
            if not line:
                return
            try:
                if not line.isspace():
                    yield offset, _json_text(line.removeprefix(BOM), column)
            except BadRecordError as error:
                problems.bad_record(error, partial(_line_of, source, offset))
            offset += len(line)


def _next_line(stream: BinaryIO, offset: int) -> int:
    """Go to the first line that begins at or after `offset`; return where that is."""
    if offset == 0:
        return 0
    position = stream.seek(offset - 1)
    while skipped := stream.readline(texts.BLOCK):
        position += len(skipped)
        if skipped.endswith(b"\n"):
            break
    return position


def _json_text(line: bytes, column: str) -> bytes:
    """The text of a JSON record.

    Example: ``_json_text(b'{"text": "hello"}', "text")`` is ``b"hello"``.
    """
    text = text_of(line)
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRecordError("bad JSON", f"not JSON ({error})") from error
    if not isinstance(record, dict):
        raise BadRecordError("bad JSON", "not a JSON object")
    if column not in record:
        names = ", ".join(list(record)[:8]) or "none"
        raise BadRecordError("missing column", f"no column {column!r} (columns: {names})")
    return text_of(record[column], column).encode()


def _line_of(source: Source, offset: int) -> str:
    """Name the line that holds a byte offset of the decompressed file: ``file, line 7``."""
    lines = 1
    with open_stream(source.path, source.compression) as stream:
        while chunk := stream.read(min(offset, texts.BLOCK)):
            lines += chunk.count(b"\n")
            offset -= len(chunk)
    return f"{source.name}, line {lines}"


READERS: Mapping[Kind, Reader] = {
    "text": read_text,
    "jsonl": read_jsonl,
    "parquet": read_parquet,
    "datasets": read_dataset,
}
