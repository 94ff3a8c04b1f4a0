"""The tokens of a corpus in a file, so that a corpus of any size takes no memory."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer

_TOKENS, _COUNTS = "tokens.int32", "tokens.json"
_BLOCK = 4 << 20
"""How many bytes of text become tokens at once."""


@dataclass(frozen=True)
class Counts:
    """How much text there is.

    Attributes:
        documents: How many documents; what is longer than a megabyte comes as several.
        bytes: Their bytes.
        tokens: Their tokens, with those that begin and end each.
    """

    documents: int
    bytes: int
    tokens: int


def write_tokens(
    documents: Iterable[bytes],
    tokenizer: Tokenizer,
    around: tuple[Sequence[int], Sequence[int]],
    folder: Path,
    *,
    size: int = 0,
    progress: Progress = silent,
) -> None:
    """Write the tokens of all documents in a row, unless an earlier run did.

    Args:
        documents: The corpus.
        tokenizer: How it becomes tokens; special tokens written in a text are text.
        around: The ids before and after each document.
        folder: Where to write.
        size: About how many bytes of text there are.
        progress: Told ``("reading text", bytes done, size)``.
    """
    if (folder / _COUNTS).is_file():
        return
    before, after = (np.array(ids, dtype=np.int32) for ids in around)
    found = done = tokens = 0
    with (folder / _TOKENS).open("wb") as file:
        for block in _blocks(documents):
            for ids in tokenizer.encode_batch(block, parse_specials=False):
                row = np.concatenate([before, ids, after]).astype(np.int32)
                row.tofile(file)
                tokens += row.size
            found += len(block)
            done += sum(map(len, block))
            progress("reading text", done, max(size, done))
    # Counts are there when all tokens are.
    place = folder / f".{_COUNTS}"
    place.write_text(json.dumps(asdict(Counts(found, done, tokens))), encoding="utf-8")
    os.replace(place, folder / _COUNTS)


def open_tokens(folder: Path) -> tuple[NDArray[np.int32], Counts]:
    """Open what `write_tokens` wrote: ``int32[n]`` on disk, and how much it is."""
    counts = Counts(**json.loads((folder / _COUNTS).read_text(encoding="utf-8")))
    if not counts.tokens:
        return np.zeros(0, dtype=np.int32), counts
    return np.memmap(folder / _TOKENS, dtype=np.int32, mode="r"), counts


def _blocks(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Put documents together that are some megabytes."""
    block: list[bytes] = []
    size = 0
    for document in documents:
        block.append(document)
        size += len(document)
        if size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block
