"""Texts that are a token wherever they occur, leftmost and longest first."""

from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np

from tokkit.canonical.protocols import Flags
from tokkit.kernels._jit import frozen
from tokkit.token_table import TokenTable
from tokkit.vocab import flatten

_CACHED = 256


Alive = tuple[bytes, ...]
"""The ends of a text that a content may still come of, each from where one may begin."""


class Contents:
    """What other tokens have to leave alone: the texts that are tokens by themselves.

    The search for them goes on from where the last one ended, so a content may begin anywhere
    but inside of another. What of the text could still become one is *alive*.

    Example: with the contents ``ab`` and ``xabz``, after ``x`` and the token ``ab`` there can
    be no ``z``: it would all have been the token ``xabz``.

    Args:
        contents: The texts, none of them empty.
        tokens: The text of each id; ``b""`` for ids that carry none.
    """

    def __init__(self, contents: Collection[bytes], tokens: Sequence[bytes]) -> None:
        self._contents = frozenset(contents)
        self._beginnings = {each[:end] for each in contents for end in range(1, len(each))}
        self._longest = max(map(len, contents))
        self._table = TokenTable(tokens)
        self._hit = frozen(_holding(self._contents, tokens))
        self.barred = lru_cache(_CACHED)(self._find_barred)

    def completes(self, alive: Alive, text: bytes) -> bool:
        """Tell whether a content that began earlier is complete with `text`."""
        return any(
            (each + text[:count]) in self._contents
            for each in alive
            for count in range(1, min(len(text), self._longest - len(each)) + 1)
        )

    def after(self, alive: Alive, text: bytes) -> Alive:
        """Return what is alive after a token that is no content."""
        starts = range(max(len(text) - self._longest + 1, 0), len(text))
        ends = [text[start:] for start in starts]
        return self._beginning([*(each + text for each in alive), *ends])

    def after_content(self, alive: Alive, content: bytes) -> Alive:
        """Return what is alive after a content."""
        return self._beginning([*(each + content for each in alive), content])

    def _beginning(self, ends: Sequence[bytes]) -> Alive:
        return tuple(each for each in ends if each in self._beginnings)

    def _find_barred(self, alive: Alive) -> Flags:
        """Return which tokens hold a content, or would complete one that has begun."""
        barred = self._hit.copy()
        for content in self._contents if alive else ():
            for each in alive:
                if not content.startswith(each) or len(each) == len(content):
                    continue
                rest = np.frombuffer(content[len(each) :], dtype=np.uint8)
                bounds = self._table.path(rest)
                if bounds.size == 2 * rest.size:
                    barred[self._table.order[bounds[-2] : bounds[-1]]] = 1
        return frozen(barred)


def _holding(contents: Collection[bytes], tokens: Sequence[bytes]) -> Flags:
    """Return which tokens have a content in them, ``uint8[V]``."""
    flags = np.zeros(len(tokens), dtype=np.uint8)
    data, ends = flatten(tokens)
    text = data.tobytes()
    for content in contents:
        place = text.find(content)
        while place >= 0:
            token = int(np.searchsorted(ends, place, side="right"))
            if place + len(content) <= ends[token]:
                flags[token] = 1
            place = text.find(content, place + 1)
    return flags
