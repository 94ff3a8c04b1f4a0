"""Corpora through a tokenizer: documents in, ids out, and back, in constant memory.

Unlike for learning (`tokkit.corpus`), a document is never cut and an empty one is a document:
what comes out lines up with what went in.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import numpy as np

from tokkit.corpus import OnError, Tally
from tokkit.corpus.corpus import open_corpus
from tokkit.corpus.problems import Problems
from tokkit.corpus.records import READERS
from tokkit.corpus.shards import WHOLE
from tokkit.corpus.sources import STDIN, Source
from tokkit.corpus.streams import CorruptError, open_stream
from tokkit.errors import CorpusError, VocabularyError
from tokkit.kernels._jit import Ids
from tokkit.tokenizer import Tokenizer

BATCH_SIZE = 1 << 20


def read_documents(
    paths: Sequence[str],
    *,
    whole: bool = False,
    text_column: str = "text",
    on_error: OnError = "raise",
) -> Iterator[bytes]:
    """Read documents in order, empty ones too.

    Args:
        paths: As for `tokkit.corpus.open_corpus`; standard input is read as it comes.
        whole: Whether a text is one document, byte for byte; else each of its lines is one,
            without the line feed.
        text_column: The field of a record that holds its text.
        on_error: Whether a bad record ends the job or is left out. Text is never bad: bytes
            that are not UTF-8 are tokens as well.

    Raises:
        CorpusError: If a file is missing or damaged or a record is bad.
    """
    problems = Problems(on_error == "skip", Tally())
    for path in paths:
        if path == STDIN:
            yield from _lines(sys.stdin.buffer, whole)
            continue
        for source in open_corpus([path], text_column, on_error).sources:
            try:
                yield from _documents_of(source, whole, text_column, problems)
            except CorruptError as error:
                raise CorpusError(
                    f"{source.name} is damaged or incomplete ({error}); fetch it again"
                ) from error


def _documents_of(
    source: Source, whole: bool, text_column: str, problems: Problems
) -> Iterator[bytes]:
    if source.kind == "text":
        with open_stream(source.path, source.compression) as stream:
            yield from _lines(stream, whole)
        return
    for _, document in READERS[source.kind](source, 0, WHOLE, text_column, problems):
        yield document


def _lines(stream: BinaryIO, whole: bool) -> Iterator[bytes]:
    if whole:
        yield stream.read()
        return
    for line in stream:
        yield line.removesuffix(b"\n")


def encode_documents(
    tokenizer: Tokenizer, documents: Iterable[bytes], *, parse_specials: bool | None = None
) -> Iterator[Ids]:
    """Yield the ids of each document, encoding about a megabyte at once.

    Args:
        tokenizer: What to encode with.
        documents: Any bytes.
        parse_specials: See `Tokenizer.encode`.
    """
    for batch in _batches(documents):
        yield from tokenizer.encode_batch(batch, parse_specials=parse_specials)


def _batches(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document) + 1
        if size >= BATCH_SIZE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def read_ids(paths: Sequence[str], tokenizer: Tokenizer) -> Iterator[Ids]:
    """Read JSON lines of ids: lists, or objects with a list under ``"ids"``.

    Args:
        paths: Files, each perhaps compressed (``.gz``, ``.zst``), or ``-``.
        tokenizer: Whose ids they have to be.

    Raises:
        CorpusError: If a line is anything else, or a file cannot be read.
        VocabularyError: If an id is outside the vocabulary.
    """
    for path in paths:
        name = "standard input" if path == STDIN else path
        for number, line in enumerate(_id_lines(path), 1):
            if not line.isspace():
                yield _parse_ids(line, f"{name}, line {number}", len(tokenizer.vocab))


def _id_lines(path: str) -> Iterator[bytes]:
    if path == STDIN:
        yield from sys.stdin.buffer
        return
    for source in open_corpus([path]).sources:
        try:
            with open_stream(source.path, source.compression) as stream:
                yield from stream
        except CorruptError as error:
            raise CorpusError(
                f"{path} is damaged or incomplete ({error}); fetch it again"
            ) from error


def _parse_ids(line: bytes, place: str, size: int) -> Ids:
    """Read one line: ``b'{"ids": [1, 2]}'`` is ``[1, 2]``."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CorpusError(
            f"{place}: not JSON ({error}); give a list of ids per line"
        ) from error
    ids = record.get("ids") if isinstance(record, dict) else record
    if not isinstance(ids, list) or any(type(token_id) is not int for token_id in ids):
        raise CorpusError(f"{place}: not a list of ids; give one such as [1, 2, 3] per line")
    for token_id in (min(ids), max(ids)) if ids else ():
        if not 0 <= token_id < size:
            raise VocabularyError(
                f"{place}: id {token_id} is outside a vocabulary of {size} tokens; "
                "decode with the tokenizer that encoded"
            )
    return np.array(ids, dtype=np.int32)
