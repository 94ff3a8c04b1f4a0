"""Added tokens that are text: canonical sequences when they are cut out of it first.

A tokenizer cuts text at its added tokens before anything else: wherever the content of one
occurs, leftmost and longest first, it is that token; what lies between two is a text of its
own to the rest of the tokenizer.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from tokkit.canonical.contents import Alive, Contents
from tokkit.canonical.protocols import NEVER, Flags, Grammar
from tokkit.canonical.states import States
from tokkit.kernels._jit import frozen


class _State(NamedTuple):
    """What decides what may come next.

    Attributes:
        is_later: Whether an added token came before the stretch of text.
        inner: The state of the grammar of the stretch.
        alive: What a content may still come of, see `Contents`.
    """

    is_later: bool
    inner: int
    alive: Alive


class WithAdded:
    """The grammar of a tokenizer with added tokens that are text.

    Attributes:
        stretches: The grammars of the first stretch and of later ones.

    Args:
        first: The grammar of a stretch that a text begins with.
        later: The grammar of any other stretch.
        contents: The id of each content.
        tokens: The text of each id; ``b""`` for ids that carry none.
        is_plain: Whether none of them takes white space around it or needs a border of words,
            which this grammar does not know of.
    """

    def __init__(
        self,
        first: Grammar,
        later: Grammar,
        contents: Mapping[bytes, int],
        tokens: Sequence[bytes],
        *,
        is_plain: bool = True,
    ) -> None:
        self.method = f"{first.method}, added tokens"
        self._contents = Contents(contents, tokens)
        self.exact = first.exact and later.exact and is_plain
        self.stretches = (first, later)
        self._texts = {token_id: text for text, token_id in contents.items()}
        self._tokens = tokens
        self._states = States[_State]()
        self.allowed = lru_cache(64)(self._find_allowed)
        self.start = self._states.number(_State(False, first.start, ()))

    def step(self, state: int, token: int) -> int:
        """Return the state after one token more; `NEVER` if that is not canonical."""
        is_later, inner, alive = self._states[state]
        if token in self._texts:
            return self._cut(is_later, inner, alive, self._texts[token])
        if self._contents.barred(alive)[token]:
            return NEVER
        after = self.stretches[is_later].step(inner, token)
        if after == NEVER:
            return NEVER
        alive = self._contents.after(alive, self._tokens[token])
        return self._states.number(_State(is_later, after, alive))

    def _cut(self, is_later: bool, inner: int, alive: Alive, content: bytes) -> int:
        """Return the state after an added token."""
        if not self.stretches[is_later].can_end(inner):
            return NEVER
        if self._contents.completes(alive, content):
            return NEVER
        alive = self._contents.after_content(alive, content)
        return self._states.number(_State(True, self.stretches[True].start, alive))

    def _find_allowed(self, state: int) -> Flags:
        """Return which tokens `step` would not answer with `NEVER`."""
        is_later, inner, alive = self._states[state]
        flags = self.stretches[is_later].allowed(inner) & (1 - self._contents.barred(alive))
        for token_id in self._texts:
            flags[token_id] = self.step(state, token_id) != NEVER
        return frozen(flags)

    def can_end(self, state: int) -> bool:
        """Tell whether the sequence is the encoding of a whole text."""
        is_later, inner, _ = self._states[state]
        return self.stretches[is_later].can_end(inner)
