"""What a corpus is read from: paths, globs and folders become sources in a fixed order."""

import glob
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tokkit.corpus.problems import Problems
from tokkit.corpus.streams import Compression

Kind = Literal["text", "jsonl", "parquet", "datasets"]
OnError = Literal["raise", "skip"]

KINDS: dict[str, Kind] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
COMPRESSIONS: dict[str, Compression] = {".gz": "gz", ".zst": "zst"}
EXPANSION = 4
STDIN = "-"
DATASETS_PREFIX = "hf:"


@dataclass(frozen=True)
class Source:
    """One file, or one dataset of the Hugging Face library.

    Attributes:
        name: What the caller calls it; for messages.
        path: Where it is; of a dataset, what follows ``hf:``.
        kind: How it is read.
        compression: What has to be undone first.
        number: Its place in the corpus, which seeds the sampling of its documents.
        weight: How often each of its documents counts.
        size: Bytes on disk; 0 if not known.
        stamp: Changes with its content, as far as one can tell without reading it.
        units: Into how many units of about equal size it can be divided: blocks of a plain
            text or jsonl file, row groups of a parquet file, shards of a dataset; 0 if it can
            only be read as a whole, as compressed files are.
    """

    name: str
    path: str
    kind: Kind
    compression: Compression
    number: int
    weight: float
    size: int
    stamp: str
    units: int

    @property
    def work(self) -> int:
        """About how many bytes of text it holds."""
        return (
            self.size * EXPANSION if self.compression or self.kind == "parquet" else self.size
        )


def kind_of(path: str) -> tuple[Kind, Compression]:
    """How a file is read, by its name; any unknown suffix means plain text.

    Example: ``kind_of("a.jsonl.gz")`` is ``("jsonl", "gz")``.
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    compression: Compression = ""
    if suffixes and suffixes[-1] in COMPRESSIONS:
        compression = COMPRESSIONS[suffixes.pop()]
    return KINDS.get(suffixes[-1] if suffixes else "", "text"), compression


def find_files(
    paths: Sequence[str | os.PathLike[str]], problems: Problems
) -> Iterator[tuple[int, str]]:
    """List the files that paths, globs and folders stand for, with the path's index.

    Folders are read with all folders inside them, sorted by name; hidden files are left out.
    A name that exists is never taken for a glob.
    """
    for index, path in enumerate(os.fspath(path) for path in paths):
        if path == STDIN or path.startswith(DATASETS_PREFIX):
            yield index, path
        elif os.path.isdir(path):
            yield from ((index, file) for file in _files_below(path, problems))
        elif os.path.exists(path) or not glob.has_magic(path):
            yield index, path
        else:
            matches = sorted(filter(os.path.isfile, glob.glob(path, recursive=True)))
            if not matches:
                problems.report("no match", f"no file matches {path}; check the pattern")
            yield from ((index, match) for match in matches)


def _files_below(folder: str, problems: Problems) -> list[str]:
    def unreadable(error: OSError) -> None:
        reason = f"{error.filename} cannot be read: {error.strerror}"
        problems.report("unreadable file", f"the folder {reason}")

    files = [
        os.path.join(parent, file)
        for parent, _, names in os.walk(folder, onerror=unreadable)
        for file in names
        if not _is_hidden(os.path.relpath(os.path.join(parent, file), folder))
    ]
    if not files:
        problems.report("no match", f"the folder {folder} holds no files; give another one")
    return sorted(files)


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in Path(path).parts)


def is_pipe(path: str) -> bool:
    """Whether a path can only be read once, as standard input and named pipes."""
    return path == STDIN or stat.S_ISFIFO(os.stat(path).st_mode)


def spool(path: str) -> tuple[str, Kind]:
    """Copy a pipe to a temporary file, which can be read in parts and twice.

    Returns:
        Its path, and ``jsonl`` if its first character is ``{``, else ``text``.
    """
    with ExitStack() as stack:
        pipe = sys.stdin.buffer if path == STDIN else stack.enter_context(open(path, "rb"))
        file = stack.enter_context(
            tempfile.NamedTemporaryFile(prefix="tokkit-pipe-", delete=False)
        )
        shutil.copyfileobj(pipe, file)
    with open(file.name, "rb") as spooled:
        return file.name, "jsonl" if spooled.read(1) == b"{" else "text"
