"""Cutting text as tiktoken does: what a pattern does not match is lost."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tokkit.patterns import Pattern
from tokkit.pretokenize import Pieces


@dataclass(frozen=True)
class OnlyMatches:
    """Keeps the matches of a regular expression, through the `regex` library, and no more.

    ``[a-z]+`` makes ``ab, c`` the pieces ``ab`` and ``c``.
    """

    pattern: Pattern
    rewrites = True

    def split(self, pieces: Pieces) -> Pieces:
        """Cut every piece into its matches."""
        found = [
            match[0].encode("utf-8", "surrogateescape")
            for piece in pieces.as_bytes()
            for match in self._compiled.finditer(piece.decode("utf-8", "surrogateescape"))
            if match[0]
        ]
        ends = np.cumsum(np.fromiter(map(len, found), dtype=np.int64, count=len(found)))
        return Pieces(np.frombuffer(b"".join(found), dtype=np.uint8), ends)

    @cached_property
    def _compiled(self) -> Any:
        import regex

        return regex.compile(self.pattern.regex)
