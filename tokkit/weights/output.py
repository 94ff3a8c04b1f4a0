"""Files as they are written: what goes wrong is said in one line."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tokkit.errors import JobError


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what the system says about writing a file into a `JobError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            says = "the disk is full: make room, or choose another place, and start again"
        else:
            says = f"cannot be written ({error.strerror})"
        raise JobError(f"{path}: {says}") from error


@contextmanager
def created(path: Path) -> Iterator[Callable[[memoryview], None]]:
    """Create a file, and make sure in the end that it is on disk.

    Yields:
        What writes to it.

    Raises:
        JobError: If it exists or cannot be written.
    """

    def write(data: memoryview) -> None:
        with told(path):
            while data:
                data = data[os.write(file, data) :]

    with told(path):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        yield write
        with told(path):
            os.fsync(file)
    finally:
        with told(path):
            os.close(file)


def check_space(folder: Path, size: int) -> None:
    """Refuse to begin what the disk plainly has no room for.

    Args:
        folder: Where to write; it need not exist yet.
        size: How many bytes.

    Raises:
        JobError: If there is no such room.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < size:
        raise JobError(
            f"{folder}: {size / 1e9:.1f} GB are to be written, and the disk has room for "
            f"{free / 1e9:.1f} GB: make room, or choose another place"
        )
