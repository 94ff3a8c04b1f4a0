"""Tensors of safetensors files, read into memory of ours; and small files of them.

Tensors are read by offset, never mapped: mapped pages count as memory of the process, and a
disk that fails behind a map kills it.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import ModelError
from tokkit.weights.headers import DTYPES, Stored, layout, opened, read_header
from tokkit.weights.output import told

Array = NDArray[Any]

BUFFER = 4 << 20
"""Bytes that are read or written at a time."""


def fill(file: int, stored: Stored, start: int, target: Array) -> None:
    """Fill a contiguous array with the bytes of a file from `start` on.

    Args:
        file: The file that `stored` lies in, open.
        stored: The tensor that is being read, for messages.
        start: Where in the file.
        target: What to fill; any dtype.

    Raises:
        ModelError: If the file ends before.
    """
    view = as_bytes(target)
    done = 0
    while done < len(view):
        got = os.preadv(file, [view[done:]], start + done)
        if not got:
            raise ModelError(
                f"{stored.path}: ends within tensor {stored.name!r}: it was cut off meanwhile"
            )
        done += got


def as_bytes(array: Array) -> memoryview:
    """Look at the bytes of a contiguous array."""
    return memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]


def read(stored: Stored) -> Array:
    """Read a tensor.

    Returns:
        An array of its shape, of the dtype in `DTYPES` (BF16: ``uint16``).

    Raises:
        ModelError: If it cannot be read, or its dtype is none of `DTYPES`.
    """
    found = np.empty(stored.shape, _dtype(stored))
    with opened(stored.path) as file:
        fill(file, stored, stored.start, found)
    return found


def read_rows(stored: Stored, ids: NDArray[np.integer[Any]]) -> Array:
    """Read some rows of a tensor; rows that lie close together are read together.

    Args:
        stored: A tensor of at least one dimension.
        ids: Which rows, ``int[n]``, in any order, repeated or not.

    Returns:
        The rows in the order of `ids`, ``[n, ...]``.

    Raises:
        ModelError: If they cannot be read, or there are not so many rows.
    """
    dtype = _dtype(stored)
    found = np.empty((len(ids), *stored.shape[1:]), dtype)
    order = np.argsort(ids, kind="stable")
    wanted = np.asarray(ids)[order]
    if len(ids) and not (wanted[0] >= 0 and wanted[-1] < stored.shape[0]):
        raise ModelError(
            f"{stored.path}: tensor {stored.name!r} has {stored.shape[0]} rows, and row "
            f"{wanted[-1] if wanted[0] >= 0 else wanted[0]} is asked for: the model has no row "
            "for a token of its tokenizer"
        )
    width = prod(stored.shape[1:]) * dtype.itemsize
    if not width:
        return found
    with opened(stored.path) as file:
        for begin, end in _runs(wanted, width):
            first = int(wanted[begin])
            block = np.empty((int(wanted[end - 1]) - first + 1, *stored.shape[1:]), dtype)
            fill(file, stored, stored.start + first * width, block)
            found[order[begin:end]] = block[wanted[begin:end] - first]
    return found


def _runs(wanted: NDArray[np.integer[Any]], width: int) -> Iterator[tuple[int, int]]:
    """Cut sorted row numbers where the next is far off or the buffer is full."""
    near, most = max(1, (64 << 10) // width), max(1, BUFFER // width)
    gaps = np.flatnonzero(np.diff(wanted) > near) + 1
    for begin, end in zip((0, *gaps), (*gaps, len(wanted)), strict=True):
        while begin < end:
            stop = begin + int(np.searchsorted(wanted[begin:end], wanted[begin] + most))
            yield int(begin), stop
            begin = stop


def _dtype(stored: Stored) -> np.dtype[Any]:
    if stored.dtype not in DTYPES:
        raise ModelError(
            f"{stored.path}: tensor {stored.name!r} is {stored.dtype}, which is quantised: "
            "take the model before it was quantised"
        )
    return DTYPES[stored.dtype]


def write_file(
    path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str] | None = None
) -> None:
    """Write a small safetensors file, in one step; the same tensors give the same bytes.

    Args:
        path: Where.
        tensors: What; ``uint16`` is written as U16.
        metadata: What to put in the header besides.

    Raises:
        JobError: If it cannot be written.
    """
    names = {dtype: name for name, dtype in DTYPES.items() if name != "BF16"}
    arrays = {
        name: np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(
            array.shape
        )
        for name, array in tensors.items()
    }
    # Large elements first, so that every tensor is aligned.
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    start, _ = layout(
        ((name, names[arrays[name].dtype], arrays[name].shape) for name in order),
        dict(sorted((metadata or {}).items())),
    )
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        with told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(start)
                for name in order:
                    file.write(as_bytes(arrays[name]))
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def read_file(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Read all tensors of a small safetensors file, and its metadata.

    Raises:
        ModelError: If it cannot be read or is no safetensors file.
    """
    header = read_header(path)
    return {name: read(stored) for name, stored in header.tensors.items()}, dict(
        header.metadata
    )
