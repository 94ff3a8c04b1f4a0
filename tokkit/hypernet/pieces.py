"""Tokens as a hypernetwork reads them: the source tokens that spell them, at most so many."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tokkit.byte_spelling import spell
from tokkit.hypernet.source import SourceRows

BYTES = 256
"""Rows behind the source's that stand for bytes which no source token has."""
_MOST = 1 << 20
"""Spellings that are remembered, about."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """The pieces of tokens.

    Attributes:
        ids: Source ids, ``int64[n, surface]``; from the number of source rows on, bytes.
            Behind a token's pieces is whatever.
        counts: How many pieces each token has, ``int64[n]``, one at least.
    """

    ids: NDArray[np.int64]
    counts: NDArray[np.int64]


class Speller:
    """Spells tokens with source tokens, byte for byte.

    Attributes:
        truncated: Tokens so far with more pieces than are read.
        unspelled: Tokens so far with bytes that the source does not have.
    """

    def __init__(self, source: SourceRows, surface: int) -> None:
        self._tokenizer = source.tokenizer
        self._ids = source.ids
        self._first_byte = int(source.input.shape[0])
        self._surface = surface
        self._known: dict[bytes, list[int]] = {}
        self.truncated = 0
        self.unspelled = 0

    def pieces(self, tokens: Sequence[bytes]) -> Pieces:
        """Return the pieces of tokens; of too many the first ones and the last."""
        if len(self._known) > _MOST:
            self._known.clear()
        self._learn([each for each in dict.fromkeys(tokens) if each not in self._known])
        ids = np.zeros((len(tokens), self._surface), dtype=np.int64)
        counts = np.ones(len(tokens), dtype=np.int64)
        for row, token in enumerate(tokens):
            found = self._known[token]
            counts[row] = len(found)
            ids[row, : len(found)] = found
        return Pieces(ids, counts)

    def _learn(self, tokens: Sequence[bytes]) -> None:
        """Spell tokens for the first time."""
        ends, ids = spell(self._tokenizer, tokens)
        for token, (start, end) in zip(tokens, pairwise([0, *ends.tolist()]), strict=True):
            found = ids[start:end].tolist()
            if not found:
                self.unspelled += 1
                found = self._bytes(token)
            if len(found) > self._surface:
                self.truncated += 1
                found = [*found[: self._surface - 1], found[-1]]
            self._known[token] = found

    def _bytes(self, token: bytes) -> list[int]:
        """Spell a token byte by byte; an empty one with a single unknown byte."""
        return [
            self._ids.get(bytes([byte]), self._first_byte + byte) for byte in token or b"\0"
        ]
