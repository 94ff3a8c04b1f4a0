"""What counting a part of a corpus gives, and where it is kept until the whole is done."""

import json
import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

import tokkit
from tokkit.corpus import Shard, Tally
from tokkit.errors import JobError
from tokkit.kernels._jit import Bytes, Counts, Offsets
from tokkit.patterns import Pattern
from tokkit.unicode import Engine
from tokkit.words.metadata import unicode_version
from tokkit.words.table import WordTable


@dataclass(frozen=True, eq=False)
class Part:
    """The counted words of a shard.

    Attributes:
        data: The words in ascending order, end to end.
        ends: Where each ends.
        counts: How often each occurs.
        tally: What was read.
    """

    data: Bytes
    ends: Offsets
    counts: Counts
    tally: Tally

    def add_to(self, table: WordTable, tally: Tally) -> None:
        """Add the counts to `table` and what was read to `tally`."""
        table.add(self.data, self.ends, self.counts)
        tally.add(self.tally)


class Workspace:
    """A folder of finished parts, one file each.

    A file's name holds a hash of all that decides its content: the files of the shard with size
    and time stamp, how they are read, pattern, Unicode version and tokkit's version.

    Raises:
        JobError: If the folder cannot be made or written to.
    """

    def __init__(self, folder: Path, pattern: Pattern, engine: Engine) -> None:
        self.folder = folder
        method = (pattern, engine, unicode_version(pattern, engine), tokkit.__version__)
        self._method = repr(method).encode()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _no_room(folder, error) from error

    def load(self, shard: Shard) -> Part | None:
        """The counts of a shard; None if it was not finished, or its file is damaged."""
        try:
            with self._path(shard).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                tally = Tally.from_json(json.loads(file["tally"].tobytes()))
                return Part(file["data"], file["ends"], file["counts"], tally)
        except Exception:  # A damaged archive can raise anything; the part is counted again.
            return None

    def save(self, shard: Shard, part: Part) -> None:
        """Keep the counts of a shard; the file is there as a whole or not at all."""
        path = self._path(shard)
        temporary = path.with_suffix(".tmp")
        tally = np.frombuffer(json.dumps(part.tally.to_json()).encode(), dtype=np.uint8)
        try:
            with temporary.open("wb") as file:
                np.savez(file, data=part.data, ends=part.ends, counts=part.counts, tally=tally)
            os.replace(temporary, path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise _no_room(self.folder, error) from error

    def _path(self, shard: Shard) -> Path:
        state = blake2b(self._method, digest_size=16)
        state.update(shard.key.encode())
        return self.folder / f"words-{state.hexdigest()}.npz"


def _no_room(folder: Path, error: OSError) -> JobError:
    reason = error.strerror or error
    return JobError(f"{folder} cannot be written to ({reason}); make room or name another one")
