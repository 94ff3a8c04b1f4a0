"""The batches of an evaluation that are done, in a file, for a run that is killed."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tokkit.dynamic.measures.measuring import Measured
from tokkit.errors import UsageError
from tokkit.results import Provenance, begin_folder

JOURNAL = "batches.jsonl"


class Journal:
    """Finished batches in a file, a line each, so that a killed run goes on where it was."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Open a journal, or begin one.

        Args:
            path: The file.
            settings: Everything that decides what is found, as JSON.

        Raises:
            UsageError: If there is the journal of a run with other settings.
        """
        self._path = path
        self._known: dict[tuple[str, int], Measured] = {}
        header = json.dumps(settings, sort_keys=True)
        lines = _whole_lines(path)
        if (first := next(lines, None)) is None:
            path.write_text(header + "\n", encoding="utf-8")
        elif first != header:
            raise UsageError(
                f"{str(path.parent)!r} has a run that was begun with other settings: run it to "
                "its end, choose another place, or --force begins anew"
            )
        for line in lines:
            told = json.loads(line)
            self._known[told["group"], told["batch"]] = Measured.from_json(told["found"])

    def find(self, group: str, number: int) -> Measured | None:
        """Return what was found on a batch, if it was measured."""
        return self._known.get((group, number))

    def note(self, group: str, number: int, found: Measured) -> None:
        """Add what was found on a batch."""
        line = json.dumps({"group": group, "batch": number, "found": found.as_json()})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def remove(self) -> None:
        """Delete the file: the run has come to its end."""
        self._path.unlink(missing_ok=True)


def begin_journal(
    folder: Path, provenance: Provenance, settings: Mapping[str, Any], *, force: bool = False
) -> Journal:
    """Begin an evaluation in a folder, or go on with one that was killed.

    Args:
        folder: Where results will be written.
        provenance: Where they come from.
        settings: What else decides what is found, as JSON.
        force: Whether what is there may be replaced.

    Raises:
        UsageError: If the folder has something else, or a run with other settings.
    """
    path = folder / JOURNAL
    if force:
        path.unlink(missing_ok=True)
    begin_folder(folder, force=force, resume=path.is_file())
    told = {key: value for key, value in provenance.as_json().items() if key != "command"}
    return Journal(path, {**told, **settings})


def _whole_lines(path: Path) -> Iterator[str]:
    """Cut off a line that was not written to its end, and yield the others."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    yield from content[:whole].decode().splitlines()
