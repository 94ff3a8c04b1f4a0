"""Canonical sequences of any tokenizer, found by asking it about a number of texts."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from tokkit.canonical.protocols import NEVER, Flags
from tokkit.canonical.states import States
from tokkit.kernels._jit import frozen
from tokkit.tokenizer import Tokenizer
from tokkit.utf8 import is_utf8, missing, unfinished

ENDINGS = tuple(
    ending.encode()
    for ending in (
        *("", " ", "a", " a", "e", "s", "ing ", "A", " A", "Aa", "'s", "'", "  ", "   a"),
        *(
            "\n",
            "\n\n",
            " \n",
            "\na",
            "\t",
            "0",
            "00",
            "000",
            " 1",
            ".",
            ",",
            "!",
            "?",
            " (",
            ")",
        ),
        *("_", "-", "/", "#", "é", "ß", "я", "Я", "漢", "の", "한", "ا", "ि", "\u0301", "😀"),
    )
)
"""What is tried after a text: letters and cases, spaces and lines, digits, signs, scripts."""

_FEW = 4
"""After how many of the ways to finish a character all endings are tried."""
_CACHED = 64

Ids = tuple[int, ...]


class Witness:
    """The sequences that a tokenizer gives for some text out of many that are tried.

    A sequence counts if there is an ending such that the encoding of its text with that ending
    begins with it. For every sequence there are the same endings, and if its text breaks off
    inside a character, the ways to finish it. So what is found is canonical; what is not found
    may be, if only endings show it that are not among those: longer words, rarer scripts, a
    certain number of digits, some characters of three or four bytes. Texts are encoded as a
    whole, so it gets slower as they get longer: seconds for one call of `allowed` where there
    are tens of thousands of tokens.

    Attributes:
        method: ``"witness"``.
        exact: False.
        start: The state before the first token.

    Args:
        tokenizer: What encodes texts.
        tokens: The text of each id; ``b""`` for ids that carry none.
        lead: What the encoder puts before a text, and the first tokens spell.
    """

    method = "witness"
    exact = False

    def __init__(
        self, tokenizer: Tokenizer, tokens: Sequence[bytes], lead: bytes = b""
    ) -> None:
        self._tokenizer = tokenizer
        self._tokens = tuple(tokens)
        self._lead = lead
        self._sequences = States[Ids]()
        self.start = self._sequences.number(())
        self.allowed = lru_cache(_CACHED)(self._find_allowed)
        self.step = lru_cache(None)(self._step)

    def _step(self, state: int, token: int) -> int:
        """Return the state after one token more; `NEVER` if no text shows it."""
        if not self._confirmed(state, [token]):
            return NEVER
        return self._sequences.number((*self._sequences[state], token))

    def _find_allowed(self, state: int) -> Flags:
        """Return which tokens `step` would not answer with `NEVER`, ``uint8[V]``."""
        flags = np.zeros(len(self._tokens), dtype=np.uint8)
        flags[self._confirmed(state, range(len(self._tokens)))] = 1
        return frozen(flags)

    def can_end(self, state: int) -> bool:
        """Tell whether the sequence is the encoding of a whole text."""
        sequence = self._sequences[state]
        text = self._text_of(self._spell(sequence))
        if text is None or not is_utf8(text):
            return False
        return self._encode([text]) == [sequence]

    def _spell(self, sequence: Ids) -> bytes:
        return b"".join(self._tokens[i] for i in sequence)

    def _text_of(self, spelled: bytes) -> bytes | None:
        """Return what the user sees of the bytes of a sequence; None if they cannot be."""
        if self._lead.startswith(spelled):
            return b""
        return spelled.removeprefix(self._lead) if spelled.startswith(self._lead) else None

    def _encode(self, texts: Sequence[bytes]) -> list[Ids]:
        encoded = self._tokenizer.encode_batch(texts, parse_specials=False)
        return [tuple(ids.tolist()) for ids in encoded]

    def _confirmed(self, state: int, candidates: Iterable[int]) -> list[int]:
        """Return those of some tokens for which there is a witness, in rounds of one ending."""
        sequence = self._sequences[state]
        before = self._spell(sequence)
        tail = unfinished(before)
        waiting = [
            (token, text, endings(text))
            for token in candidates
            if self._tokens[token]
            and _is_begun(tail + self._tokens[token])
            and (text := self._text_of(before + self._tokens[token])) is not None
        ]
        found: list[int] = []
        while waiting:
            tried = [
                (each, text + ending)
                for each in waiting
                for text, ending in [(each[1], next(each[2], None))]
                if ending is not None
            ]
            waiting = []
            for (each, _), ids in zip(tried, self._encode([t for _, t in tried]), strict=True):
                if ids[: len(sequence) + 1] == (*sequence, each[0]):
                    found.append(each[0])
                else:
                    waiting.append(each)
        return found


def endings(text: bytes) -> Iterator[bytes]:
    """List what is tried after a text, the likeliest first."""
    tail = unfinished(text)
    if not tail:
        yield from ENDINGS
        return
    finished = list(finishings(tail))
    yield from finished
    yield from (each + ending for ending in ENDINGS[1:] for each in finished[:_FEW])


def finishings(tail: bytes) -> Iterator[bytes]:
    """List ways to finish a character: all if it lacks a byte, some if it lacks more."""
    needed = missing(tail)
    lasts = range(0x80, 0xC0) if needed == 1 else (0x80, 0x95, 0xA9, 0xBF)
    for middle in range(0x80, 0xC0) if needed > 1 else [0]:
        for last in lasts:
            ending = bytes([middle, *[last] * (needed - 1)] if needed > 1 else [last])
            if is_utf8(tail + ending):
                yield ending


def _is_begun(data: bytes) -> bool:
    """Tell whether bytes are text, but that the last character may be unfinished."""
    return is_utf8(data.removesuffix(unfinished(data)))
