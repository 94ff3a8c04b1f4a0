"""Canonical sequences of a unigram model: those that are the best path to where they end."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tokkit.alphabet import SPACE_MARK
from tokkit.canonical.longest import as_array, has_text
from tokkit.canonical.margins import Margins, open_piece
from tokkit.canonical.protocols import NEVER, Flags
from tokkit.canonical.states import States
from tokkit.kernels._jit import frozen
from tokkit.kernels.lattice import Entries, advance, next_bytes
from tokkit.segment.unigram import Unigram
from tokkit.utf8 import is_utf8, missing

ANYWHERE = 0
"""The state after the rest of a character of which the beginning is not known."""


class _State(NamedTuple):
    """What the future can see of a piece.

    Attributes:
        entries: Where tokens may have begun that go on; see `tokkit.kernels.lattice`.
        begun: The bytes of a character that is no token, after that.
    """

    entries: Entries
    begun: bytes


class Viterbi:
    """What `Unigram` can produce within a piece.

    The best path to a place depends only on the text up to there, so of all sequences with the
    same bytes just one is canonical, the best, and its beginnings are too. A token may come
    next if the best path to where it ends ends with it. Scores are added up as the encoder
    does, to the last bit: the sum so far is part of a state.

    Most tokens are decided without a look at the state: by how much they are better than any
    other way to write their own text. A state decides about those that a token begun earlier
    can cut into, and those whose margin is less than what rounding might add.

    Characters that are no token are written with their bytes, where `Unigram.byte_fallback`
    has them; without they cannot occur.

    Attributes:
        method: ``"best path"``.
        exact: False only if there is a token of several characters, none of which is a token,
            which scores less than if they were unknown: the encoder gives that token if just
            these characters are a run of unknown ones.
        begins: Which tokens a piece may begin with, ``uint8[V]``.

    Args:
        segmenter: What segments pieces.
        tokens: The text of each id; ``b""`` for ids that carry none.
    """

    method = "best path"

    def __init__(self, segmenter: Unigram, tokens: Sequence[bytes]) -> None:
        last = {each: i for i, each in enumerate(segmenter.spellings) if each}
        ids = {each: last[each] for each in sorted(last)}
        self._margins = Margins(segmenter, ids, len(tokens))
        self.exact = not (segmenter.fuse_unk and _has_hidden(segmenter, ids))
        escapes = _escapes_spaces(ids, tokens)
        self._bytes = _bytes_of(segmenter, tokens, without=b" " if escapes else b"")
        self._byte_ids = np.array(list(self._bytes), dtype=np.int64)
        self._byte_values = np.array(list(self._bytes.values()), dtype=np.int64)
        self._usable = np.zeros(256, dtype=np.uint8)
        self._usable[self._byte_values] = 1
        literal = {*self._bytes, *(segmenter.byte_fallback or ()), segmenter.unk_id}
        self._spellings = {
            i: each
            for each, i in ids.items()
            if i not in literal and has_text(tokens, i) and is_utf8(each)
        }
        if escapes:
            self._spellings = {
                i: each for i, each in self._spellings.items() if b" " not in each
            }
        self._texts = np.zeros(len(tokens), dtype=np.uint8)
        self._texts[[*self._spellings, *self._bytes]] = 1
        self._states = States[_State]()
        nowhere = Entries(np.zeros(0, np.int32), np.zeros(0), np.zeros(0))
        self._number(_State(nowhere, b""))
        self._start = self._number(_State(open_piece(), b""))
        self.begins = self.following(self._start)

    def _number(self, state: _State) -> int:
        """Return the number of a state, a new one if it was not met before."""
        nodes, bases, shifts = state.entries
        key = nodes.tobytes(), bases.tobytes(), shifts.tobytes(), state.begun
        return self._states.number(state, key)

    def begin(self, token: int) -> int:
        """Return the state after the first token of a piece; `NEVER` if it cannot be that.

        After a byte from inside a character anything may come.
        """
        byte = self._bytes.get(token, 0)
        if byte & 0xC0 == 0x80:
            return ANYWHERE
        return self.follow(self._start, token)

    def follow(self, state: int, token: int) -> int:
        """Return the state after the next token of a piece, or `NEVER`."""
        if not self._texts[token]:
            return NEVER
        if state == ANYWHERE:
            return ANYWHERE
        entries, begun = self._states[state]
        if token in self._bytes:
            return self._follow_byte(entries, begun, self._bytes[token])
        if begun:
            return NEVER
        network = self._margins.network
        is_best, _, after = advance(network, entries, as_array(self._spellings[token]))
        return self._number(_State(after, b"")) if is_best else NEVER

    def _follow_byte(self, entries: Entries, begun: bytes, byte: int) -> int:
        """Return the state after a byte of a character that is no token."""
        if not self._next_bytes(entries, begun)[byte]:
            return NEVER
        begun += bytes([byte])
        if missing(begun):
            return self._number(_State(entries, begun))
        _, _, after = advance(self._margins.network, entries, as_array(begun))
        return self._number(_State(after, b""))

    def _next_bytes(self, entries: Entries, begun: bytes) -> Flags:
        """Return which bytes can come next of a character that is no token, ``uint8[256]``."""
        possible = np.empty(256, dtype=np.uint8)
        network = self._margins.network
        next_bytes(network, entries, as_array(begun), self._usable, possible)
        return possible

    def following(self, state: int) -> Flags:
        """Return which tokens may come next, ``uint8[V]``."""
        if state == ANYWHERE:
            return frozen(self._texts)
        entries, begun = self._states[state]
        flags = np.zeros(self._texts.size, dtype=np.uint8)
        if not begun:
            flags = self._margins.winners(entries) & self._texts
        if self._bytes:
            possible = self._next_bytes(entries, begun)
            flags[self._byte_ids] = possible[self._byte_values]
        return frozen(flags)

    def stuck(self, state: int | None) -> Sequence[int]:
        """Return none: a piece may end after any of its tokens."""
        return ()

    def may_meet(self, first: int, second: int) -> bool:
        """Return True: two tokens alone do not say."""
        return True

    def may_end(self, state: int) -> bool:
        """Tell whether the piece may end here: where no character is unfinished."""
        return not self._states[state].begun


def _escapes_spaces(ids: Mapping[bytes, int], tokens: Sequence[bytes]) -> bool:
    """Tell whether every space has become a ▁ by the time that pieces are segmented."""
    return any(
        has_text(tokens, i) and tokens[i] == each.replace(SPACE_MARK, b" ")
        for each, i in ids.items()
        if SPACE_MARK in each
    )


def _bytes_of(segmenter: Unigram, tokens: Sequence[bytes], without: bytes) -> dict[int, int]:
    """Return the byte that each byte token stands for, but for those that never occur."""
    fallback = enumerate(segmenter.byte_fallback or ())
    return {
        i: byte
        for byte, i in fallback
        if i >= 0 and byte not in without and has_text(tokens, i)
    }


def _has_hidden(segmenter: Unigram, ids: Mapping[bytes, int]) -> bool:
    """Tell whether a run of unknown characters can be better than the token they are."""
    unknown = segmenter.unk_score
    is_low = segmenter.scores < max(2 * unknown, unknown * max(map(len, ids), default=0))
    low = [each.decode("utf-8", "replace") for each, i in ids.items() if is_low[i]]
    return any(
        segmenter.scores[ids[text.encode()]] < len(text) * unknown
        and not any(character.encode() in ids for character in text)
        for text in low
        if text.encode() in ids
    )
