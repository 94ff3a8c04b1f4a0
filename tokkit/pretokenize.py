"""Cutting text into the pieces that are tokenized one by one."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from tokkit.errors import PatternError
from tokkit.kernels import codes, scan
from tokkit.kernels._jit import Bytes, Offsets
from tokkit.patterns import NO_SCANNER, Pattern
from tokkit.unicode import Engine, classes


class Pieces(NamedTuple):
    """Byte strings end to end.

    Attributes:
        data: Their bytes, ``uint8[n]``.
        ends: Where each ends, ``int64[k]``; piece i is ``data[ends[i - 1]:ends[i]]``.
    """

    data: Bytes
    ends: Offsets

    @classmethod
    def of(cls, data: bytes) -> "Pieces":
        """One piece: all of `data`; none if it is empty."""
        ends = np.array([len(data)] if data else [], dtype=np.int64)
        return cls(np.frombuffer(data, dtype=np.uint8), ends)

    def as_bytes(self) -> list[bytes]:
        """The pieces as byte strings: for tests and for show."""
        data = self.data.tobytes()
        ends = self.ends.tolist()
        return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


class Pretokenizer(Protocol):
    """Cuts pieces further."""

    def split(self, pieces: Pieces) -> Pieces:
        """Cut every piece as if it were a text of its own; no piece that comes out is empty."""
        ...


@dataclass(frozen=True)
class Whole:
    """Cuts nothing."""

    def split(self, pieces: Pieces) -> Pieces:
        """Return the pieces as they are, but for empty ones."""
        return _without_empty(pieces)


@dataclass(frozen=True)
class Sequence:
    """Cuts by one pre-tokenizer after the other."""

    parts: tuple[Pretokenizer, ...]

    def split(self, pieces: Pieces) -> Pieces:
        """Cut every piece by the first part, what comes out by the second, and so on."""
        pieces = _without_empty(pieces)
        for part in self.parts:
            pieces = part.split(pieces)
        return pieces


@dataclass(frozen=True)
class Scanner:
    """Cuts by a pattern tokkit has a scanner for, with the classes of an engine.

    Bytes that are not part of a well-formed UTF-8 sequence are code points of their own that are
    neither letter, number, mark nor white space.

    Raises:
        PatternError: If there is no scanner for the pattern.
    """

    pattern: Pattern
    engine: Engine = "oniguruma"

    def __post_init__(self) -> None:
        if self.pattern.scanner == NO_SCANNER:
            raise PatternError(f"there is no scanner for the pattern {self.pattern.regex!r}")

    def split(self, pieces: Pieces) -> Pieces:
        """Cut every piece as the pattern says."""
        data, ends = pieces
        code = self.pattern.scanner
        table = classes(self.engine, code)
        of_bytes = np.empty(data.size, dtype=np.uint8)
        scan.classify(data, ends, table, of_bytes)
        # Pages of this array that are not written to take no memory.
        cuts = np.empty(data.size, dtype=np.int64)
        family = code & codes.FAMILY
        if family == codes.WORDS:
            count = scan.cut_words(data, ends, of_bytes, code, cuts)
        elif family == codes.SUPERWORDS:
            count = scan.cut_superwords(data, ends, of_bytes, code, cuts)
        else:
            count = scan.cut_numbers(ends, of_bytes, code, cuts)
        return Pieces(data, cuts[:count].copy())


@dataclass(frozen=True)
class Regex:
    """Cuts by a regular expression, through the `regex` library.

    What lies between matches is a piece too, so nothing is lost; an empty match is a cut. Bytes
    that are not part of a well-formed UTF-8 sequence are what the library calls surrogates:
    neither letter, number, mark nor white space.
    """

    pattern: Pattern

    def split(self, pieces: Pieces) -> Pieces:
        """Cut every piece before and after each match."""
        data, ends = pieces
        content = data.tobytes()
        cuts: list[int] = []
        start = 0
        for end in ends.tolist():
            cuts += self._cut(content[start:end], start)
            start = end
        return Pieces(data, np.array(cuts, dtype=np.int64))

    @cached_property
    def _compiled(self):  # type: ignore[no-untyped-def]
        import regex

        return regex.compile(self.pattern.regex)

    def _cut(self, piece: bytes, start: int) -> list[int]:
        """Where the pieces of `piece`, which begins at byte `start`, end."""
        text = piece.decode("utf-8", "surrogateescape")
        starts = np.array(
            [len(character.encode("utf-8", "surrogateescape")) for character in text]
        )
        places = {0, len(text)}
        for match in self._compiled.finditer(text):
            places.update(match.span())
        places.discard(0)
        offsets = np.concatenate(([0], np.cumsum(starts))) + start
        return [int(offsets[place]) for place in sorted(places)]


def for_pattern(pattern: Pattern, engine: Engine = "oniguruma") -> Pretokenizer:
    """The fastest pre-tokenizer for a pattern: a scanner if there is one, else `Regex`.

    Args:
        pattern: The pattern.
        engine: Whose idea of letters and numbers a scanner follows; `Regex` has its own.
    """
    if pattern.scanner == NO_SCANNER:
        return Regex(pattern)
    if pattern.scanner == codes.NUMBERS:
        return Whole()
    return Scanner(pattern, engine)


def _without_empty(pieces: Pieces) -> Pieces:
    """The pieces that are not empty."""
    filled = np.diff(pieces.ends, prepend=0) > 0
    return pieces if filled.all() else Pieces(pieces.data, pieces.ends[filled])
