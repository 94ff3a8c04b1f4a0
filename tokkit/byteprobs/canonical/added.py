"""Added tokens that are text: canonical sequences when they are cut out of it first.

A tokenizer cuts text at its added tokens before anything else: wherever the content of one
occurs, leftmost and longest first, it is that token; what lies between two is a text of its
own to the rest of the tokenizer.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tokkit.byteprobs.canonical.protocols import NEVER, Flags, Grammar
from tokkit.byteprobs.table import TokenTable
from tokkit.kernels._jit import frozen

_CACHED = 256


class _State(NamedTuple):
    """What decides what may come next.

    Attributes:
        inner: The state of the grammar of the stretch of text; `NEVER` right after an added
            token, where a stretch may begin.
        open: What a content could still begin with: the end of the stretch.
        pending: The added token before the stretch and all of the stretch, while a longer
            content could still come of it; else empty.
    """

    inner: int
    open: bytes
    pending: bytes


class WithAdded:
    """The grammar of a tokenizer with added tokens that are text.

    Where a content has begun inside of another that then does not come to pass, the library
    goes back and this grammar does not: `exact` is False if one content lies inside another
    other than at its beginning.

    Args:
        first: The grammar of a stretch that a text begins with.
        later: The grammar of any other stretch.
        contents: The id of each content.
        tokens: The text of each id; ``b""`` for ids that carry none.
        is_plain: Whether none of them takes white space around it or needs a border of words,
            which this grammar does not know of.
    """

    start = 0

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
        nested = any(a in b[1:] for a in contents for b in contents if len(a) < len(b))
        self.exact = first.exact and later.exact and not nested and is_plain
        self._grammars = (first, later)
        self._contents = dict(contents)
        self._texts = {token_id: text for text, token_id in contents.items()}
        self._tokens = tokens
        self._table = TokenTable(tokens)
        self._states: list[tuple[bool, _State]] = []
        self._numbers: dict[tuple[bool, _State], int] = {}
        self._barred = lru_cache(_CACHED)(self._find_barred)
        self.allowed = lru_cache(64)(self._find_allowed)
        self._number(False, _State(first.start, b"", b""))

    def _number(self, is_later: bool, state: _State) -> int:
        key = is_later, state
        if key not in self._numbers:
            self._numbers[key] = len(self._states)
            self._states.append(key)
        return self._numbers[key]

    def step(self, state: int, token: int) -> int:
        """Return the state after one token more; `NEVER` if that is not canonical."""
        is_later, (inner, opened, pending) = self._states[state]
        if token in self._texts:
            return self._cut(is_later, inner, opened, pending, self._texts[token])
        if self._barred(opened, pending)[token]:
            return NEVER
        after = self._grammars[is_later].step(inner, token)
        if after == NEVER:
            return NEVER
        text = self._tokens[token]
        return self._number(
            is_later, _State(after, self._opening(opened + text), self._longer(pending, text))
        )

    def _cut(
        self, is_later: bool, inner: int, opened: bytes, pending: bytes, content: bytes
    ) -> int:
        """Return the state after an added token."""
        if not self._grammars[is_later].can_end(inner):
            return NEVER
        if self._completes(opened, pending, content):
            return NEVER
        later = self._grammars[True].start
        return self._number(True, _State(later, b"", self._longer(content, b"")))

    def _completes(self, opened: bytes, pending: bytes, text: bytes) -> bool:
        """Tell whether a content that began earlier is complete with `text`."""
        if pending and any(
            (pending + text).startswith(content) and len(content) > len(pending)
            for content in self._contents
        ):
            return True
        joined = opened + text
        return any(
            joined.startswith(content, start) and start + len(content) > len(opened)
            for start in range(len(opened))
            for content in self._contents
        )

    def _opening(self, text: bytes) -> bytes:
        """Return the longest end of `text` that some content goes on from."""
        longest = max(map(len, self._contents))
        for start in range(max(len(text) - longest + 1, 0), len(text)):
            if any(
                content.startswith(text[start:]) and len(content) > len(text) - start
                for content in self._contents
            ):
                return text[start:]
        return b""

    def _longer(self, pending: bytes, text: bytes) -> bytes:
        """Return what is pending with `text`, if some longer content begins with it."""
        joined = pending + text if pending else b""
        is_longer = any(
            content.startswith(joined) and len(content) > len(joined)
            for content in self._contents
        )
        return joined if joined and is_longer else b""

    def _find_barred(self, opened: bytes, pending: bytes) -> Flags:
        """Return which tokens would complete the content of an added one."""
        barred = np.zeros(len(self._tokens), dtype=np.uint8)
        if not (opened or pending):
            for token_id, text in enumerate(self._tokens):
                if text and any(content in text for content in self._contents):
                    barred[token_id] = 1
            return frozen(barred)
        barred |= self._barred(b"", b"")
        for content in self._contents:
            rests = [
                content[len(opened) - start :]
                for start in range(len(opened))
                if content.startswith(opened[start:])
            ]
            if pending and content.startswith(pending):
                rests.append(content[len(pending) :])
            for rest in filter(None, rests):
                bounds = self._table.path(np.frombuffer(rest, dtype=np.uint8))
                if bounds.size == 2 * len(rest):
                    barred[self._table.order[bounds[-2] : bounds[-1]]] = 1
        return frozen(barred)

    def _find_allowed(self, state: int) -> Flags:
        """Return which tokens `step` would not answer with `NEVER`."""
        is_later, (inner, opened, pending) = self._states[state]
        flags = self._grammars[is_later].allowed(inner) & (1 - self._barred(opened, pending))
        for token_id in self._texts:
            flags[token_id] = self.step(state, token_id) != NEVER
        return frozen(flags)

    def can_end(self, state: int) -> bool:
        """Tell whether the sequence is the encoding of a whole text."""
        is_later, (inner, _, _) = self._states[state]
        return self._grammars[is_later].can_end(inner)
