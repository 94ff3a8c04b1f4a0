"""Canonical sequences of WordPiece: the longest token, or nothing fits at all."""

from collections.abc import Mapping, Sequence

import numpy as np

from tokkit.alphabet import SPACE_MARK
from tokkit.canonical.longest import State, Trie, as_array, has_text
from tokkit.canonical.protocols import NEVER, Flags
from tokkit.canonical.states import States
from tokkit.kernels._jit import frozen
from tokkit.kernels.overlap import ROOT
from tokkit.segment.wordpiece import WordPiece as Segmenter


class WordPiece:
    """What `tokkit.segment.wordpiece.WordPiece` can produce within a piece that fits.

    As `Longest`, but that the first token of a piece is looked for among all spellings and the
    others among those with the prefix, and that pieces have at most so many characters. A
    piece may end after every token: what is there then fits.

    Attributes:
        method: ``"word pieces"`` or ``"whole words"``.
        exact: True.
        begins: Which ids a piece may begin with, ``uint8[V]``.

    Args:
        segmenter: What segments pieces.
        tokens: The text of each id, without the prefix; ``b""`` for ids that carry none.
    """

    exact = True

    def __init__(self, segmenter: Segmenter, tokens: Sequence[bytes]) -> None:
        self.method = "whole words" if segmenter.whole_words else "word pieces"
        self._whole = segmenter.whole_words
        self._most = segmenter.max_characters
        ids = {each: i for i, each in enumerate(segmenter.spellings) if each}
        self._trie = Trie.of(ids)
        self._middle = self._trie.walk(segmenter.prefix)
        self._first, self._inside = _readings(ids, segmenter.prefix, tokens)
        self._size = len(tokens)
        size = max(self._size, len(segmenter.spellings))
        self._characters = np.zeros(size, dtype=np.int64)
        for token_id, piece in (self._first | self._inside).items():
            self._characters[token_id] = _count(piece)
        self._follows = np.zeros(size, dtype=np.uint8)
        self._follows[list(self._inside)] = 0 if self._whole else 1
        begins = np.zeros(size, dtype=np.uint8)
        begins[list(self._first)] = 1
        if not self._whole:
            begins[self._characters > self._most] = 0
        self.begins: Flags = frozen(begins[: self._size])
        self._states = States[State]()

    def begin(self, token: int) -> int:
        """Return the state after the first token of a piece; `NEVER` if it cannot be that.

        For tokens that are only found inside pieces: the state after one somewhere in a piece.
        """
        if self.begins[token]:
            return self._after((), self._most, token, ROOT)
        if self._follows[token]:
            return self._after((), self._most, token, self._middle)
        return NEVER

    def follow(self, state: int, token: int) -> int:
        """Return the state after the next token of a piece, or `NEVER`."""
        *nodes, left = self._states[state]
        if not self._follows[token]:
            return NEVER
        return self._after(tuple(nodes), left, token, self._middle)

    def _after(self, nodes: State, left: int, token: int, root: int) -> int:
        """Return the state after a token below `root`, with `left` characters to go."""
        left -= int(self._characters[token])
        if self._whole:
            return self._states.number((0,))
        spelling = self._first[token] if root == ROOT and not nodes else self._inside[token]
        alive = self._trie.overlap(nodes, as_array(spelling))
        if left < 0 or alive is None:
            return NEVER
        own = self._trie.walk(spelling, root)
        found = {*alive, own} if self._trie.has_more(own) else {*alive}
        return self._states.number((*sorted(found), left))

    def following(self, state: int) -> Flags:
        """Return which tokens may come next, ``uint8[V]``."""
        *nodes, left = self._states[state]
        flags = self._follows & (self._characters <= left)
        if self._middle >= 0:
            flags = self._trie.without_overlaps(tuple(nodes), self._middle, flags)
        return frozen(flags[: self._size])

    def stuck(self, state: int | None) -> Sequence[int]:
        """Return none: a piece may end after any of its tokens."""
        return ()

    def may_meet(self, first: int, second: int) -> bool:
        """Return True: two tokens alone do not say."""
        return True

    def may_end(self, state: int) -> bool:
        """Tell whether the piece may end here: always."""
        return True


def _readings(
    ids: Mapping[bytes, int], prefix: bytes, tokens: Sequence[bytes]
) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """Return what ids with text are found by at the beginning of a piece, and inside it."""
    first: dict[int, bytes] = {}
    inside: dict[int, bytes] = {}
    for spelling, token_id in ids.items():
        rest = spelling.removeprefix(prefix)
        # The space that comes before a word is part of the text of its first token.
        if any(_is_text(tokens, token_id, each) for each in (spelling, b" " + spelling)):
            first[token_id] = spelling
        if spelling.startswith(prefix) and _is_text(tokens, token_id, rest):
            inside[token_id] = rest
    return first, inside


def _is_text(tokens: Sequence[bytes], token_id: int, spelling: bytes) -> bool:
    """Tell whether an id's text is what it is found by, but for the mark of a space."""
    if not spelling or not has_text(tokens, token_id):
        return False
    return tokens[token_id] in (spelling, spelling.replace(SPACE_MARK, b" "))


def _count(text: bytes) -> int:
    """Count characters: bytes that none of them goes on with."""
    return sum(byte & 0xC0 != 0x80 for byte in text)
