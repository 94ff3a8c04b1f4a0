"""The part of a GGUF file in front of its tensors: named values, read and written here.

Layout (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): ``GGUF``, version, number of
tensors, number of values; then for each value its name, type and content, little-endian.
Strings are a 64-bit length and bytes, arrays a type, a 64-bit length and contents.
"""

import mmap
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import FormatError

Value = bool | int | float | str | Sequence[str] | Sequence[bytes] | NDArray[Any]

_SCALARS: Mapping[int, str] = {
    0: "<u1",
    1: "<i1",
    2: "<u2",
    3: "<i2",
    4: "<u4",
    5: "<i4",
    6: "<f4",
    7: "<u1",
    10: "<u8",
    11: "<i8",
    12: "<f8",
}
_CODES = {dtype: code for code, dtype in _SCALARS.items() if code != 7}
_BOOL, _STRING, _ARRAY = 7, 8, 9
_VERSIONS = 2, 3
_MAGIC = b"GGUF"


def is_gguf(path: Path) -> bool:
    """Say whether a file begins as GGUF files do."""
    with path.open("rb") as file:
        return file.read(4) == _MAGIC


def read_values(path: Path, prefixes: tuple[str, ...]) -> dict[str, Any]:
    """Read the values whose names start with one of `prefixes`, without the tensors.

    Strings come as bytes, arrays of strings as lists of bytes, other arrays as NumPy arrays.

    Raises:
        FormatError: If the file is no GGUF file, or ends too early.
    """
    with path.open("rb") as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _Reader(content).read(prefixes)
        except (struct.error, ValueError, IndexError, KeyError) as error:
            raise FormatError(f"{path}: this GGUF file is damaged ({error})") from error


class _Reader:
    """Reads values one after the other."""

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.position = 0

    def read(self, prefixes: tuple[str, ...]) -> dict[str, Any]:
        magic, version = self._take(4), self._number("<I")
        if magic != _MAGIC or version not in _VERSIONS:
            raise ValueError(f"it is of version {version}, not 2 or 3")
        self._number("<Q")
        values = {}
        for _ in range(self._number("<Q")):
            name = self._string().decode()
            value = self._value(self._number("<I"))
            if name.startswith(prefixes):
                values[name] = value
        return values

    def _take(self, size: int) -> bytes:
        taken = self.content[self.position : self.position + size]
        if len(taken) != size:
            raise ValueError("it ends too early")
        self.position += size
        return taken

    def _number(self, form: str) -> int:
        return int(struct.unpack(form, self._take(struct.calcsize(form)))[0])

    def _string(self) -> bytes:
        return self._take(self._number("<Q"))

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            kind, length = self._number("<I"), self._number("<Q")
            if kind == _STRING:
                return [self._string() for _ in range(length)]
            dtype = np.dtype(_SCALARS[kind])
            return np.frombuffer(self._take(length * dtype.itemsize), dtype).copy()
        dtype = np.dtype(_SCALARS[kind])
        scalar = np.frombuffer(self._take(dtype.itemsize), dtype)[0].item()
        return bool(scalar) if kind == _BOOL else scalar


def write_values(values: Mapping[str, Value]) -> bytes:
    """Write a GGUF file without tensors that holds `values`.

    Integers are written as unsigned 32 bits, floats as 32 bits, arrays as what they are.
    """
    parts = [_MAGIC, struct.pack("<IQQ", 3, 0, len(values))]
    for name, value in values.items():
        parts += [_string(name), *_typed(value)]
    content = b"".join(parts)
    return content + bytes(-len(content) % 32)


def _string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def _typed(value: Value) -> list[bytes]:
    if isinstance(value, bool):
        return [struct.pack("<I?", _BOOL, value)]
    if isinstance(value, int):
        return [struct.pack("<II", 4, value)]
    if isinstance(value, float):
        return [struct.pack("<If", 6, value)]
    if isinstance(value, str):
        return [struct.pack("<I", _STRING), _string(value)]
    if isinstance(value, np.ndarray):
        little = value.astype(value.dtype.newbyteorder("<"))
        code = _CODES["<" + little.dtype.str[1:]]
        return [struct.pack("<IIQ", _ARRAY, code, little.size), little.tobytes()]
    header = struct.pack("<IIQ", _ARRAY, _STRING, len(value))
    return [header, *map(_string, value)]
