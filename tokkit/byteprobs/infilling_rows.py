"""Results of a benchmark in a file that grows, so that nothing is done twice."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tokkit.errors import JobError, UsageError


@dataclass(frozen=True)
class Row:
    """What became of one problem.

    Attributes:
        task_id: Its name.
        completion: What was filled in.
        exact_match: Whether that is the canonical solution.
        finish: Why it was over, see `Generation`.
        logprob: Its log probability.
        passed: Whether the program passed its tests; None if it was not run.
        detail: What went wrong when it was run.
    """

    task_id: str
    completion: str
    exact_match: bool
    finish: str
    logprob: float
    passed: bool | None = None
    detail: str = ""


class RowLog:
    """Rows in a file, the settings in its first line; of equal task ids the last counts."""

    def __init__(self, path: Path | None, settings: dict[str, Any]) -> None:
        self.rows: dict[str, Row] = {}
        self._path = path
        self._kept: dict[str, Row] = {}
        if path is None:
            return
        header = json.loads(json.dumps({"settings": settings}))
        self._cut(path)
        if path.exists() and path.stat().st_size:
            self._read(path, header)
        else:
            self._append(header)

    def _cut(self, path: Path) -> None:
        """Take away a last line that is not complete."""
        data = path.read_bytes() if path.exists() else b""
        if not data.endswith(b"\n") and data:
            with path.open("r+b") as file:
                file.truncate(data.rfind(b"\n") + 1)

    def _read(self, path: Path, header: object) -> None:
        """Take over what a file has."""
        records = list(_records(path.read_bytes(), path))
        if records[0] != header:
            raise UsageError(
                f"{path} has rows of other settings or is something else; "
                "give another file, or remove it"
            )
        try:
            self.rows = {record["task_id"]: Row(**record) for record in records[1:]}
        except (TypeError, KeyError) as error:
            raise UsageError(f"{path} is not a file of results; give another one") from error
        self._kept = dict(self.rows)

    def add(self, row: Row) -> None:
        """Append a row, unless the file has it as it is."""
        if self._kept.get(row.task_id) != row:
            self._append(asdict(row))

    def _append(self, record: object) -> None:
        """Write a line at once: after a crash all of it is there, or it has no line feed."""
        if self._path is None:
            return
        line = json.dumps(record, ensure_ascii=False) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(line.encode("utf-8", "surrogatepass"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise JobError(f"{self._path}: cannot be written ({error.strerror})") from error


def _records(data: bytes, path: Path) -> Iterator[Any]:
    for number, line in enumerate(data.splitlines(), 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise UsageError(
                f"{path}, line {number}: not JSON; give another file, or remove it"
            ) from error
