"""Writing files so that they are either there and right, or not there."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tokkit.errors import JobError


@contextmanager
def pending(files: Mapping[Path, bytes]) -> Iterator[Mapping[Path, Path]]:
    """Write files under temporary names beside their own, which they get when the block ends.

    If the block fails (a check does, say) nothing is left of them, and what was there before
    stays.

    Args:
        files: What each file should hold.

    Yields:
        The temporary path of each file.

    Raises:
        JobError: If a file cannot be written.
    """
    temporary = {path: path.with_name(f".{os.getpid()}.{path.name}") for path in files}
    try:
        try:
            for path, content in files.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary[path].write_bytes(content)
        except OSError as error:
            raise JobError(f"{path}: cannot be written ({error.strerror})") from error
        yield temporary
        for path, place in temporary.items():
            os.replace(place, path)
    finally:
        for place in temporary.values():
            place.unlink(missing_ok=True)
