"""The folder a study writes: its rows, and a summary that says how they came about.

A folder has ``results.csv`` (or ``.jsonl``, ``.parquet``), one row per observation, and
``summary.json``, which is written last: where it is, the rows are complete. Neither says when
or how fast the study was run, so that the same study writes the same bytes again.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tokkit import __version__
from tokkit.errors import MissingExtraError, UsageError
from tokkit.outputs import refuse_existing

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
"""Version of the form of `summary.json`."""
SUMMARY = "summary.json"
_SECRET = re.compile(r"(//)[^/@\s]+(?=@)|((?:key|token|secret)=)[^&\s]+")
"""What an address may have that nobody else should read."""
TableFormat = Literal["csv", "jsonl", "parquet"]


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where the rows of a study come from.

    Attributes:
        study: Its name, such as ``"numbers"``.
        command: The command line.
        seeds: The seeds of what is drawn, by what they are of.
        inputs: The files that were read.
        tokenizers: The digest of each tokenizer, by what it is called.
        model: What was asked or trained, if anything was.
    """

    study: str
    command: Sequence[str] = ()
    seeds: Mapping[str, int] = field(default_factory=dict)
    inputs: Sequence[Path] = ()
    tokenizers: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything, each input with its size and its SHA-256."""
        return {
            "schema": SCHEMA,
            "tokkit": __version__,
            **asdict(self),
            "command": [_SECRET.sub(r"\1\2…", word) for word in self.command],
            "inputs": [_input(path) for path in self.inputs],
        }


def _input(path: Path) -> dict[str, Any]:
    """Name a file by its content."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": str(path), "bytes": path.stat().st_size, "sha256": digest}


def begin_folder(folder: Path, *, force: bool = False, resume: bool = False) -> None:
    """Make sure that a study may be written to a folder, and that there is one.

    Args:
        folder: Where to.
        force: Whether an older study there may be replaced.
        resume: Whether a study that was begun there is gone on with: the folder may have
            anything that is not a finished study of another kind.

    Raises:
        UsageError: If there is something that would be lost.
    """
    if folder.is_file():
        raise UsageError(f"{str(folder)!r} is a file: name a folder")
    if not resume and folder.is_dir() and any(folder.iterdir()):
        refuse_existing(folder, force=force, sign=SUMMARY)
    folder.mkdir(parents=True, exist_ok=True)


def refuse_other(folder: Path, provenance: Provenance) -> None:
    """Do nothing unless the study in a folder is finished and another one.

    Raises:
        UsageError: If it has another name, model or input.
    """
    if not (folder / SUMMARY).is_file():
        return
    try:
        older = json.loads((folder / SUMMARY).read_bytes())
        inputs = [each["sha256"] for each in older["inputs"]]
    except (ValueError, KeyError, TypeError):
        older, inputs = {}, None
    own = provenance.as_json()
    same = {
        "study": older.get("study") == own["study"],
        "model": older.get("model") == own["model"],
        "input": inputs == [each["sha256"] for each in own["inputs"]],
    }
    different = [name for name, equal in same.items() if not equal]
    if different:
        raise UsageError(
            f"{str(folder)!r} has the results of another {different[0]}: choose another place, "
            "or --force replaces them"
        )


def write_study(
    folder: Path,
    frame: "pd.DataFrame",
    provenance: Provenance,
    findings: Mapping[str, Any] | None = None,
    *,
    table: TableFormat = "csv",
    writer: "Callable[[pd.DataFrame, Path], None] | None" = None,
) -> Path:
    """Write the rows of a study and its summary; other files of the folder stay.

    Args:
        folder: Where to; it must exist.
        frame: One row per observation.
        provenance: Where they come from.
        findings: What else the summary says, as JSON: its figures. A number that is none
            becomes null.
        table: How the rows are written. Rows in another form are removed.
        writer: What writes them; None: `write_table`.

    Returns:
        The file with the rows.

    Raises:
        MissingExtraError: If pyarrow is not installed, which writes parquet.
    """
    (folder / SUMMARY).unlink(missing_ok=True)
    path = folder / f"results.{table}"
    (writer or write_table)(frame, path)
    for other in _WRITERS:
        if other != path.suffix:
            (folder / f"results{other}").unlink(missing_ok=True)
    summary = {**provenance.as_json(), "rows": len(frame), "results": path.name}
    write_json(folder / SUMMARY, {**summary, **(findings or {})})
    return path


def write_table(frame: "pd.DataFrame", path: Path) -> None:
    """Write a table as what its name ends in; it is there as a whole or not at all.

    Raises:
        UsageError: If the name ends in none of .csv, .jsonl and .parquet.
        MissingExtraError: If pyarrow is not installed, which writes parquet.
    """
    writer = _WRITERS.get(path.suffix)
    if writer is None:
        raise UsageError(f"{str(path)!r}: end the name of a table in .csv, .jsonl or .parquet")
    _replace(path, lambda partial: writer(frame, partial))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write one JSON document; it is there as a whole or not at all."""
    text = json.dumps(without_nan(content), indent=2, ensure_ascii=False) + "\n"
    _replace(path, lambda partial: partial.write_bytes(text.encode("utf-8", "replace")))


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write under another name first."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        write(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def without_nan(value: Any) -> Any:
    """Return a value as JSON can have it: null for what is not a number, or infinite."""
    if isinstance(value, Mapping):
        return {str(key): without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    if hasattr(value, "item"):  # a number of numpy
        value = value.item()
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


def _write_csv(frame: "pd.DataFrame", path: Path) -> None:
    frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8", errors="replace")


def _write_jsonl(frame: "pd.DataFrame", path: Path) -> None:
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    lines = (json.dumps(without_nan(row), ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes("".join(lines).encode("utf-8", "replace"))


def _write_parquet(frame: "pd.DataFrame", path: Path) -> None:
    try:
        frame.to_parquet(path, index=False, engine="pyarrow")
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error


_WRITERS: Mapping[str, Callable[["pd.DataFrame", Path], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
