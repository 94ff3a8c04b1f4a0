"""Texts that are set apart within pieces: the user-defined pieces of SentencePiece's BPE."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tokkit.canonical.contents import Alive, Contents
from tokkit.canonical.protocols import NEVER, Flags, PieceGrammar
from tokkit.canonical.states import States
from tokkit.kernels._jit import frozen

_FRESH = -2
"""The state of the rest right after a text that is set apart, where it begins anew."""


class _State(NamedTuple):
    """What decides what may come next; see `Contents` for what is alive."""

    inner: int
    alive: Alive


class Apart:
    """A piece in which some texts are tokens wherever they occur, the longest first.

    What lies between them is segmented as if it were a piece.

    Attributes:
        method: That of the rest, and ``set apart``.
        exact: Whether the rest is.
        begins: Which tokens a piece may begin with, ``uint8[V]``.

    Args:
        inner: What lies between.
        contents: The ids of the texts that are set apart.
        tokens: The text of each id; ``b""`` for ids that carry none.
    """

    def __init__(
        self, inner: PieceGrammar, contents: Mapping[bytes, int], tokens: Sequence[bytes]
    ) -> None:
        self._contents = Contents(contents, tokens)
        self.method = f"{inner.method}, set apart"
        self.exact = inner.exact
        self._inner = inner
        self._tokens = tokens
        self._ids = [i for i in contents.values() if i < len(tokens) and tokens[i]]
        self._set_apart = frozenset(self._ids)
        self._states = States[_State]()
        self._fresh = self._states.number(_State(_FRESH, ()))
        self.begins = self.following(self._fresh)

    def begin(self, token: int) -> int:
        """Return the state after the first token of a piece; `NEVER` if it cannot be that."""
        return self.follow(self._fresh, token)

    def follow(self, state: int, token: int) -> int:
        """Return the state after the next token of a piece, or `NEVER`."""
        inner, alive = self._states[state]
        text = self._tokens[token]
        if token in self._set_apart:
            if not self.may_end(state) or self._contents.completes(alive, text):
                return NEVER
            return self._states.number(
                _State(_FRESH, self._contents.after_content(alive, text))
            )
        if self._contents.barred(alive)[token]:
            return NEVER
        if inner == _FRESH:
            after = self._inner.begin(token)
        else:
            after = self._inner.follow(inner, token)
        if after == NEVER:
            return NEVER
        return self._states.number(_State(after, self._contents.after(alive, text)))

    def following(self, state: int) -> Flags:
        """Return which tokens `follow` would not answer with `NEVER`."""
        inner, alive = self._states[state]
        is_fresh = inner == _FRESH
        flags = self._inner.begins if is_fresh else self._inner.following(inner)
        flags = flags & (1 - self._contents.barred(alive))
        for token in self._ids:
            flags[token] = self.may_end(state) and not self._contents.completes(
                alive, self._tokens[token]
            )
        return frozen(flags)

    def may_meet(self, first: int, second: int) -> bool:
        """Return True: two tokens alone do not say."""
        return True

    def may_end(self, state: int) -> bool:
        """Tell whether the piece may end here."""
        inner = self._states[state].inner
        return inner == _FRESH or self._inner.may_end(inner)

    def stuck(self, state: int | None) -> Sequence[int]:
        """Return the tokens after which what lies between may not end."""
        inner = _FRESH if state is None else self._states[state].inner
        return self._inner.stuck(None if inner == _FRESH else inner)
