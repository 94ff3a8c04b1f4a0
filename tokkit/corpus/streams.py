"""Files as streams of decompressed bytes, whose defects are errors that name the file."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, BinaryIO, Literal, cast

from tokkit.errors import MissingExtraError

Compression = Literal["", "gz", "zst"]
CHUNK = 1 << 18
# zstd expands at most 2^15 times, so this bounds what one step can yield.
PACKED_CHUNK = 1 << 13


class CorruptError(Exception):
    """A compressed file is truncated or damaged."""


def import_extra(module: str, extra: str = "data") -> ModuleType:
    """Import an optional dependency.

    Raises:
        MissingExtraError: If it is not installed, with the extra that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(module.partition(".")[0], extra) from error


@contextmanager
def open_stream(path: str, compression: Compression) -> Iterator[BinaryIO]:
    """Open a file for buffered reading of its decompressed bytes.

    Raises:
        CorruptError: From any read that meets a damaged or missing part.
        OSError: If the file cannot be opened or read.
        MissingExtraError: If a ``.zst`` file is to be read without `zstandard`.
    """
    with open(path, "rb") as file:
        if not compression:
            yield file
            return
        raw = _Inflated(file) if compression == "gz" else _Unpacked(file)
        with io.BufferedReader(raw, CHUNK) as stream:
            yield cast("BinaryIO", stream)


class _Inflated(io.RawIOBase):
    """The decompressed bytes of a gzip file, which may have several members."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=file, mode="rb")

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as the next bytes go; 0 at the end."""
        try:
            return self._file.readinto(buffer)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CorruptError(str(error)) from error


class _Unpacked(io.RawIOBase):
    """The decompressed bytes of a zstd file, which may have several frames.

    The stream readers of `zstandard` take a truncated file for a complete one; this does not.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._zstandard = import_extra("zstandard")
        self._decompressor = self._zstandard.ZstdDecompressor(max_window_size=1 << 31)
        self._file = file
        self._frame: Any = None
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as the next bytes go; 0 at the end."""
        while not self._ready:
            if not self._advance():
                return 0
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _advance(self) -> bool:
        """Decompress the next chunk; false at the end of the file."""
        self._packed = self._packed or self._file.read(PACKED_CHUNK)
        if not self._packed:
            if self._frame is not None:
                raise CorruptError("the file ends inside a zstd frame")
            return False
        if self._frame is None:
            self._frame = self._decompressor.decompressobj()
        try:
            self._ready = memoryview(self._frame.decompress(self._packed))
        except self._zstandard.ZstdError as error:
            raise CorruptError(str(error)) from error
        self._packed = b""
        if self._frame.eof:
            self._packed, self._frame = self._frame.unused_data, None
        return True
