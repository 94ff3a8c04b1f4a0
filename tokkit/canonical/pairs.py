"""The segmentations of byte-pair encoding: every token and every two neighbours by themselves.

Why pairs are enough. BPE makes one merge after the other, always the available one of lowest
rank, of equal ranks the leftmost. Cut what comes out anywhere: a merge that was best in the
whole was best in its part, so each part by itself goes through the same merges and comes out
as the same tokens. The other way round, let every token and every two neighbours be what BPE
makes of their bytes. The first merge across a border would have been the best in the whole,
hence among those two neighbours alone, which do not merge: there is none. This holds for any
ranks, for ties, and for symbols that never merge.

When two tokens merge. Each has one history. Run together, the histories are two queues: the
head of lower rank goes first, the left one if they tie. So a symbol is there from its *key*
on, the worst rank of all its merges, whatever stands beside the token. Left and right symbols
that are at the border at the same time merge, if there is a merge of rank c, unless one merge
made until one of the two is gone is better: until the left is gone (by then its key is below
that of what it becomes) the worst of these ranks is the key of what it becomes, and c has to
be below; until the right is gone likewise, c may be equal, being further left. Only where a
symbol goes as soon as it is there, because a merge became possible that is better than those
made already (ranks that are not in the order of training do that), it is the rank of that
merge alone. A right part waits for nothing then; a left part waits for a right part with the
same key. See `LEFT_LIMIT` and `RIGHT_LIMIT` in `tokkit.kernels.pairs`.

So what may not follow a token is, for each symbol r at its right edge in time and each merge
(r, y) that is in time: y, and the tokens that begin with y long enough. Sorted by what y
becomes, these are ranges, and one pass clears them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tokkit.canonical.byte_characters import ByteCharacters
from tokkit.canonical.pair_tables import build_tables, supports
from tokkit.canonical.protocols import NEVER, Flags
from tokkit.canonical.states import States
from tokkit.canonical.whole_pieces import NOWHERE, ROOT, WholePieces
from tokkit.kernels._jit import frozen
from tokkit.segment.bpe import BPE
from tokkit.utf8 import missing

__all__ = ["Pairs", "supports"]

_ROOM = 1 << 25
"""Bytes of flags that are kept, but those of `_FEWEST` symbols at least."""
_FEWEST = 16


class _State(NamedTuple):
    """What is known of a sequence.

    Attributes:
        last: The last symbol, or one of the pseudo-symbols of `Pairs`.
        prefix: The first bytes of a character that is spelled byte by byte.
        node: Where the sequence is in the tree of whole tokens' merges.
    """

    last: int
    prefix: bytes
    node: int


class Pairs:
    """The segmentations of pieces by a `BPE` segmenter that `supports` accepts.

    A state is the last token; a few more are numbered as they are met.

    Attributes:
        method: See `PieceGrammar`.
        exact: See `PieceGrammar`.
        begins: See `PieceGrammar`.
    """

    method = "pairs"
    exact = True

    def __init__(self, segmenter: BPE, tokens: Sequence[bytes]) -> None:
        """Merge every token once.

        Args:
            segmenter: Says what pieces become.
            tokens: The text bytes of each id; ``b""`` for ids that carry no text.
        """
        self._size = len(tokens)
        symbols = max(len(tokens), len(segmenter.spellings))
        self._free, self._whole, self._somewhere = symbols, symbols + 1, symbols + 2
        self._plain = symbols + 3
        self._tables = build_tables(segmenter)
        self._characters = (
            ByteCharacters(segmenter, tokens) if segmenter.byte_fallback else None
        )
        self._states = States[_State]()
        kept = max(_ROOM // (symbols or 1), _FEWEST)
        self._flags_after = lru_cache(kept)(self._find_flags_after)
        self._carries = np.zeros(symbols, dtype=np.bool_)
        self._carries[: len(tokens)] = [bool(token) for token in tokens]
        self._base = self._base_flags(segmenter)
        self._wholes = WholePieces(segmenter, self._tables)
        self.begins = self._begins()

    def begin(self, token: int) -> int:
        """Return the state after the first token of a piece; `NEVER` if it cannot be that."""
        if token in self._wholes.alone and self._carries[token]:
            return self._whole
        byte = self._byte(token)
        if byte is not None and byte & 0xC0 == 0x80:
            return self._somewhere
        return self._step(_State(self._free, b"", ROOT), token)

    def follow(self, state: int, token: int) -> int:
        """Return the state after the next token of a piece, or `NEVER`."""
        return self._step(self._state(state), token)

    def following(self, state: int) -> Flags:
        """Return which tokens `follow` would not answer with `NEVER`."""
        return self._flags(self._state(state))

    def may_meet(self, first: int, second: int) -> bool:
        """Tell whether one token may follow another in some piece."""
        if self._byte(first) is not None or self._byte(second) is not None:
            return True
        if first in self._wholes.alone or second in self._wholes.alone:
            return False
        return bool(self._base[first] and self._base[second]) and self._fits(first, second)

    def may_end(self, state: int) -> bool:
        """Tell whether the piece may end here."""
        if state < self._plain:
            return True
        known = self._state(state)
        return not known.prefix and known.node not in self._wholes.ends_elsewhere

    def stuck(self, state: int | None) -> Sequence[int]:
        """Return the tokens that make what is, as a whole piece, another token."""
        node = ROOT if state is None else self._state(state).node
        if node == NOWHERE:
            return ()
        edges = self._wholes.edges[node].items()
        return [token for token, after in edges if after in self._wholes.ends_elsewhere]

    def _state(self, number: int) -> _State:
        if number < self._plain:
            return _State(number, b"", NOWHERE)
        return self._states[number - self._plain]

    def _number_alive(self, state: _State) -> int:
        """Number a state; `NEVER` if no piece goes through it."""
        if not state.prefix and state.node == NOWHERE:
            return state.last
        if state not in self._states and not self._is_alive(state):
            return NEVER
        return self._plain + self._states.number(state)

    def _is_alive(self, state: _State) -> bool:
        """Tell whether some piece goes through a state: it may end there, or go on."""
        may_end = not state.prefix and state.node not in self._wholes.ends_elsewhere
        return may_end or state.node == NOWHERE or bool(self._flags(state).any())

    def _step(self, state: _State, token: int) -> int:
        """Return the number of the state after one token more, or `NEVER`."""
        byte = self._byte(token)
        node = self._wholes.after(state.node, token)
        if byte is not None:
            return self._step_byte(state, byte, node)
        if state.prefix or not self._base[token] or not self._fits(state.last, token):
            return NEVER
        return self._number_alive(_State(token, b"", node))

    def _step_byte(self, state: _State, byte: int, node: int) -> int:
        """Return the number of the state after one byte more of a character, or `NEVER`."""
        assert self._characters
        if state.last == self._whole:
            return NEVER
        if state.last == self._somewhere and not state.prefix and byte & 0xC0 == 0x80:
            return self._somewhere
        prefix = state.prefix + bytes([byte])
        free = self._characters.has_free(prefix)
        fitting = [
            symbol
            for symbol in self._characters.virtual(prefix)
            if self._fits(state.last, symbol)
        ]
        if not free and not fitting:
            return NEVER
        if missing(prefix):
            return self._number_alive(_State(state.last, prefix, node))
        return self._number_alive(_State(self._free if free else fitting[0], b"", node))

    def _fits(self, last: int, symbol: int) -> bool:
        """Tell whether merging leaves a symbol behind another one."""
        if last >= self._free:
            return last != self._whole
        return self._tables.may_follow(last, symbol)

    def _byte(self, token: int) -> int | None:
        """Return the byte that a token stands for by itself."""
        return None if self._characters is None else self._characters.byte_of.get(token)

    def _base_flags(self, segmenter: BPE) -> Flags:
        """Return which tokens may stand behind a free character."""
        flags = np.zeros(self._free, dtype=np.uint8)
        flags[self._tables.order] = 1
        flags[~self._carries] = 0
        if segmenter.late_unk:
            flags[segmenter.size :] = 0
        if self._characters is not None:
            for token, byte in self._characters.byte_of.items():
                flags[token] = self._characters.has_free(bytes([byte]))
        return flags

    def _flags(self, state: _State) -> Flags:
        """Return which tokens lead from a state to one that is alive."""
        if state.prefix:
            flags = np.zeros(self._size, dtype=np.uint8)
            self._flag_bytes(state, flags)
            return frozen(flags)
        flags = self._flags_after(state.last)
        edges = {} if state.node == NOWHERE else self._wholes.edges[state.node]
        dead = [token for token in edges if self._step(state, token) == NEVER]
        if dead:
            flags = flags.copy()
            flags[dead] = 0
        return frozen(flags)

    def _find_flags_after(self, last: int) -> Flags:
        """Return which tokens may stand behind a symbol at the end of a character.

        Those that would merge with it, or part of it, are cleared.
        """
        if last == self._whole:
            return frozen(np.zeros(self._size, dtype=np.uint8))
        flags = self._base.copy()
        if last < self._free:
            self._tables.clear_followers(last, flags)
        if self._characters is not None and (
            last == self._somewhere or self._characters.has_virtual
        ):
            self._flag_bytes(_State(last, b"", NOWHERE), flags)
        return frozen(flags[: self._size])

    def _flag_bytes(self, state: _State, flags: Flags) -> None:
        """Flag the bytes that may follow."""
        assert self._characters
        for token, byte in self._characters.byte_of.items():
            is_inside = byte & 0xC0 == 0x80
            if not flags[token] and (is_inside or not state.prefix):
                flags[token] = self._step(state, token) != NEVER

    def _begins(self) -> Flags:
        """Return which tokens a piece may begin with."""
        flags = self._flags_after(self._somewhere).copy()
        for token in [*self._wholes.edges[ROOT], *self._wholes.alone]:
            flags[token] = self.begin(token) != NEVER
        return frozen(flags)
