"""Language models whose rows are drawn at random, one for each context, always the same."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from tests.byteprobs.builders import Family
from tokkit.errors import ModelError
from tokkit.lm.model import Usage
from tokkit.tokenizer import Tokenizer

Row = Callable[[tuple[int, ...]], np.ndarray]
"""Log probabilities of what follows the tokens of a text, the start left out."""


def random_row(size: int, seed: int = 0, scale: float = 2.0) -> Row:
    """Rows of softmax over normal logits, drawn anew for each context."""

    def row(sequence: tuple[int, ...]) -> np.ndarray:
        state = hashlib.blake2b(repr((seed, sequence)).encode(), digest_size=8).digest()
        logits = np.random.default_rng(int.from_bytes(state)).normal(0, scale, size)
        return logits - np.logaddexp.reduce(logits)

    return row


class RandomTree:
    """Sequences; it sees that nothing is added where it was promised nothing would be."""

    def __init__(self, context: tuple[int, ...]) -> None:
        self.sequences = [context]
        self.parents = [-1]
        self.evaluated = 0
        self._kept: list[int] | None = None
        self._since = 0

    def add(self, parent: int, token: int) -> int:
        assert self._kept is None or self._is_below_kept(parent), "that node may be forgotten"
        self.sequences.append((*self.sequences[parent], int(token)))
        self.parents.append(parent)
        return len(self.sequences) - 1

    def keep(self, nodes: Sequence[int]) -> None:
        assert self._kept is None or all(map(self._is_below_kept, nodes)), "that is forgotten"
        self._kept = list(nodes)

    def _is_below_kept(self, node: int) -> bool:
        while node >= 0 and node not in self._kept:
            node = self.parents[node]
        return node >= 0


class RandomModel:
    """A `LanguageModel` of any rows, with ids beyond those of its tokenizer."""

    name = "random"

    def __init__(
        self,
        tokenizer: Tokenizer,
        row: Row,
        size: int,
        start: tuple[int, ...],
        ends: frozenset[int],
        context: int | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.row = row
        self.vocab_size = size
        self.start = start
        self.ends = ends
        self.context = context
        self.usage = Usage()

    def tree(self, context: Sequence[int] | None = None) -> RandomTree:
        return RandomTree(self.start if context is None else tuple(context))

    def evaluate(self, trees: Sequence[RandomTree]) -> list[np.ndarray]:
        found = []
        for tree in trees:
            new = tree.sequences[tree.evaluated :]
            tree.evaluated = len(tree.sequences)
            self.usage.tokens += len(new)
            found.append(np.array([self._of(each) for each in new]).reshape(len(new), -1))
        self.usage.calls += any(map(len, found))
        return found

    def _of(self, sequence: tuple[int, ...]) -> np.ndarray:
        if self.context is not None and len(sequence) > self.context:
            raise ModelError(f"{len(sequence)} tokens are more than {self.context}")
        assert all(0 <= token < self.vocab_size for token in sequence)
        if sequence[: len(self.start)] == self.start:
            return self.row(sequence[len(self.start) :])
        return self.row((-1, *sequence))

    def next_logprobs(self, prefixes: Sequence[Sequence[int]]) -> np.ndarray:
        return np.array([self._of((*self.start, *prefix)) for prefix in prefixes])


def random_model(family: Family, seed: int = 0, padding: int = 3) -> RandomModel:
    """A model of a family's tokenizer, random in every row."""
    size = len(family.tokens) + padding
    row = random_row(size, seed)
    return RandomModel(family.tokenizer, row, size, family.start, family.ends)
