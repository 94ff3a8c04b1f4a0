"""The lines that Less-is-Better draws its documents from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from tokkit.corpus import Corpus
from tokkit.errors import CorpusError
from tokkit.kernels._jit import Counts, Ids, Offsets

LONGEST = 4096
"""Longer lines are cut, so that a corpus without newlines is no single line."""

_WITH_ENDS = re.compile(rf"[^\n]{{1,{LONGEST}}}\n{{0,{LONGEST}}}|\n{{1,{LONGEST}}}")
_WITHOUT_ENDS = re.compile(rf"[^\n]{{1,{LONGEST}}}")
_STRETCH = 1 << 20


@dataclass(frozen=True)
class Lines:
    """Text as symbols: the characters that occur, the most frequent first (then by code).

    Attributes:
        text: The symbols of all lines, ``int32[n]``.
        ends: Where each line ends, ``int64[k]``.
        codes: The code point of each symbol, ``uint32``; bytes that are not UTF-8 are lone
            surrogates, as Python's ``surrogateescape`` has it.
        counts: How often each symbol occurs.
    """

    text: Ids
    ends: Offsets
    codes: NDArray[np.uint32]
    counts: Counts

    @cached_property
    def characters(self) -> list[str]:
        """The character of each symbol."""
        return [chr(code) for code in self.codes]

    @cached_property
    def lengths(self) -> Counts:
        """The length of each line, in symbols."""
        return np.diff(self.ends, prepend=0)

    def texts(self) -> Iterator[bytes]:
        """Yield the text again as bytes, some lines at a time."""
        start = 0
        while start < self.text.size:
            line = min(int(np.searchsorted(self.ends, start + _STRETCH)), self.ends.size - 1)
            end = int(self.ends[line])
            codes = self.codes[self.text[start:end]]
            characters = codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
            yield characters.encode("utf-8", "surrogateescape")
            start = end


def read_lines(corpus: Corpus, ends: bool, limit: int, seed: int) -> list[str]:
    """Read the lines of a corpus; of a large one a uniform sample of `limit` characters.

    Every line gets a random number; once there is too much text, the lines in the upper half
    are left out.

    Args:
        corpus: The text.
        ends: Whether lines keep the newlines they end with.
        limit: How many characters to hold at most.
        seed: Of the sample.

    Raises:
        CorpusError: If there is no line.
    """
    pattern = _WITH_ENDS if ends else _WITHOUT_ENDS
    random = np.random.Generator(np.random.PCG64(seed))
    kept: list[str] = []
    keys: list[float] = []
    size, threshold = 0, 1.0
    for document in corpus.documents():
        found = pattern.findall(document.decode("utf-8", "surrogateescape"))
        drawn = random.random(len(found)).tolist()
        for line, key in zip(found, drawn, strict=True):
            if key < threshold:
                kept.append(line)
                keys.append(key)
                size += len(line)
        while size > limit:
            threshold /= 2
            chosen = [key < threshold for key in keys]
            kept, keys = list(compress(kept, chosen)), list(compress(keys, chosen))
            size = sum(map(len, kept))
    if not kept:
        raise CorpusError("the corpus contains no line to read; give it text")
    return kept


def encode(lines: list[str]) -> Lines:
    """Turn lines into symbols: ``["ba", "b"]`` is ``[0, 1, 0]`` with the codes of ``ba``."""
    encoded = "".join(lines).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(encoded, dtype="<u4")
    counts = np.bincount(codes)
    present = np.flatnonzero(counts)
    ranked = present[np.argsort(-counts[present], kind="stable")]
    symbols = np.zeros(counts.size, np.int32)
    symbols[ranked] = np.arange(ranked.size)
    lengths = np.fromiter(map(len, lines), np.int64, len(lines))
    return Lines(symbols[codes], np.cumsum(lengths), ranked.astype(np.uint32), counts[ranked])
