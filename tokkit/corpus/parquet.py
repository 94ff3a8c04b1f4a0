"""Documents in the rows of parquet files; imports pyarrow only when there are any."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from tokkit.corpus.problems import BadRecordError, Problems, text_of
from tokkit.corpus.sources import Source
from tokkit.corpus.streams import Compression, CorruptError, import_extra, open_stream

ROWS_AT_ONCE = 256


def row_groups(path: str) -> int:
    """How many row groups a plain parquet file has.

    Raises:
        CorruptError: If it is no parquet file.
    """
    with _open_parquet(path, "") as file:
        return int(file.num_row_groups)


def read_parquet(
    source: Source, first: int, last: int, column: str, problems: Problems
) -> Iterator[tuple[int, bytes]]:
    """Read the rows of row groups `first` to `last` (excluded), numbered from 0 in the file."""
    with _open_parquet(source.path, source.compression) as file:
        names = file.schema_arrow.names
        if column not in names:
            problems.report(
                "missing column",
                f"{source.name} has no column {column!r}; "
                f"choose one of {', '.join(names)} (--text-column)",
            )
            return
        metadata = file.metadata
        row = sum(metadata.row_group(group).num_rows for group in range(first))
        for group in range(first, min(last, metadata.num_row_groups)):
            for value in _values(file, group, column):
                try:
                    yield row, text_of(value, column).encode()
                except BadRecordError as error:
                    problems.bad_record(error, partial(str, f"{source.name}, record {row + 1}"))
                row += 1


def _values(file: Any, group: int, column: str) -> Iterator[object]:
    """A column of a row group, strings as bytes so that invalid ones can be told from valid.

    One row group at a time, as Arrow keeps what it read of all it is asked for at once.
    """
    pyarrow = import_extra("pyarrow")
    types = pyarrow.types
    for batch in file.iter_batches(ROWS_AT_ONCE, [group], columns=[column]):
        array = batch.column(0)
        if types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if types.is_string(array.type) or types.is_large_string(array.type):
            array = array.cast(pyarrow.large_binary())
        yield from array.to_pylist()


@contextmanager
def _open_parquet(path: str, compression: Compression) -> Iterator[Any]:
    """Open a parquet file; one compressed as a whole is unpacked to a temporary file first."""
    pyarrow, parquet = import_extra("pyarrow"), import_extra("pyarrow.parquet")
    with open_stream(path, compression) as packed, tempfile.TemporaryFile() as unpacked:
        if compression:
            shutil.copyfileobj(packed, unpacked)
        try:
            yield parquet.ParquetFile(unpacked if compression else packed)
        except (pyarrow.ArrowException, UnicodeDecodeError, OSError) as error:
            # Arrow reports damaged pages as errors of the operating system, without a number.
            if isinstance(error, OSError) and error.errno:
                raise
            raise CorruptError(" ".join(str(error).split()).rstrip(".")) from error
