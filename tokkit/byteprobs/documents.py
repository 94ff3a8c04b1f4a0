"""Scoring many documents: in batches, with the ones that have no probability named."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from tokkit.byteprobs.rows import Row, refused_row
from tokkit.errors import ImpossibleError

BATCH_BYTES = 1 << 14
BATCH_DOCUMENTS = 64

Scorer = Callable[[Sequence[bytes]], Sequence[Row]]
"""Scores a batch of documents."""


def score_documents(
    score: Scorer, documents: Iterable[bytes], *, first: int = 0, skip: bool = False
) -> Iterator[tuple[bytes, Row]]:
    """Yield each document with its row, in order.

    Args:
        score: Scores a batch.
        documents: The documents.
        first: The number of the first of them.
        skip: Whether a document that is impossible gets a row that says so; else it ends the
            work.

    Raises:
        ImpossibleError: If a document is impossible, naming it.
    """
    number = first
    for batch in _batches(documents):
        rows = _rows(score, batch, number, skip)
        for document, row in zip(batch, rows, strict=True):
            yield document, {"document": number, **row}
            number += 1


def _batches(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for document in documents:
        if batch and (size + len(document) > BATCH_BYTES or len(batch) == BATCH_DOCUMENTS):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += len(document)
    if batch:
        yield batch


def _rows(score: Scorer, batch: Sequence[bytes], number: int, skip: bool) -> Iterator[Row]:
    """Score a batch, or one document after the other if one of them is impossible."""
    try:
        rows = score(batch)
    except ImpossibleError:
        for place, document in enumerate(batch, number):
            yield _row(score, document, place, skip)
        return
    yield from rows


def _row(score: Scorer, document: bytes, number: int, skip: bool) -> Row:
    try:
        return score([document])[0]
    except ImpossibleError as error:
        if skip:
            return refused_row(len(document), str(error))
        raise ImpossibleError(
            f"document {number}: {error} (--on-error skip goes on without such documents)"
        ) from error
