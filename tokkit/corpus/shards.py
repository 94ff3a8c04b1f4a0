"""Parts of a corpus that can be read independently of each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from tokkit.corpus import texts
from tokkit.corpus.problems import Problems, Tally
from tokkit.corpus.records import read_records
from tokkit.corpus.sources import OnError, Source
from tokkit.kernels._jit import Bytes, Offsets

BATCH_SIZE = 8 << 20
SAMPLED_SIZE = 1 << 14
WHOLE = 1 << 40


class Batch(NamedTuple):
    """Documents end to end.

    Attributes:
        data: Their bytes, ``uint8[n]``, UTF-8.
        ends: Where each ends, ``int64[k]``; none is empty.
    """

    data: Bytes
    ends: Offsets


@dataclass(frozen=True)
class Slice:
    """Units `first` to `last` (excluded) of a source; `last` may be more than there are."""

    source: Source
    first: int
    last: int


@dataclass(frozen=True)
class Shard:
    """A part of a corpus; can be pickled and read anywhere its files can.

    Attributes:
        slices: What to read, in this order.
        text_column: The field of a record that holds its text.
        on_error: What to do with bad records.
        seed: Of the sampling.
    """

    slices: tuple[Slice, ...]
    text_column: str
    on_error: OnError
    seed: int

    @property
    def key(self) -> str:
        """32 hexadecimal digits that differ if anything that decides the content differs."""
        return blake2b(repr(self).encode(), digest_size=16).hexdigest()

    @property
    def size(self) -> int:
        """About how many bytes of text it holds."""
        return sum(map(_slice_size, self.slices))

    def documents(self, tally: Tally | None = None) -> Iterator[bytes]:
        """Read the documents, each as often as its weight says.

        Args:
            tally: Takes note of them, and of what was skipped.

        Raises:
            CorpusError: If a record is bad and bad records are not skipped.
        """
        tally = Tally() if tally is None else tally
        problems = Problems(self.on_error == "skip", tally)
        for part in self.slices:
            for document in self._documents_of(part, problems):
                tally.add_document(document)
                yield document

    def batches(self, size: int = BATCH_SIZE, tally: Tally | None = None) -> Iterator[Batch]:
        """Read the documents in batches of about `size` bytes; see `documents`."""
        waiting: list[bytes] = []
        waiting_size = 0
        for document in self.documents(tally):
            waiting.append(document)
            waiting_size += len(document)
            if waiting_size >= size:
                yield make_batch(waiting)
                waiting, waiting_size = [], 0
        if waiting:
            yield make_batch(waiting)

    def _documents_of(self, part: Slice, problems: Problems) -> Iterator[bytes]:
        source = part.source
        is_sampled_text = source.kind == "text" and not float(source.weight).is_integer()
        size = SAMPLED_SIZE if is_sampled_text else texts.BLOCK
        records = read_records(source, part.first, part.last, self.text_column, problems)
        for place, record in records:
            is_divided = is_sampled_text or len(record) > texts.BLOCK + texts.WINDOW
            pieces = texts.divide(record, size) if is_divided else iter((record,))
            for index, piece in enumerate(pieces):
                for _ in range(_copies(source, place, index, self.seed)):
                    yield piece


def make_batch(documents: Sequence[bytes]) -> Batch:
    """Lay documents end to end, in memory that kernels may write to."""
    lengths = np.fromiter(map(len, documents), dtype=np.int64, count=len(documents))
    data = np.frombuffer(bytearray().join(documents), dtype=np.uint8)
    return Batch(data, np.cumsum(lengths, dtype=np.int64))


def _copies(source: Source, place: int, index: int, seed: int) -> int:
    """How often a document counts: its weight, its fraction being the chance of one more.

    Decided by a hash of where the document is, so it does not depend on who reads it when.
    """
    whole = int(source.weight)
    fraction = source.weight - whole
    if not fraction:
        return whole
    where = f"{seed} {source.number} {place} {index}".encode()
    draw = int.from_bytes(blake2b(where, digest_size=8).digest(), "little") / 2**64
    return whole + (draw < fraction)


def _slice_size(part: Slice) -> int:
    source = part.source
    units = max(source.units, 1)
    return source.work * (min(part.last, units) - part.first) // units


def divide_sources(sources: Sequence[Source], parts: int) -> list[tuple[Slice, ...]]:
    """Divide sources into at most `parts` runs of about equal size, none empty."""
    total = sum(source.work for source in sources) or 1
    runs: list[list[Slice]] = [[] for _ in range(parts)]
    before = 0.0
    for source in sources:
        share = source.work / max(source.units, 1)
        middles = (before + (np.arange(max(source.units, 1)) + 0.5) * share) / total
        before += source.work
        owners = np.minimum((middles * parts).astype(np.int64), parts - 1)
        for owner in np.unique(owners).tolist():
            first, last = np.searchsorted(owners, [owner, owner + 1]).tolist()
            runs[owner].append(Slice(source, first, last if source.units else WHOLE))
    return [tuple(run) for run in runs if run]
