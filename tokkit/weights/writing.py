"""Writing a checkpoint anew: some tensors replaced, all others copied byte for byte.

Everything is streamed through one buffer, and what is written is hashed on the way, so that
memory does not grow with the model and nothing is read twice.
"""

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.progress import Progress, silent
from tokkit.weights.checkpoint import INDEX, SINGLE, Checkpoint
from tokkit.weights.headers import (
    BITS,
    DTYPES,
    Header,
    Stored,
    layout,
    opened,
    read_header,
)
from tokkit.weights.output import created, told
from tokkit.weights.tensors import BUFFER, Array, as_bytes, fill

_PART = 256 << 10
"""Bytes that are hashed and written at a time: so many stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class New:
    """A tensor to be written.

    Attributes:
        dtype: How it is stored, a key of `DTYPES`.
        shape: Its shape.
        blocks: Gives its rows, block by block, of the numpy dtype that `DTYPES` has for
            `dtype` (BF16: ``uint16``); may be asked more than once.
    """

    dtype: str
    shape: tuple[int, ...]
    blocks: Callable[[], Iterator[Array]]


@dataclass(frozen=True)
class Hashed:
    """What became of a tensor.

    Attributes:
        sha256: Of its bytes, in hexadecimal.
        copied: Whether it was copied from the source, byte for byte.
        dtype: A key of `BITS`.
        shape: Its shape.
    """

    sha256: str
    copied: bool
    dtype: str
    shape: tuple[int, ...]


def write_checkpoint(
    source: Checkpoint,
    folder: Path,
    replaced: Mapping[str, New],
    *,
    added: Mapping[str, New] | None = None,
    removed: Collection[str] = (),
    progress: Progress = silent,
) -> Mapping[str, Hashed]:
    """Write the weights of a checkpoint, with some tensors replaced, added or left out.

    Files keep their names, and those in which nothing changes their bytes. What is added goes
    behind the tensors of the first file in which something is replaced.

    Args:
        source: What to copy.
        folder: An existing folder, without weights.
        replaced: Tensors of `source` that get other content, and maybe another shape or dtype.
        added: Tensors that `source` does not have.
        removed: Tensors of `source` to leave out.
        progress: Told how many bytes are written.

    Returns:
        What became of each tensor, by name.

    Raises:
        JobError: If a file cannot be written, as when the disk is full.
        ModelError: If the source cannot be read.
        ValueError: If names or blocks are not what they have to be.
    """
    added = added or {}
    if unknown := {*replaced, *removed} - source.tensors.keys():
        raise ValueError(f"not in the source: {sorted(unknown)}")
    if known := added.keys() & source.tensors.keys():
        raise ValueError(f"already in the source: {sorted(known)}")
    shards = _arrange(source, replaced, added, removed)
    stage = _Stage(
        progress, sum(_size(each) for shard in shards.values() for each in shard.values())
    )
    hashes: dict[str, Hashed] = {}
    for name, tensors in shards.items():
        _write_shard(folder / name, source.shards[name], tensors, stage, hashes)
    if source.index is not None:
        _write_index(folder / INDEX, source.index, shards)
    return hashes


Piece = Stored | New
"""A tensor that is copied, or one that is new."""


class _Stage:
    """How much is written, and the buffer that everything copied goes through."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0
        self.buffer: NDArray[np.uint8] = np.empty(_PART, np.uint8)

    def advance(self, size: int) -> None:
        """Report that more bytes are written."""
        self.done += size
        self.progress("write", self.done, self.total)


def _arrange(
    source: Checkpoint,
    replaced: Mapping[str, New],
    added: Mapping[str, New],
    removed: Collection[str],
) -> dict[str, dict[str, Piece]]:
    """Return what each file is to hold, in order; files that are left empty are left out."""
    shards: dict[str, dict[str, Piece]] = {
        shard: {
            name: replaced.get(name, stored)
            for name, stored in header.tensors.items()
            if name not in removed
        }
        for shard, header in source.shards.items()
    }
    changed = (
        shard
        for shard, header in source.shards.items()
        if replaced.keys() & header.tensors.keys()
    )
    shards[next(changed, list(shards)[-1])].update(added)
    return {shard: tensors for shard, tensors in shards.items() if tensors}


def _write_shard(
    path: Path,
    source: Header,
    tensors: Mapping[str, Piece],
    stage: _Stage,
    hashes: dict[str, Hashed],
) -> None:
    start = _start(source, tensors)
    with opened(source.path) as file, created(path) as write:
        write(memoryview(start))
        for name, piece in tensors.items():
            digest = hashlib.sha256()
            parts = (
                _copied(file, piece, stage.buffer)
                if isinstance(piece, Stored)
                else _made(name, piece)
            )
            for part in parts:
                digest.update(part)
                write(part)
                stage.advance(len(part))
            copied = isinstance(piece, Stored)
            hashes[name] = Hashed(digest.hexdigest(), copied, piece.dtype, piece.shape)


def _start(source: Header, tensors: Mapping[str, Piece]) -> bytes:
    """Return what a file begins with: the source's own beginning, if nothing changes in it."""
    if dict(tensors) == dict(source.tensors):
        origin = min(stored.start for stored in source.tensors.values())
        found = np.empty(origin, np.uint8)
        with opened(source.path) as file:
            fill(file, next(iter(source.tensors.values())), 0, found)
        return found.tobytes()
    pieces = ((name, each.dtype, each.shape) for name, each in tensors.items())
    return layout(pieces, source.metadata)[0]


def _copied(file: int, stored: Stored, buffer: NDArray[np.uint8]) -> Iterator[memoryview]:
    for start in range(stored.start, stored.stop, len(buffer)):
        part = buffer[: min(len(buffer), stored.stop - start)]
        fill(file, stored, start, part)
        yield as_bytes(part)


def _made(name: str, new: New) -> Iterator[memoryview]:
    left = _size(new)
    for block in new.blocks():
        if block.dtype != DTYPES[new.dtype] or block.shape[1:] != new.shape[1:]:
            raise ValueError(f"{name}: a block of {block.dtype}{block.shape} for {new}")
        left -= block.nbytes
        data = as_bytes(np.ascontiguousarray(block))
        for start in range(0, len(data), _PART):
            yield data[start : start + _PART]
    if left:
        raise ValueError(f"{name}: its blocks lack {left} bytes of {_size(new)}")


def _size(piece: Piece) -> int:
    return prod(piece.shape) * BITS[piece.dtype] // 8


def _write_index(
    path: Path, old: Mapping[str, Any], shards: Mapping[str, Mapping[str, Piece]]
) -> None:
    pieces = [piece for tensors in shards.values() for piece in tensors.values()]
    metadata = dict(old.get("metadata") or {})
    metadata["total_size"] = sum(map(_size, pieces))
    if "total_parameters" in metadata:
        metadata["total_parameters"] = sum(prod(piece.shape) for piece in pieces)
    places = {name: shard for shard, tensors in shards.items() for name in tensors}
    index = {**old, "metadata": metadata, "weight_map": places}
    text = json.dumps(index, indent=2, sort_keys=True) + "\n"
    with created(path) as write:
        write(memoryview(text.encode()))


def hash_tensor(stored: Stored) -> str:
    """Return the SHA-256 of a tensor's bytes, in hexadecimal.

    Raises:
        ModelError: If it cannot be read.
    """
    digest = hashlib.sha256()
    buffer = np.empty(_PART, np.uint8)
    with opened(stored.path) as file:
        for part in _copied(file, stored, buffer):
            digest.update(part)
    return digest.hexdigest()


def patch_rows(folder: Path, name: str, ids: NDArray[np.integer[Any]], rows: Array) -> None:
    """Overwrite some rows of a tensor in a folder that `write_checkpoint` wrote.

    Args:
        folder: The folder.
        name: The tensor.
        ids: Which rows, ``int[n]``.
        rows: What they become, ``[n, ...]``, of the numpy dtype that the tensor is stored in.

    Raises:
        JobError: If it cannot be written.
        ModelError: If the folder cannot be read.
        ValueError: If `rows` do not fit the tensor.
    """
    stored = find(folder, name)
    if rows.dtype != DTYPES[stored.dtype] or rows.shape != (len(ids), *stored.shape[1:]):
        raise ValueError(f"{rows.dtype}{rows.shape} are no {len(ids)} rows of {stored}")
    if len(ids) and not (np.min(ids) >= 0 and np.max(ids) < stored.shape[0]):
        raise ValueError(f"rows {np.min(ids)} to {np.max(ids)} are not all in {stored}")
    order = np.argsort(ids, kind="stable")
    wanted = np.asarray(ids)[order]
    cuts = np.flatnonzero(np.diff(wanted) != 1) + 1
    width = prod(stored.shape[1:]) * rows.dtype.itemsize
    with told(stored.path):
        file = os.open(stored.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            for begin, end in zip((0, *cuts), (*cuts, len(wanted)), strict=True):
                for first in range(begin, end, max(1, BUFFER // max(1, width))):
                    last = min(end, first + max(1, BUFFER // max(1, width)))
                    data = as_bytes(rows[order[first:last]])
                    place = stored.start + int(wanted[first]) * width
                    while data:
                        done = os.pwrite(file, data, place)
                        data, place = data[done:], place + done
            os.fsync(file)
        finally:
            os.close(file)


def find(folder: Path, name: str) -> Stored:
    """Find a tensor in a folder of weights, which need not have a configuration yet.

    Raises:
        ModelError: If the weights cannot be read.
        KeyError: If there is no such tensor.
    """
    if (folder / SINGLE).exists():
        return read_header(folder / SINGLE).tensors[name]
    places = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
    return read_header(folder / places[name]).tensors[name]
