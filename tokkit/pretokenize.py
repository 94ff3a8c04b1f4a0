"""Cutting text into the pieces that are tokenized one by one."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from tokkit.errors import PatternError
from tokkit.kernels import codes, scan
from tokkit.kernels._jit import Bytes, Offsets, frozen
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

    A byte that is not part of a well-formed UTF-8 sequence is a code point of its own that is
    neither letter, number, mark nor white space.

    Attributes:
        pattern: The pattern.
        engine: Whose classes decide (see `tokkit.unicode`).

    Raises:
        PatternError: If there is no scanner for the pattern.
    """

    pattern: Pattern
    engine: Engine = "oniguruma"

    def __post_init__(self) -> None:
        if self.pattern.scanner == NO_SCANNER:
            raise PatternError(
                f"there is no scanner for the pattern {self.pattern.regex!r}: use Regex"
            )

    def split(self, pieces: Pieces) -> Pieces:
        """Cut every piece as the pattern says."""
        data, ends = frozen(pieces.data), frozen(pieces.ends)
        code = self.pattern.scanner
        of_bytes = np.empty(data.size, dtype=np.uint8)
        scan.classify(data, ends, classes(self.engine, code), of_bytes)
        # There may be as many pieces as bytes; what is not written to takes no memory.
        cuts = np.empty(data.size, dtype=np.int64)
        family = code & codes.FAMILY
        if family == codes.WORDS:
            count = scan.cut_words(data, ends, of_bytes, code, cuts)
        elif family == codes.SUPERWORDS:
            count = scan.cut_superwords(data, ends, of_bytes, code, cuts)
        else:
            count = scan.cut_numbers(ends, of_bytes, code, cuts)
        cuts.resize(count, refcheck=False)
        return Pieces(pieces.data, cuts)


@dataclass(frozen=True)
class Regex:
    """Cuts by a regular expression, through the `regex` library.

    What lies between matches is a piece too, so nothing is lost; an empty match is a cut. A
    byte that is not part of a well-formed UTF-8 sequence is what the library calls a
    surrogate: neither letter, number, mark nor white space.

    Attributes:
        pattern: The pattern; its ``regex`` is what is matched.
    """

    pattern: Pattern

    def split(self, pieces: Pieces) -> Pieces:
        """Cut every piece before and after each match.

        Raises:
            PatternError: If the expression is malformed.
        """
        content = pieces.data.tobytes()
        cuts: list[int] = []
        start = 0
        for end in pieces.ends.tolist():
            cuts += self._cut(content[start:end], start)
            start = end
        return Pieces(pieces.data, np.array(cuts, dtype=np.int64))

    @cached_property
    def _find(self) -> Callable[[str], Iterable[re.Match[str]]]:
        """Finds the matches in a text."""
        import regex

        try:
            find: Callable[[str], Iterable[re.Match[str]]]
            find = regex.compile(self.pattern.regex).finditer
        except regex.error as error:
            raise PatternError(
                f"pattern {self.pattern.regex!r} is malformed: {error}"
            ) from None
        return find

    def _cut(self, piece: bytes, start: int) -> list[int]:
        """Where the pieces of `piece`, which begins at byte `start`, end."""
        text = piece.decode("utf-8", "surrogateescape")
        places = {0, len(text)}
        for match in self._find(text):
            places.update(match.span())
        characters = sorted(places)[1:]
        if len(text) == len(piece):
            return [start + character for character in characters]
        offsets: list[int] = (_byte_offsets(text)[characters] + start).tolist()
        return offsets


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


def isolate_numeric(individual: bool) -> Scanner:
    """What the ``Digits`` step of Hugging Face does.

    Args:
        individual: Whether each numeric character is a piece, or each run of them.
    """
    rule = 1 if individual else codes.WHOLE_RUN
    code = codes.NUMBERS | codes.RUNS | codes.NUMERIC | rule << codes.NUMBER_SHIFT
    return Scanner(Pattern(None, "keep", r"\p{N}" if individual else r"\p{N}+", code))


def _byte_offsets(text: str) -> Offsets:
    """Where each character of `text`, and its end, is in UTF-8: ``"aé!"`` gives 0 1 3 4."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    # These stand for single bytes that could not be decoded.
    lengths[(points >= 0xDC80) & (points <= 0xDCFF)] = 1
    return np.concatenate(([0], np.cumsum(lengths)))


def _without_empty(pieces: Pieces) -> Pieces:
    """The pieces that are not empty."""
    filled = np.diff(pieces.ends, prepend=0) > 0
    return pieces if filled.all() else Pieces(pieces.data, pieces.ends[filled])
