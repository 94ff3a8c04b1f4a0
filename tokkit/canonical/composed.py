"""Canonical sequences where a normalizer joins characters to those before them.

NFC makes one character of an ``e`` and an accent after it, and puts accents in order. So some
characters cannot stand behind others in normalized text, and the tokens that would put them
there are not canonical, whatever the rest of the tokenizer says.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import product
from threading import get_ident
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.protocols import NEVER, Flags, Grammar
from tokkit.canonical.states import States
from tokkit.kernels._jit import frozen
from tokkit.normalize import Normalizer
from tokkit.utf8 import is_utf8, missing, unfinished

_INSIDE = tuple(bytes([byte]) for byte in range(0x80, 0xC0))
_LONGEST = 32
"""Bytes of text before a token that are looked at: a letter and some accents."""


class _State(NamedTuple):
    """What decides what may come next.

    Attributes:
        inner: The state of the other grammar.
        tail: The end of the text: the last character that nothing is joined to, what comes
            after it, and the beginning of one that is not complete.
    """

    inner: int
    tail: bytes


def joins(normalizer: Normalizer) -> bool:
    """Tell whether a normalizer joins characters: ``e`` and U+0301 make ``é``."""
    return normalizer.normalize("e\u0301".encode()) == "é".encode()


class Composed:
    """A grammar, but for what a normalizer would join or put in another order.

    Attributes:
        inner: The grammar without that.

    Args:
        inner: The grammar without that.
        normalizer: What joins.
        tokens: The text of each id; ``b""`` for ids that carry none.
        exact: Whether the rest of what the normalizer does is told by `inner` exactly.
    """

    def __init__(
        self, inner: Grammar, normalizer: Normalizer, tokens: Sequence[bytes], exact: bool
    ) -> None:
        self.method = f"{inner.method}, composed"
        self.exact = exact
        self.inner = inner
        self._normalizer = normalizer
        self._tokens = tokens
        self._stays = lru_cache(1 << 16)(self._find_stays)
        self._open: set[tuple[int, int]] = set()
        self._doubtful = self._find_doubtful()
        risky = [token for token, text in enumerate(tokens) if text and self._is_risky(text)]
        self._risky = np.array(risky, dtype=np.int64)
        self._broken = np.array(
            [token for token, text in enumerate(tokens) if text and not self._keeps(b"", text)],
            dtype=np.int64,
        )
        self._states = States[_State]()
        self._barred = lru_cache(1 << 10)(self._find_barred)
        self.allowed = lru_cache(64)(self._find_allowed)
        self.start = self._states.number(_State(inner.start, b""))

    def step(self, state: int, token: int) -> int:
        """Return the state after one token more; `NEVER` if that is not canonical."""
        inner, tail = self._states[state]
        after = self.inner.step(inner, token)
        text = self._tokens[token]
        if after == NEVER or not self._keeps(tail, text):
            return NEVER
        number = self._states.number(_State(after, _end(tail + text)))
        # What is begun in it may only become what would be joined, or what merging makes else.
        return NEVER if token in self._doubtful and self._is_dead(number) else number

    def _is_dead(self, state: int) -> bool:
        """Tell whether nothing is allowed in a state; one being looked into is not dead."""
        looked = get_ident(), state
        if looked in self._open:
            return False
        self._open.add(looked)
        try:
            return not self.allowed(state).any()
        finally:
            self._open.discard(looked)

    def _find_allowed(self, state: int) -> Flags:
        """Return which tokens `step` would not answer with `NEVER`."""
        barred = self._barred(self._states[state].tail)
        flags = self.inner.allowed(self._states[state].inner)
        doubtful = [token for token in self._doubtful if flags[token]]
        if not doubtful and not flags[barred].any():
            return flags
        flags = flags.copy()
        flags[barred] = 0
        for token in doubtful:
            flags[token] = self.step(state, token) != NEVER
        return frozen(flags)

    def _find_barred(self, tail: bytes) -> NDArray[np.int64]:
        """Return the tokens that the normalizer would change behind `tail`."""
        found = [
            token
            for token in self._risky.tolist()
            if not self._keeps(tail, self._tokens[token])
        ]
        return np.union1d(self._broken, np.array(found, dtype=np.int64))

    def can_end(self, state: int) -> bool:
        """Tell whether the sequence is the encoding of a whole text."""
        return self.inner.can_end(self._states[state].inner)

    def _keeps(self, tail: bytes, text: bytes) -> bool:
        """Tell whether the normalizer leaves `text` alone behind `tail`."""
        if text.isascii():
            return True
        joined = tail + text
        whole = joined[: len(joined) - len(unfinished(joined))]
        return self._stays(whole[-(_LONGEST + len(text)) :])

    def _find_stays(self, data: bytes) -> bool:
        """Tell whether the normalizer leaves a text alone, but for a first part of one."""
        while data and data[0] & 0xC0 == 0x80:
            data = data[1:]
        return self._normalizer.normalize(data) == data

    def _find_doubtful(self) -> frozenset[int]:
        """Return the tokens whose last character can only become one that may be joined.

        Where the vocabulary has all bytes, hardly any beginning of a character is like that;
        where it does not, merging may leave nothing else of any, so all are doubtful.
        """
        lasts = sorted({text[:1] for text in self._tokens if text and text[0] & 0xC0 == 0x80})
        begun = {i: unfinished(text) for i, text in enumerate(self._tokens) if text}
        has_all = sum(text in self._tokens for text in _INSIDE) == len(_INSIDE)
        alone = {
            each: has_all and self._stands_alone(each, lasts)
            for each in set(begun.values())
            if each
        }
        return frozenset(i for i, each in begun.items() if each and not alone[each])

    def _stands_alone(self, begun: bytes, lasts: Sequence[bytes]) -> bool:
        """Tell whether `begun` can become a character that nothing happens to."""
        made = (begun + b"".join(rest) for rest in product(lasts, repeat=missing(begun)))
        return any(
            is_utf8(each) and _is_first(each.decode()) and self._stays(each) for each in made
        )

    def _is_risky(self, text: bytes) -> bool:
        """Tell whether a token can be joined to what is before it."""
        if text[0] < 0x80:
            return False
        if text[0] & 0xC0 == 0x80 or unfinished(text) == text:
            return True
        first = text.decode("utf-8", "ignore")[:1]
        return not first or not _is_first(first)


@cache
def _joined() -> frozenset[str]:
    """Return the characters that Unicode joins to one before them."""
    found = {*map(chr, range(0x1161, 0x1176)), *map(chr, range(0x11A8, 0x11C3))}
    for character in map(chr, range(0x110000)):
        parts = unicodedata.decomposition(character).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)


def _is_first(character: str) -> bool:
    """Tell whether nothing before a character is joined to it, or changes places with it."""
    return not unicodedata.combining(character) and character not in _joined()


def _end(text: bytes) -> bytes:
    """Return the end of a text that can matter to what comes after it."""
    begun = unfinished(text)
    whole = text[: len(text) - len(begun)][-_LONGEST:].decode("utf-8", "ignore")
    place = len(whole)
    while place > 0 and not _is_first(whole[place - 1]):
        place -= 1
    return whole[max(place - 1, 0) :].encode() + begun
