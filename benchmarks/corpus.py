"""The text the comparisons run on: about 90 MB that the machine has, never committed.

It is the reference corpora beside the checkout (``../shared/data``, if there) and the sources
of the interpreter and its installed packages, code and documentation, up to the wanted size:

    python -m benchmarks.corpus build/benchmarks/corpus.jsonl
"""

import gzip
import json
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("TOKKIT_SHARED_DATA", ROOT.parent / "shared" / "data"))
DEFAULT = ROOT / "build" / "benchmarks" / "corpus.jsonl"
SIZE = 90_000_000
SUFFIXES = (".py", ".pyi", ".md", ".rst", ".txt")
LONGEST = 400_000  # bytes; generated tables are longer, and are not prose or code


def shared_documents() -> Iterator[str]:
    """Yield the documents of the reference corpora."""
    for path in sorted((SHARED / "corpora").glob("*")) if SHARED.is_dir() else []:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if ".jsonl" not in path.name:
            yield data.decode()
            continue
        for line in data.decode().split("\n"):
            if line:
                yield from _texts(json.loads(line))


def _texts(record: dict) -> Iterator[str]:
    """Yield every long string of a record, such as ``text`` or one field per language."""
    for value in record.values():
        if isinstance(value, str) and len(value) > 40:
            yield value
        elif isinstance(value, dict):
            yield from _texts(value)


def installed_documents() -> Iterator[str]:
    """Yield the sources of the standard library, then those of the installed packages."""
    for folder in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")):
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file() and path.stat().st_size < LONGEST:
                try:
                    yield path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    continue


def build(path: Path = DEFAULT, size: int = SIZE) -> Path:
    """Write distinct documents up to `size` bytes of text, if `path` is not there yet."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    seen: set[int] = set()
    written = 0
    with path.with_suffix(".new").open("w", encoding="utf-8") as file:
        for documents in (shared_documents(), installed_documents()):
            for text in documents:
                if hash(text) in seen or written >= size:
                    continue
                seen.add(hash(text))
                written += len(text.encode())
                file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    path.with_suffix(".new").rename(path)
    return path


def documents(path: Path) -> Iterator[str]:
    """Yield the documents of a corpus written by `build`."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)["text"]


if __name__ == "__main__":
    target = build(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
    print(f"{target}: {target.stat().st_size:,} bytes")
