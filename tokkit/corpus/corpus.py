"""A corpus: documents from many files, in a fixed order, read as often as wanted."""

import math
import os
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, file_digest
from pathlib import Path

from tokkit.corpus import texts
from tokkit.corpus.datasets import open_dataset
from tokkit.corpus.parquet import row_groups
from tokkit.corpus.problems import Problems, Tally
from tokkit.corpus.shards import BATCH_SIZE, Batch, Shard, divide_sources
from tokkit.corpus.sources import (
    DATASETS_PREFIX,
    STDIN,
    Kind,
    OnError,
    Source,
    find_files,
    is_pipe,
    kind_of,
    spool,
)
from tokkit.corpus.streams import Compression, CorruptError
from tokkit.errors import CorpusError, UsageError

DATASET_SHARD_SIZE = 64 << 20


@dataclass(frozen=True)
class Corpus:
    """Documents from files, globs, folders, standard input and datasets; see `open_corpus`.

    Attributes:
        sources: Its files and datasets, in order.
        text_column: The field of a record that holds its text.
        on_error: What to do with bad records.
        seed: Of the sampling.
    """

    sources: tuple[Source, ...]
    text_column: str = "text"
    on_error: OnError = "raise"
    seed: int = 0
    _unopened: Tally = field(default_factory=Tally, repr=False, compare=False)
    _read: list[Tally] = field(default_factory=list, repr=False, compare=False)

    @property
    def size(self) -> int:
        """About how many bytes of text it holds."""
        return sum(source.work for source in self.sources)

    @property
    def key(self) -> str:
        """32 hexadecimal digits that differ if a file, its time stamp or a setting differs."""
        return self.shards(1)[0].key if self.sources else blake2b(digest_size=16).hexdigest()

    def shards(self, parts: int) -> list[Shard]:
        """Divide the corpus into at most `parts` shards of about equal size.

        Together they hold the same documents whatever `parts` is.
        """
        return [
            Shard(slices, self.text_column, self.on_error, self.seed)
            for slices in divide_sources(self.sources, parts)
        ]

    def documents(self) -> Iterator[bytes]:
        """Read all documents; texts of more than a megabyte come in several (see `texts`).

        Raises:
            CorpusError: If there are none, or one is bad and bad ones are not skipped.
        """
        tally = Tally()
        for shard in self.shards(1):
            yield from shard.documents(tally)
        self.record(tally)

    def batches(self, size: int = BATCH_SIZE) -> Iterator[Batch]:
        """Read all documents in batches of about `size` bytes; see `documents`."""
        tally = Tally()
        for shard in self.shards(1):
            yield from shard.batches(size, tally)
        self.record(tally)

    def record(self, tally: Tally) -> None:
        """Keep what a complete pass over the corpus found, so that no other pass is needed.

        Raises:
            CorpusError: If it found no document.
        """
        self._read[:] = [tally]
        if not tally.documents:
            skipped = sum(self.skipped.values())
            note = f" ({skipped} bad records or files were skipped)" if skipped else ""
            raise CorpusError(f"the corpus contains no text{note}; give it a document")

    @property
    def tally(self) -> Tally:
        """What the last complete pass found; reads the corpus if there was none.

        Raises:
            CorpusError: As `documents` does.
        """
        if not self._read:
            for _ in self.documents():
                pass
        return self._read[0]

    @property
    def digest(self) -> str:
        """A hash of the documents, in no order, as 32 hexadecimal digits; see `tally`."""
        return self.tally.digest

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many bad records and files were left out so far, by reason."""
        return self._unopened.skipped + (self._read[0].skipped if self._read else Counter())


def open_corpus(
    paths: Sequence[str | os.PathLike[str]],
    text_column: str = "text",
    on_error: OnError = "raise",
    *,
    weights: Sequence[float] | None = None,
    sample: float = 1.0,
    seed: int = 0,
) -> Corpus:
    """Find the files of a corpus; they are read later, in a stream.

    Args:
        paths: Files, globs (``**`` goes into folders), folders (read with all their folders,
            sorted, hidden files left out), ``-`` for standard input, and
            ``hf:NAME[/CONFIG][:SPLIT]`` for datasets of the Hugging Face library. Files named
            ``.jsonl`` or ``.ndjson`` hold a document per line, ``.parquet`` one per row, any
            others are text: one document, read in pieces. Each may be compressed: ``.gz``,
            ``.zst``. Standard input and pipes are JSON lines if they begin with ``{``, else
            text; they are copied to a temporary file.
        text_column: The field of a record that holds its text.
        on_error: Whether a bad record or file ends the job or is counted and left out. Of a
            text file a line is left out.
        weights: How often the documents of each path count; 1 if omitted. The fraction is the
            probability of counting once more (text files are sampled in pieces of 16 KiB).
        sample: Multiplies all weights.
        seed: Of the sampling; what is drawn depends on nothing else but its place.

    Raises:
        CorpusError: If a file is missing or damaged, a glob or folder is empty.
        UsageError: If a weight is negative, or there is not one for each path.
        MissingExtraError: If the files need an optional dependency.
    """
    factors = _check_weights(len(paths), weights, sample)
    unopened = Tally()
    problems = Problems(on_error == "skip", unopened)
    sources: list[Source] = []
    for index, path in find_files(paths, problems):
        source = _open_source(path, len(sources), factors[index], problems)
        if source is not None:
            sources.append(source)
    corpus = Corpus(tuple(sources), text_column, on_error, seed, unopened)
    for source in sources:
        if source.path != source.name and source.kind != "datasets":
            weakref.finalize(corpus, Path(source.path).unlink, missing_ok=True)
    return corpus


def _check_weights(
    paths: int, weights: Sequence[float] | None, sample: float
) -> Sequence[float]:
    factors = [1.0] * paths if weights is None else list(weights)
    if len(factors) != paths:
        raise UsageError(f"{len(factors)} weights were given for {paths} inputs; give one each")
    for factor in (*factors, sample):
        if not (math.isfinite(factor) and factor >= 0):
            raise UsageError(f"a weight of {factor} cannot be used; give 0 or more")
    return [factor * sample for factor in factors]


def _open_source(path: str, number: int, weight: float, problems: Problems) -> Source | None:
    if path.startswith(DATASETS_PREFIX):
        return _open_dataset(path, number, weight)
    name, (kind, compression) = path, kind_of(path)
    try:
        if is_pipe(path):
            name, compression = ("standard input" if path == STDIN else path), ""
            path, kind = spool(path)
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            stamp = f"{status.st_size} {status.st_mtime_ns}"
            if name != path:
                stamp = file_digest(file, "blake2b").hexdigest()
        units = _units(path, kind, compression, status.st_size)
    except OSError as error:
        reason = error.strerror or str(error)
        problems.report("unreadable file", f"{name} cannot be read: {reason}")
        return None
    except CorruptError as error:
        problems.report("corrupt file", f"{name} is damaged or incomplete ({error})")
        return None
    return Source(name, path, kind, compression, number, weight, status.st_size, stamp, units)


def _units(path: str, kind: Kind, compression: Compression, size: int) -> int:
    if compression:
        return 0
    return row_groups(path) if kind == "parquet" else math.ceil(size / texts.BLOCK)


def _open_dataset(path: str, number: int, weight: float) -> Source:
    reference = path.removeprefix(DATASETS_PREFIX)
    dataset = open_dataset(reference)
    units = int(dataset.num_shards)
    size = dataset.info.dataset_size or dataset.info.download_size or units * DATASET_SHARD_SIZE
    stamp = str(dataset.info.download_checksums or dataset.info.version)
    return Source(path, reference, "datasets", "", number, weight, size, stamp, units)
