"""Language models without torch whose probabilities are exact: n-grams, and any function."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import ModelError, UsageError
from tokkit.lm.model import Logprobs, Tree, Usage
from tokkit.lm.roles import BEGINS, FINISHES, special_id
from tokkit.tokenizer import Tokenizer

Row = NDArray[np.float64]
RowFunction = Callable[[tuple[int, ...]], Row]
"""Probabilities of what comes after a sequence of ids, the start id included."""


class NGramTree:
    """Token sequences that share their beginnings; every node knows as much as matters."""

    def __init__(self, context: tuple[int, ...], memory: int | None) -> None:
        self.sequences = [context]
        self.lengths = [len(context)]
        self.evaluated = 0
        self._memory = memory

    def add(self, parent: int, token: int) -> int:
        """Add a node below `parent` and return its number."""
        known = self.sequences[parent]
        if self._memory is not None:
            known = known[max(len(known) - self._memory + 1, 0) :]
        self.sequences.append((*known, int(token)))
        self.lengths.append(self.lengths[parent] + 1)
        return len(self.sequences) - 1

    def keep(self, nodes: Sequence[int]) -> None:
        """Do nothing: there is no memory to be saved that matters here."""


class NGramModel:
    """A language model in ``float64`` whose rows are computed, not learned by gradient.

    Made by `fit` or `from_function`. Where the tokenizer has no token for the start or the end
    of a text, ids after its vocabulary stand for them: first the end, then the start.

    It can be pickled, if it was fitted or its function can be. Several threads may use one,
    each with trees of its own.

    Example:
        >>> model = NGramModel.fit(tokenizer, ["a rose is a rose"], order=2)
        >>> model.next_logprobs([tokenizer.encode("a").tolist()]).shape
        (1, 513)
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        rows: RowFunction | None = None,
        *,
        name: str = "n-gram",
        start: int | None = None,
        end: int | None = None,
        context: int | None = None,
    ) -> None:
        self.name = name
        self.tokenizer = tokenizer
        self.usage = Usage()
        self.context = context
        self.vocab_size = len(tokenizer)
        end = special_id(tokenizer, FINISHES) if end is None else end
        start = special_id(tokenizer, BEGINS) if start is None else start
        self.ends = frozenset([self._place(end)])
        self.start: tuple[int, ...] = (self._place(start),)
        self._rows = partial(_uniform, self.vocab_size) if rows is None else rows
        self._memory: int | None = None

    def _place(self, token_id: int | None) -> int:
        """Return an id, or the next one after the vocabulary where there is none."""
        if token_id is None:
            token_id = self.vocab_size
        if not 0 <= token_id <= self.vocab_size:
            raise ModelError(
                f"{self.name}: id {token_id} is outside a vocabulary of {self.vocab_size}: "
                "choose a start and an end id inside it, or leave them out"
            )
        self.vocab_size = max(self.vocab_size, token_id + 1)
        return token_id

    @classmethod
    def fit(
        cls,
        tokenizer: Tokenizer,
        documents: Iterable[bytes | str],
        *,
        order: int = 3,
        smoothing: float = 1.0,
        start: int | None = None,
        end: int | None = None,
    ) -> "NGramModel":
        """Count the n-grams of documents.

        With ``c(h, t)`` how often `t` follows the ids `h`, ``c(h)`` their sum over `t`, `a` the
        `smoothing`, ``h'`` the history `h` without its first id and `V` the vocabulary's size:
        ``P(t|h) = (c(h, t) + a P(t|h')) / (c(h) + a)``, and ``1/V`` in place of ``P(t|h')``
        for the empty history (MacKay and Peto, 1995). Every id, special ones too, has some
        probability everywhere.

        Args:
            tokenizer: Cuts the documents; special tokens written in them are text.
            documents: Each is one sequence between the start and the end.
            order: The longest n-gram, 1 or more: histories have up to ``order - 1`` ids.
            smoothing: How many observations the shorter history is worth, above 0.
            start: The id before each document; None: found by its name.
            end: The id after each document; None: found by its name.

        Raises:
            UsageError: If `order` or `smoothing` is too small.
        """
        if order < 1 or not 0 < smoothing < float("inf"):
            raise UsageError(
                f"order {order} and smoothing {smoothing}: take 1 or more, and above 0"
            )
        model = cls(tokenizer, name=f"{order}-gram", start=start, end=end)
        counts: dict[tuple[int, ...], Counter[int]] = {}
        for ids in tokenizer.encode_batch(list(documents), parse_specials=False):
            _count([*model.start, *ids.tolist(), *model.ends], order, counts)
        tables = {
            history: (np.array(list(found)), np.array(list(found.values()), dtype=np.float64))
            for history, found in counts.items()
        }
        model._rows = partial(_interpolated, tables, order, smoothing, model.vocab_size)
        # Not less than one id: the last is what may be out of range.
        model._memory = max(order - 1, 1)
        return model

    @classmethod
    def from_function(
        cls,
        tokenizer: Tokenizer,
        rows: RowFunction,
        *,
        name: str = "function",
        start: int | None = None,
        end: int | None = None,
        context: int | None = None,
    ) -> "NGramModel":
        """Make a model of any function from sequences to probabilities, for proofs and tests.

        Args:
            tokenizer: The vocabulary that ids are of.
            rows: The probabilities after a sequence of ids, which begins with the start id:
                ``float64[vocab_size]``, none below 0, summing to 1 to 1e-9.
            name: What the model is called.
            start: The id before each text; None: found by its name, or an id of its own.
            end: The id after each text; None: found by its name, or an id of its own.
            context: The most ids a sequence may have; None: no limit.
        """
        return cls(tokenizer, rows, name=name, start=start, end=end, context=context)

    def tree(self, context: Sequence[int] | None = None) -> NGramTree:
        """Begin a tree whose node 0 is `context`, or the start.

        Raises:
            ModelError: If the context is empty.
        """
        ids = self.start if context is None else tuple(map(int, context))
        if not ids:
            raise ModelError(f"{self.name}: a context has at least one token")
        return NGramTree(ids, self._memory)

    def evaluate(self, trees: Sequence[Tree]) -> list[Logprobs]:
        """Return, for each tree, the rows of its nodes that have none yet.

        Returns:
            ``log P(next | sequence)``, ``float64[k, vocab_size]`` for each tree.

        Raises:
            ModelError: If a sequence is longer than the context, an id is out of range, or
                the probabilities are none.
        """
        results: list[Logprobs] = []
        for tree in trees:
            if not isinstance(tree, NGramTree):
                raise TypeError(f"{self.name}: {tree!r} is a tree of another kind of model")
            pending = range(tree.evaluated, len(tree.sequences))
            rows = [self._logprobs(tree, node) for node in pending]
            results.append(np.array(rows).reshape(len(rows), self.vocab_size))
            self.usage.tokens += len(rows) + (len(tree.sequences[0]) - 1) * (0 in pending)
            tree.evaluated = len(tree.sequences)
        self.usage.calls += any(len(rows) for rows in results)
        return results

    def next_logprobs(self, prefixes: Sequence[Sequence[int]]) -> Logprobs:
        """Return ``log P(next | start, prefix)`` of each prefix, ``float64[b, vocab_size]``."""
        trees = [self.tree([*self.start, *prefix]) for prefix in prefixes]
        empty = np.zeros((0, self.vocab_size))
        return np.concatenate([empty, *self.evaluate(trees)])

    def _logprobs(self, tree: NGramTree, node: int) -> Row:
        """Return the logarithm of one row, after asking whether it is one."""
        sequence, length = tree.sequences[node], tree.lengths[node]
        for token in sequence if node == 0 else sequence[-1:]:
            if not 0 <= token < self.vocab_size:
                raise ModelError(
                    f"{self.name}: id {token} is outside a vocabulary of {self.vocab_size}"
                )
        if self.context is not None and length > self.context:
            raise ModelError(
                f"{self.name}: a sequence of {length} tokens is longer than the "
                f"context of {self.context}: shorten the text"
            )
        row = np.asarray(self._rows(sequence), dtype=np.float64)
        if row.shape != (self.vocab_size,) or not (
            row.min() >= 0 and abs(row.sum() - 1) <= 1e-9
        ):
            raise ModelError(
                f"{self.name}: what follows {sequence[-8:]} is no distribution over "
                f"{self.vocab_size} ids: give as many numbers, none below 0, that sum to 1"
            )
        with np.errstate(divide="ignore"):
            return np.log(row)


def _uniform(size: int, sequence: tuple[int, ...]) -> Row:
    """Return the row of a model that knows nothing."""
    return np.full(size, 1 / size)


def _count(ids: list[int], order: int, counts: dict[tuple[int, ...], Counter[int]]) -> None:
    """Add what follows each history of a sequence to the counts."""
    for place in range(1, len(ids)):
        for length in range(min(order - 1, place) + 1):
            history = tuple(ids[place - length : place])
            counts.setdefault(history, Counter())[ids[place]] += 1


def _interpolated(
    tables: Mapping[tuple[int, ...], tuple[NDArray[np.int64], NDArray[np.float64]]],
    order: int,
    smoothing: float,
    size: int,
    sequence: tuple[int, ...],
) -> Row:
    """Return the row of `NGramModel.fit`; `tables` are ids and counts for each history."""
    row = np.full(size, 1 / size)
    for length in range(min(order - 1, len(sequence)) + 1):
        table = tables.get(sequence[len(sequence) - length :])
        if table is None:
            break
        row *= smoothing
        row[table[0]] += table[1]
        row /= table[1].sum() + smoothing
    return row
