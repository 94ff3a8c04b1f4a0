"""Dictionaries of tokens, learned from one long text without any cutting into words.

A dictionary of `d` tokens has the letters of the source first: sizes count them too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import UsageError
from tokkit.kernels._jit import Bytes, Ids
from tokkit.learn.merging import Learned, Words, learn_merges
from tokkit.segment.bpe import BPE
from tokkit.segment.longest import LongestMatch
from tokkit.studies.markov.source import LETTERS
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

Name = Literal["characters", "bpe", "lzw", "greedy"]
NAMES: tuple[Name, ...] = get_args(Name)
MEANINGS: Mapping[Name, str] = {
    "characters": "the letters alone: no tokenization",
    "bpe": "byte-pair encoding; text is encoded in the order of the merges",
    "lzw": "Lempel, Ziv and Welch; the longest token is taken, from the left",
    "greedy": "the tokens of bpe; the longest is taken, from the left",
}


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Tokens, and how text becomes them.

    Attributes:
        name: How it was learned.
        size: How many tokens were asked for.
        tokenizer: What encodes; its vocabulary is smaller where the text had no more.
    """

    name: Name
    size: int
    tokenizer: Tokenizer

    @property
    def tokens(self) -> tuple[bytes, ...]:
        """The tokens, the letters first."""
        return self.tokenizer.vocab.tokens

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """How many characters each token has, ``int64[tokens]``."""
        return np.array([len(token) for token in self.tokens], dtype=np.int64)

    def encode(self, symbols: Bytes) -> Ids:
        """Return the ids of a text given as symbols, ``int32[n]``."""
        return self.tokenizer.encode(_spell(symbols))


class Dictionaries:
    """All dictionaries of one text, up to a largest size; smaller ones are their beginnings.

    Attributes:
        letters: What the symbols are written with.
        size: The largest number of tokens that can be asked for.
    """

    def __init__(self, symbols: Bytes, letters: bytes, size: int) -> None:
        self.letters = letters
        self.size = size
        self._symbols = symbols

    def get(self, name: Name, size: int) -> Dictionary:
        """Return the dictionary of a kind and size; `characters` have one size only.

        Raises:
            UsageError: If it is smaller than the alphabet, or larger than the largest.
        """
        least = len(self.letters)
        if name == "characters":
            size = least
        if not least <= size <= max(self.size, least):
            raise UsageError(
                f"a dictionary of {size} tokens cannot be had: there are {least} characters, "
                f"and at most {self.size} tokens were asked for"
            )
        tokenizer = (
            _bpe(self._learned, size) if name == "bpe" else _longest(self._of(name)[:size])
        )
        return Dictionary(name, size, tokenizer)

    def _of(self, name: Name) -> Sequence[bytes]:
        """Return all tokens that are cut from the left."""
        if name == "characters":
            return _single(self.letters)
        return self._lzw if name == "lzw" else self._learned.tokens

    @cached_property
    def _learned(self) -> Learned:
        ids = self._symbols.astype(np.int32)
        words = Words(ids, np.array([ids.size]), np.array([1]))
        return learn_merges(words, _single(self.letters), self.size)

    @cached_property
    def _lzw(self) -> list[bytes]:
        return lzw_tokens(_spell(self._symbols), _single(self.letters), self.size)


def lzw_tokens(text: bytes, letters: Sequence[bytes], size: int) -> list[bytes]:
    """Return the tokens that compressing a text would make (Welch, Computer 17(6), 1984).

    The longest token that the rest of the text begins with, and one character more, are a new
    token; the search goes on at that character. ``01010`` makes ``01``, ``10``, ``010``.

    Args:
        text: What to learn from.
        letters: The first tokens.
        size: How many tokens are wanted; there are fewer if the text ends before.
    """
    tokens = list(letters)
    known = set(tokens)
    start = end = 0
    while len(tokens) < size and end < len(text):
        end = start + 1
        while end <= len(text) and text[start:end] in known:
            end += 1
        if end <= len(text):
            tokens.append(text[start:end])
            known.add(tokens[-1])
        start = end - 1
    return tokens


def _bpe(learned: Learned, size: int) -> Tokenizer:
    """Keep the merges that come before the vocabulary is full."""
    late = np.flatnonzero(learned.merges[:, 2] >= size)
    merges = learned.merges[: late[0]] if late.size else learned.merges
    tokens = tuple(learned.tokens[:size])
    return Tokenizer(Vocabulary(tokens), BPE(tokens, merges))


def _longest(tokens: Sequence[bytes]) -> Tokenizer:
    """Cut from the left; bytes that are no letters never come."""
    return Tokenizer(Vocabulary(tuple(tokens)), LongestMatch(tokens, unknown_id=0))


def _single(letters: bytes) -> list[bytes]:
    return [bytes([letter]) for letter in letters]


def _spell(symbols: Bytes) -> bytes:
    """Write symbols with letters: 0 and 1 as ``b"01"``."""
    return np.frombuffer(LETTERS, dtype=np.uint8)[symbols].tobytes()
