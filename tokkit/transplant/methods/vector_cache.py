"""Vectors kept in a file, so that an encoder has to run on a text only once."""

import hashlib
import logging
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"tokkit vectors 1"
_HEADER = len(_MAGIC) + 8
_KEY = 16

logger = logging.getLogger("tokkit")


def default_folder() -> Path:
    """Return where vectors are kept if nothing else is said."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(cache) / "tokkit" if cache else Path("~/.cache/tokkit").expanduser()


class VectorCache:
    """Vectors of one encoder in one file; a file that cannot be used is no error.

    The file is a header and then records of one size: a hash of what was encoded, a checksum,
    and the vector as little-endian ``float32``. Records are only ever added at the end, so a
    run that is killed keeps what it had, and several runs may use one file. A record that was
    cut short is filled up before the next one is added, and its checksum gives it away.

    Attributes:
        path: The file.
        width: How many numbers a vector has.
    """

    def __init__(self, path: Path, width: int) -> None:
        self.path = path
        self.width = width
        self._record = np.dtype(
            [("key", f"V{_KEY}"), ("check", "<u4"), ("vector", "<f4", (width,))]
        )
        self._usable = True
        self._places: dict[bytes, int] = {}
        try:
            self._places = self._open()
        except OSError as error:
            self._give_up(error)

    def _open(self) -> dict[bytes, int]:
        """Make the file if there is none; return the last record of each key."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        header = _MAGIC + self.width.to_bytes(8, "little")
        size = self.path.stat().st_size if self.path.exists() else 0
        if size >= _HEADER:
            with self.path.open("rb") as file:
                if file.read(_HEADER) != header:
                    size = 0
        if size < _HEADER:
            temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}")
            temporary.write_bytes(header)
            temporary.replace(self.path)
        self._fill_up()
        keys = self._records()["key"].tolist()
        return {bytes(key): place for place, key in enumerate(keys)}

    def _fill_up(self) -> None:
        """Make a record whole that was cut short; zeros never have the right checksum."""
        surplus = (self.path.stat().st_size - _HEADER) % self._record.itemsize
        if surplus:
            self._append(bytes(self._record.itemsize - surplus))

    def _records(self) -> NDArray[np.void]:
        """Return the records in the file, not in memory."""
        count = (self.path.stat().st_size - _HEADER) // self._record.itemsize
        if not count:
            return np.zeros(0, self._record)
        return np.memmap(self.path, self._record, "r", offset=_HEADER, shape=(count,))

    def read(self, contents: Sequence[bytes]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Return which of the contents have a vector here, and the vectors.

        Returns:
            ``bool[n]``, and ``float32[n, width]`` with zeros for those that have none.
        """
        vectors = np.zeros((len(contents), self.width), dtype=np.float32)
        found = np.zeros(len(contents), dtype=bool)
        if not self._places:
            return found, vectors
        try:
            records = self._records()
        except (OSError, ValueError) as error:
            self._give_up(error)
            return found, vectors
        for number, content in enumerate(contents):
            place = self._places.get(_hash(content), -1)
            if 0 <= place < len(records):
                record = records[place]
                found[number] = zlib.crc32(record["vector"].tobytes()) == record["check"]
                found[number] &= record["key"].tobytes() == _hash(content)
                vectors[number] = record["vector"] if found[number] else 0
        return found, vectors

    def add(self, contents: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Write vectors, ``float32[n, width]``, at the end of the file."""
        if not self._usable:
            return
        records = np.zeros(len(contents), self._record)
        records["vector"] = vectors
        keys = [_hash(content) for content in contents]
        for record, key in zip(records, keys, strict=True):
            record["key"] = np.void(key)
            record["check"] = zlib.crc32(record["vector"].tobytes())
        try:
            end = self._append(records.tobytes())
        except OSError as error:
            self._give_up(error)
            return
        # Another run may have written in between: where the file ends now is what counts.
        first = (end - _HEADER) // self._record.itemsize - len(keys)
        self._places.update((key, first + number) for number, key in enumerate(keys))

    def _append(self, data: bytes) -> int:
        """Write to the end of the file in one go; return where that is then.

        Raises:
            OSError: If not all of it could be written.
        """
        with self.path.open("ab", buffering=0) as file:
            if file.write(data) != len(data):
                raise OSError(f"{self.path}: no space for all of it")
            return file.tell()

    def _give_up(self, error: Exception) -> None:
        """Say once why vectors are not kept, and go on without."""
        if self._usable:
            logger.info("vectors of the encoder are not kept: %s", error)
        self._usable = False
        self._places = {}


def _hash(content: bytes) -> bytes:
    """Return the key of what was encoded."""
    return hashlib.blake2b(content, digest_size=_KEY).digest()
