"""What tokkit asks of a language model: next-token probabilities of many prefixes at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tokkit.tokenizer import Tokenizer

Logprobs = NDArray[np.floating[Any]]
"""Natural logarithms of probabilities, one row per prefix: ``float32`` or ``float64[k, V]``."""


@dataclass
class Usage:
    """What was asked of a model so far.

    Attributes:
        calls: Forward passes.
        tokens: Token positions in them, padding included.
    """

    calls: int = 0
    tokens: int = 0

    def copy(self) -> "Usage":
        """Return what it is now, to be compared with later."""
        return Usage(self.calls, self.tokens)

    def since(self, before: "Usage") -> "Usage":
        """Return what was asked since it was as `before`."""
        return Usage(self.calls - before.calls, self.tokens - before.tokens)


class Tree(Protocol):
    """Token sequences that share their beginnings, and what a model keeps about them.

    Node 0 is the whole context; every other node is its parent's sequence and one token more.
    """

    def add(self, parent: int, token: int) -> int:
        """Add a node, to be evaluated next time; return its number (counted from 1 on)."""
        ...

    def keep(self, nodes: Sequence[int]) -> None:
        """Promise that from now on only these nodes and what comes below them are added to.

        What is kept about others than these and their ancestors may be forgotten.
        """
        ...


class LanguageModel(Protocol):
    """A causal language model with its tokenizer.

    Attributes:
        name: What it is called in results.
        tokenizer: How its text becomes tokens.
        vocab_size: How many ids a row of log probabilities has; at least those of the
            tokenizer that text can produce.
        start: The ids that come before every text, at least one.
        ends: The ids that end a text.
        context: The most tokens a sequence may have, `start` included; None: no limit.
        usage: What was asked so far.
    """

    name: str
    tokenizer: Tokenizer
    vocab_size: int
    start: tuple[int, ...]
    ends: frozenset[int]
    context: int | None
    usage: Usage

    def tree(self, context: Sequence[int] | None = None) -> Tree:
        """Begin a tree whose node 0 is `context`, or `start`."""
        ...

    def evaluate(self, trees: Sequence[Tree]) -> list[Logprobs]:
        """Return, for each tree, the rows of its nodes that have none yet, in order.

        Node 0 is among them the first time. All trees share as few forward passes as memory
        allows. Row i is ``log P(next token | sequence of node i)``, ``float[k, vocab_size]``.

        Raises:
            ModelError: If a sequence is longer than `context`, an id is out of range, or a
                probability is not a number.
        """
        ...

    def next_logprobs(self, prefixes: Sequence[Sequence[int]]) -> Logprobs:
        """Return ``log P(next token | start, prefix)`` of each prefix, ``float[b, V]``."""
        ...
