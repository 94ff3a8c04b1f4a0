"""Files and folders that commands write: nothing is replaced unasked, or by halves."""

import os
import shutil
from pathlib import Path

from tokkit.errors import UsageError


def refuse_existing(path: Path, *, force: bool, sign: str = "") -> None:
    """Do nothing if `path` is free, or may be replaced.

    Args:
        path: What is to be written.
        force: Whether it may be replaced.
        sign: A file that a folder which may be replaced has (an empty folder always may be);
            empty if a file is to be written.

    Raises:
        UsageError: If it exists and `force` is false, or is another kind of folder.
    """
    if path.exists() and not force:
        raise UsageError(f"{str(path)!r} exists: choose another place, or --force replaces it")
    is_folder = path.is_dir() and any(path.iterdir())
    if path.is_dir() and not sign:
        raise UsageError(f"{str(path)!r} is a folder: name the file to write")
    if sign and (is_folder or path.is_file()) and not (path / sign).is_file():
        raise UsageError(
            f"{str(path)!r} is not what this command writes (it has no {sign}), so it is not "
            "replaced even with --force: choose another place"
        )


def replace_folder(new: Path, folder: Path) -> None:
    """Put a complete folder in its place; an older one is moved aside first, then removed."""
    older = new.with_name("replaced")
    if folder.exists():
        os.replace(folder, older)
    os.replace(new, folder)
    shutil.rmtree(older, ignore_errors=True)
