"""Text that every machine has: what the demo learns from, and what it measures on.

It is the standard library of the Python that runs, its docstrings apart from its code, beside
`data/tokkit_data/sample.jsonl`, short texts in many languages written for tokkit.
"""

import ast
import json
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from tokkit.resources import resource

MOST_CODE = 6_000_000
"""Bytes of source files to read."""

HELD_OUT = {"docstrings": 20, "code": 20, "languages": 4}
"""Of each kind of text about one document in so many is for measuring, not for learning."""

NOT_LIBRARY = ("site-packages", "dist-packages", "test")
"""Folders that not every machine has, or not with the same content."""

OWNERS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Document:
    """A text, and which kind of text it is: a key of `HELD_OUT`."""

    kind: str
    text: str

    @property
    def is_held_out(self) -> bool:
        """Whether it is for measuring; decided by a hash of its content."""
        digest = blake2b(self.text.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") % HELD_OUT[self.kind] == 0


def read_documents() -> Iterator[Document]:
    """Yield distinct documents of every kind."""
    seen: set[Document] = set()
    for document in (*_languages(), *_library()):
        if document.text.strip() and document not in seen:
            seen.add(document)
            yield document


def _languages() -> Iterator[Document]:
    for line in resource("sample.jsonl").read_text(encoding="utf-8").splitlines():
        yield Document("languages", json.loads(line)["text"])


def _library() -> Iterator[Document]:
    """The modules and packages of the standard library, in the order of their names."""
    folder = Path(sysconfig.get_path("stdlib"))
    read = 0
    for path in sorted((*folder.glob("*.py"), *folder.glob("*/*.py"))):
        if path.parent.name in NOT_LIBRARY:
            continue
        try:
            source = path.read_text(encoding="utf-8")
            docstrings, code = split_source(source)
        except (UnicodeDecodeError, SyntaxError):
            continue  # some templates are not Python
        read += len(source)
        if read > MOST_CODE:
            return
        yield Document("code", code)
        yield from (Document("docstrings", docstring) for docstring in docstrings)


def split_source(source: str) -> tuple[list[str], str]:
    """Take the docstrings out of Python source.

    Example: of a function with the docstring "Do it." they are ``["Do it."]``, and the code
    has everything but the lines of that docstring.

    Raises:
        SyntaxError: If it is not Python.
    """
    lines = source.split("\n")
    docstrings = []
    with warnings.catch_warnings(action="ignore"):  # of escapes that are no more allowed
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, OWNERS) or ast.get_docstring(node, clean=False) is None:
            continue
        docstrings.append(ast.get_docstring(node) or "")
        first, last = node.body[0].lineno, node.body[0].end_lineno
        lines[first - 1 : last] = [""] * ((last or first) - first + 1)
    return docstrings, "\n".join(lines)
