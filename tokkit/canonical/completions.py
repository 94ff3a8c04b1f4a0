"""How characters that a token leaves unfinished can be finished canonically."""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.protocols import NEVER, Cuts, PieceGrammar
from tokkit.kernels._jit import frozen
from tokkit.utf8 import is_utf8, missing, unfinished

ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_FEW = 2
"""Characters that lack more bytes than this are taken to have every completion."""


class Finishers(NamedTuple):
    """The tokens that can go on with an unfinished character, and with nothing else.

    Attributes:
        ends: Those that finish it, and the class, as one bit, of the character then.
        bits: See `ends`.
        extends: Those that add to it only, and what is unfinished then.
        longer: See `extends`.
        most: The classes of all characters that begin so; not worked out for those of which
            there are very many.
    """

    ends: NDArray[np.int64]
    bits: NDArray[np.uint64]
    extends: tuple[int, ...]
    longer: tuple[bytes, ...]
    most: np.uint64


class Completions:
    r"""Which characters can still become of the bytes that tokens end with.

    Not every byte is a token that may come next: if a vocabulary merges ``\\xc3`` with
    whatever makes it a letter, then after the token ``\\xc3`` there can only be a sign.

    Attributes:
        leading: The tokens that begin with bytes from inside a character.
        is_inside: Which tokens are nothing but such bytes, ``bool[V]``.
    """

    def __init__(self, tokens: Sequence[bytes], cuts: Cuts, pieces: PieceGrammar) -> None:
        self._tokens = tokens
        self._cuts = cuts
        self._pieces = pieces
        self._leading = [
            (token_id, _leading(token))
            for token_id, token in enumerate(tokens)
            if token and token[0] & 0xC0 == 0x80
        ]
        self.leading = np.array([token_id for token_id, _ in self._leading], dtype=np.int64)
        self.is_inside = np.zeros(len(tokens), dtype=np.bool_)
        for token_id, lead in self._leading:
            self.is_inside[token_id] = len(lead) == len(tokens[token_id])
        self._finishers = lru_cache(None)(self._find_finishers)

    @cached_property
    def classes(self) -> NDArray[np.uint64]:
        """For each id, the classes its last character can have, as bits; all if it is whole.

        ``uint64[V]``. Tokens that are inside a character have all, too. Only tokens that are
        nothing but the rest of a character count: whether more text can come with it depends
        on what came before.
        """
        classes = np.full(len(self._tokens), ALL)
        for token_id, token in enumerate(self._tokens):
            tail = unfinished(token) if token and token[-1] >= 0x80 else b""
            if tail and not self.is_inside[token_id]:
                state = self._pieces.begin(token_id)
                classes[token_id] = 0 if state == NEVER else self._possible(state, tail)
        return frozen(classes)

    def _possible(self, state: int, tail: bytes) -> np.uint64:
        """Return the classes of the characters which begin with `tail`, after a state."""
        finishers = self._finishers(tail)
        flags = self._pieces.following(state)
        ends = flags[finishers.ends] != 0
        found = np.bitwise_or.reduce(finishers.bits[ends], initial=np.uint64(0))
        for token, longer in zip(finishers.extends, finishers.longer, strict=True):
            if not flags[token] or found & finishers.most == finishers.most:
                continue
            if missing(tail) > _FEW:
                return ALL
            after = self._pieces.follow(state, token)
            found = np.bitwise_or(found, self._possible(after, longer))
        return np.uint64(found)

    def _find_finishers(self, tail: bytes) -> Finishers:
        """Return the tokens that can go on with `tail`."""
        needed = missing(tail)
        ends: list[int] = []
        bits: list[int] = []
        extends: list[int] = []
        longer: list[bytes] = []
        for token_id, lead in self._leading:
            if not self.is_inside[token_id]:
                continue
            if len(lead) == needed:
                character = tail + lead
                if is_utf8(character):
                    ends.append(token_id)
                    bits.append(1 << self._class_of(character))
            elif len(lead) < needed and unfinished(tail + lead) == tail + lead:
                extends.append(token_id)
                longer.append(tail + lead)
        return Finishers(
            np.array(ends, dtype=np.int64),
            np.array(bits, dtype=np.uint64),
            tuple(extends),
            tuple(longer),
            self._find_most(tail) if needed <= _FEW else ALL,
        )

    def _find_most(self, tail: bytes) -> np.uint64:
        """Return the classes of all characters that begin with `tail`, as bits."""
        found = 0
        for rest in product(range(0x80, 0xC0), repeat=missing(tail)):
            character = tail + bytes(rest)
            if is_utf8(character):
                found |= 1 << self._class_of(character)
        return np.uint64(found)

    def _class_of(self, character: bytes) -> int:
        return self._cuts.class_of(character)


def _leading(token: bytes) -> bytes:
    """Return the bytes from inside a character that a token begins with."""
    length = 0
    while length < len(token) and token[length] & 0xC0 == 0x80:
        length += 1
    return token[:length]
