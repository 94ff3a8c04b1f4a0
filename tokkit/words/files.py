"""Word counts in parquet files, which any scheduler can produce and anything can read.

A file has two columns, ``word: binary`` and ``count: int64``, ascending by word, each word
once; its metadata is that of `WordCounts`. The same counts always give the same bytes.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from tokkit.corpus.streams import import_extra
from tokkit.errors import CorpusError, JobError
from tokkit.kernels._jit import Bytes, Counts, Offsets
from tokkit.kernels.counts import is_ascending
from tokkit.words.wordcounts import WordCounts

GROUP_ROWS = 1 << 17
GROUP_BYTES = 1 << 26
ENOUGH = 1 << 22
METHOD = ("pattern", "regex", "digits", "engine", "unicode")
CONTENT = ("digest", "documents", "bytes", "skipped")


class Run(NamedTuple):
    """Words in ascending order and their counts, as in `WordCounts`."""

    data: Bytes
    ends: Offsets
    counts: Counts

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.data.nbytes + self.ends.nbytes + self.counts.nbytes

    def part(self, first: int, last: int) -> "Run":
        """Words `first` to `last` (excluded)."""
        begin = int(self.ends[first - 1]) if first else 0
        end = int(self.ends[last - 1]) if last else 0
        return Run(self.data[begin:end], self.ends[first:last] - begin, self.counts[first:last])

    def word(self, index: int) -> bytes:
        """One of the words."""
        begin = int(self.ends[index - 1]) if index else 0
        return self.data[begin : int(self.ends[index])].tobytes()


def join(runs: list[Run]) -> Run:
    """One run of several that follow each other."""
    sizes = np.cumsum([0, *(run.data.size for run in runs)])
    ends = [run.ends + size for run, size in zip(runs, sizes.tolist(), strict=False)]
    empty = Run(np.empty(0, np.uint8), np.empty(0, np.int64), np.empty(0, np.int64))
    return Run(
        np.concatenate([empty.data, *(run.data for run in runs)]),
        np.concatenate([empty.ends, *ends]),
        np.concatenate([empty.counts, *(run.counts for run in runs)]),
    )


class CountsWriter:
    """Writes runs that follow each other to a file, which appears when all are written.

    Used in a ``with`` statement.

    Raises:
        JobError: If the file cannot be written.
        MissingExtraError: If `pyarrow` is not installed.
    """

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        self.path = path
        self._pyarrow = import_extra("pyarrow")
        self._parquet = import_extra("pyarrow.parquet")
        columns = [("word", self._pyarrow.binary()), ("count", self._pyarrow.int64())]
        self._schema = self._pyarrow.schema(columns, metadata=dict(metadata))
        self._temporary = path.with_name(f".{path.name}.tmp")
        self._waiting: list[Run] = []
        self._writer: Any = None

    def __enter__(self) -> Self:
        try:
            with write_errors(self.path):
                self._writer = self._parquet.ParquetWriter(
                    self._temporary, self._schema, compression="zstd", use_dictionary=False
                )
        except JobError:
            self._temporary.unlink(missing_ok=True)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with write_errors(self.path):
                if error is None:
                    self._write_groups(last=True)
                self._writer.close()
                if error is None:
                    os.replace(self._temporary, self.path)
        finally:
            self._temporary.unlink(missing_ok=True)

    def write(self, run: Run) -> None:
        """Add words, all of them after those added before."""
        self._waiting.append(run)
        if sum(waiting.size for waiting in self._waiting) >= ENOUGH:
            with write_errors(self.path):
                self._write_groups(last=False)

    def _write_groups(self, *, last: bool) -> None:
        """Write what is waiting in row groups whose borders depend on the words alone."""
        run, first = join(self._waiting), 0
        while first < len(run.ends):
            begin = int(run.ends[first - 1]) if first else 0
            full = int(np.searchsorted(run.ends, begin + GROUP_BYTES)) + 1
            after = min(first + GROUP_ROWS, full)
            if after > len(run.ends) and not last:
                break
            after = min(after, len(run.ends))
            self._writer.write_table(self._table(run.part(first, after)))
            first = after
        self._waiting = [run.part(first, len(run.ends))]

    def _table(self, run: Run) -> Any:
        offsets = np.concatenate([[0], run.ends]).astype(np.int32)
        buffers = [None, *map(self._pyarrow.py_buffer, (offsets, run.data))]
        words = self._pyarrow.Array.from_buffers(self._pyarrow.binary(), len(run.ends), buffers)
        return self._pyarrow.table([words, self._pyarrow.array(run.counts)], self._schema)


class CountsReader:
    """Reads a file of counts in runs.

    Attributes:
        path: Of the file.
        metadata: What it says about itself.

    Raises:
        CorpusError: If it is no such file, or damaged.
        MissingExtraError: If `pyarrow` is not installed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        pyarrow, parquet = import_extra("pyarrow"), import_extra("pyarrow.parquet")
        with _read_errors(path):
            self._file = parquet.ParquetFile(path)
            schema = self._file.schema_arrow
            raw = schema.metadata or {}
            self.metadata = {key.decode(): value.decode() for key, value in raw.items()}
            kinds = dict(zip(schema.names, schema.types, strict=True))
        wanted = {"word": pyarrow.binary(), "count": pyarrow.int64()}
        if kinds != wanted or not {*METHOD, *CONTENT} <= self.metadata.keys():
            raise CorpusError(f"{path} does not hold word counts; make it with tokkit count")

    def runs(self, rows: int = GROUP_ROWS) -> Iterator[Run]:
        """Read at most `rows` words at a time."""
        previous = b""
        with _read_errors(self.path):
            for run in self._unchecked_runs(rows):
                if (
                    not is_ascending(run.data, run.ends)
                    or run.word(0) <= previous
                    or run.counts.min() < 1
                ):
                    raise CorpusError(f"{self.path} is not in ascending order; count it again")
                yield run
                previous = run.word(len(run.ends) - 1)

    def _unchecked_runs(self, rows: int) -> Iterator[Run]:
        # Arrow keeps what it read of all row groups it is asked for at once.
        for group in range(self._file.num_row_groups):
            for batch in self._file.iter_batches(rows, [group], columns=["word", "count"]):
                if batch.num_rows:
                    yield _run_of(batch)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _run_of(batch: Any) -> Run:
    """Copy a record batch into memory that kernels may write to."""
    words, counts = batch.column(0), batch.column(1)
    if words.null_count or counts.null_count:
        raise ValueError("a word or count is missing")
    _, offsets_buffer, data_buffer = words.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)
    offsets = offsets[words.offset : words.offset + len(words) + 1].astype(np.int64)
    data = np.frombuffer(data_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]].copy()
    return Run(data, offsets[1:] - offsets[0], counts.to_numpy().copy())


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says while `path` is written into a `JobError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise JobError(f"{path} cannot be written ({reason}); choose another place") from error


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong while `path` is read into a `CorpusError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise CorpusError(f"there is no file {path}; check its name") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise CorpusError(
            f"{path} does not hold word counts ({reason}); make it with tokkit count"
        ) from error


def write_counts(words: WordCounts, path: str | os.PathLike[str]) -> None:
    """Write word counts to a parquet file, atomically.

    Raises:
        JobError: If it cannot be written.
        MissingExtraError: If `pyarrow` is not installed.
    """
    run = Run(words.data, words.ends, words.counts)
    with CountsWriter(Path(path), words.metadata) as writer:
        for first in range(0, len(words), GROUP_ROWS):
            writer.write(run.part(first, min(first + GROUP_ROWS, len(words))))


def read_counts(path: str | os.PathLike[str]) -> WordCounts:
    """Read word counts that `write_counts` or `merge_counts` wrote.

    Raises:
        CorpusError: If the file does not hold word counts, or is damaged.
        MissingExtraError: If `pyarrow` is not installed.
    """
    reader = CountsReader(Path(path))
    try:
        return WordCounts(*join(list(reader.runs())), reader.metadata)
    finally:
        reader.close()
