"""The headers of safetensors files, read with suspicion, and laid out anew.

Layout: 8 bytes, the length of the header (little endian); the header, a JSON object that says
for each name its dtype, shape and offsets; the data, in which the tensors lie one after the
other without gaps.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tokkit.errors import ModelError

DTYPES: Mapping[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),  # the upper halves of F32, as numpy has no such type
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
    "C64": np.dtype("<c8"),
}
"""What can be read, by the name that headers use."""
FLOATS = ("F64", "F32", "F16", "BF16")
"""What embeddings may be made of."""
BITS: Mapping[str, int] = {
    **{name: dtype.itemsize * 8 for name, dtype in DTYPES.items()},
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}
"""How many bits an element of each known dtype takes."""
_LONGEST_HEADER = 100_000_000
_METADATA = "__metadata__"


@dataclass(frozen=True)
class Stored:
    """Where a tensor lies.

    Attributes:
        name: What it is called.
        path: The file.
        dtype: A key of `BITS`.
        shape: Its shape.
        start: Where its data begin, in bytes from the beginning of the file.
        stop: Where they end.
    """

    name: str
    path: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.stop - self.start


@dataclass(frozen=True)
class Header:
    """What the header of a file says.

    Attributes:
        path: The file.
        metadata: Strings by name, such as ``format``.
        tensors: The tensors by name, in the order of their data.
    """

    path: Path
    metadata: Mapping[str, str]
    tensors: Mapping[str, Stored]


def read_header(path: Path) -> Header:
    """Read the header of a safetensors file, and check that the file is what it says.

    Raises:
        ModelError: If it cannot be read, is cut off, or is not a safetensors file.
    """
    with opened(path) as file:
        length = os.fstat(file).st_size
        start = int.from_bytes(os.pread(file, 8, 0), "little") + 8
        if length < 8 or start > length or start - 8 > _LONGEST_HEADER:
            raise ModelError(
                f"{path}: cut off or no safetensors file (its header would end at byte {start} "
                f"of {length}): fetch it again"
            )
        text = os.pread(file, start - 8, 8)
    entries = _parse(path, text)
    metadata = entries.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ModelError(f"{path}: no safetensors file: its metadata are no strings by name")
    tensors = [_stored(path, name, entry, start) for name, entry in entries.items()]
    tensors.sort(key=lambda each: (each.start, each.stop))
    _check_layout(path, tensors, start, length)
    return Header(path, metadata, {each.name: each for each in tensors})


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(text.decode("utf-8"), object_pairs_hook=distinct)
    except ValueError as error:
        raise ModelError(
            f"{path}: corrupt or no safetensors file (its header: {error}): fetch it again"
        ) from error
    if not isinstance(entries, dict):
        raise ModelError(f"{path}: no safetensors file: its header is no JSON object")
    return entries


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a JSON object a mapping; a name that comes twice is a `ValueError`."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there twice")
    return found


def _stored(path: Path, name: str, entry: Any, origin: int) -> Stored:
    """Read one tensor's entry; `origin` is where the data of the file begin."""
    try:
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        begin, end = offsets
        numbers = (*shape, begin, end)
    except (TypeError, KeyError, ValueError) as error:
        raise ModelError(
            f"{path}: tensor {name!r} has no proper entry in the header"
        ) from error
    if dtype not in BITS:
        raise ModelError(f"{path}: tensor {name!r} has a dtype tokkit does not know: {dtype!r}")
    if any(type(number) is not int or number < 0 for number in numbers):
        raise ModelError(f"{path}: tensor {name!r} has no proper entry in the header")
    if prod(shape) * BITS[dtype] != (end - begin) * 8:
        raise ModelError(
            f"{path}: tensor {name!r} takes {end - begin} bytes, which is not what {dtype} of "
            f"shape {shape} takes: the file is corrupt, fetch it again"
        )
    return Stored(name, path, dtype, tuple(shape), origin + begin, origin + end)


def _check_layout(path: Path, tensors: list[Stored], start: int, length: int) -> None:
    """Refuse gaps, overlaps and data that end elsewhere than the file."""
    for tensor in tensors:
        if tensor.start != start:
            raise ModelError(
                f"{path}: the data of {tensor.name!r} begin at byte {tensor.start}, not at "
                f"{start}: the file is corrupt, fetch it again"
            )
        start = tensor.stop
        if start > length:
            raise ModelError(
                f"{path}: cut off within tensor {tensor.name!r} ({length} bytes of {start} and "
                "more): fetch it again"
            )
    if start != length:
        raise ModelError(f"{path}: has {length - start} bytes too many: fetch it again")


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a file for reading by offset.

    Raises:
        ModelError: If it cannot be opened or read.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield file
        finally:
            os.close(file)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error


def layout(
    tensors: Iterable[tuple[str, str, tuple[int, ...]]], metadata: Mapping[str, str]
) -> tuple[bytes, dict[str, int]]:
    """Lay tensors out one after the other.

    Args:
        tensors: Name, dtype and shape of each, in order.
        metadata: What to put in the header besides.

    Returns:
        What the file begins with, and where the data of each tensor begin in the file.
    """
    entries: dict[str, Any] = {_METADATA: dict(metadata)} if metadata else {}
    begin, begins = 0, {}
    for name, dtype, shape in tensors:
        end = begin + prod(shape) * BITS[dtype] // 8
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
        begins[name] = begin
        begin = end
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    origin = 8 + len(text)
    return len(text).to_bytes(8, "little") + text, {
        name: origin + begin for name, begin in begins.items()
    }
