"""Which tokens may become one: merges do not cross the boundaries of words, say.

Every rule works on the bytes of the two tokens together. Bytes that are no whole characters may
always be merged, except over white space: a space-like byte within the result forbids it,
unless all of it is space-like. Two line feeds are never merged.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from tokkit.pretokenize import Pieces
from tokkit.tokenizer import Tokenizer
from tokkit.utf8 import is_utf8

Boundary = Literal["pretokens", "word", "word-hyphen", "sentence"]
Rule = Callable[[bytes, bytes], bool]

_SPACES = b" \t\n"
_PUNCTUATION = frozenset(b".,!?;:()-\"'\\/`$%&*+<=>@[]^_{|}~")


def may_merge(tokenizer: Tokenizer, boundary: Boundary) -> Rule:
    """Return what decides whether two tokens, given as bytes, may become one.

    Args:
        tokenizer: The tokenizer.
        boundary: A key of `BOUNDARIES`.
    """
    within = BOUNDARIES[boundary](tokenizer)

    def rule(first: bytes, second: bytes) -> bool:
        merged = first + second
        if _spans_spaces(merged):
            return False
        return not is_utf8(merged) or within(first, second)

    return rule


def _spans_spaces(merged: bytes) -> bool:
    """Tell whether there is a space-like byte within, and not all bytes are."""
    if merged == b"\n\n":
        return True
    inner = any(byte in _SPACES for byte in merged[1:])
    return inner and not all(byte in _SPACES for byte in merged)


def _within_pretokens(tokenizer: Tokenizer) -> Rule:
    """What the pre-tokenizer does not cut, taken by itself."""

    def rule(first: bytes, second: bytes) -> bool:
        return tokenizer.pretokenizer.split(Pieces.of(first + second)).ends.size == 1

    return rule


def _within_words(tokenizer: Tokenizer) -> Rule:
    """What white space does not cut."""

    def rule(first: bytes, second: bytes) -> bool:
        return len((first + second).decode().split()) == 1

    return rule


def _within_hyphenated_words(tokenizer: Tokenizer) -> Rule:
    """The same, but punctuation that the vocabulary has starts anew, hyphens excepted."""
    words = _within_words(tokenizer)
    signs = {token for token in tokenizer.vocab.ids if _is_sign(token)}

    def rule(first: bytes, second: bytes) -> bool:
        if not words(first, second):
            return False
        return second == b"-" or first in signs or second not in signs

    return rule


def _is_sign(token: bytes) -> bool:
    """Tell whether a token has punctuation and no digit."""
    has_sign = any(byte in _PUNCTUATION for byte in token)
    return has_sign and not any(0x30 <= byte <= 0x39 for byte in token)


def _within_sentences(tokenizer: Tokenizer) -> Rule:
    """Anything: only special tokens are in the way."""
    return lambda first, second: True


BOUNDARIES: Mapping[Boundary, Callable[[Tokenizer], Rule]] = {
    "pretokens": _within_pretokens,
    "word": _within_words,
    "word-hyphen": _within_hyphenated_words,
    "sentence": _within_sentences,
}
"""What merges stay within."""
