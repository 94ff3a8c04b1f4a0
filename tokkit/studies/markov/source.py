"""Sources of text whose entropy is known: Markov chains of any order.

The next symbol depends on the last `order` ones, its *context*. All entropies are in nats per
symbol. What follows is exact up to rounding, so that a loss measured on text of a source can be
held against the least that any model can reach.
"""

import string
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import UsageError
from tokkit.kernels._jit import Bytes
from tokkit.kernels.markov import draw_symbols

Matrix = NDArray[np.float64]

_READABLE = (string.digits + string.ascii_letters).encode()
LETTERS = _READABLE + bytes(byte for byte in range(256) if byte not in _READABLE)
"""What symbols are written with: symbol 0 is ``0``, symbol 10 ``a``, symbol 62 byte 0."""
MOST_CONTEXTS = 4096
_ROUNDING = 1e-6
"""How far from 1 a row may sum that was written with few digits."""


@dataclass(frozen=True, eq=False)
class Source:
    """A Markov chain.

    Attributes:
        name: What to call it.
        order: How many symbols the next one depends on.
        matrix: The probability of each symbol after each context, ``float64[size ** order,
            size]``; contexts in lexicographic order, the oldest symbol first.
    """

    name: str
    order: int
    matrix: Matrix

    def __post_init__(self) -> None:
        """Check the matrix, and let its rows sum to 1 exactly.

        Raises:
            UsageError: If it has a wrong shape, is too large, or a row is no distribution.
        """
        contexts, size = self.matrix.shape
        if not 2 <= size <= len(LETTERS):
            raise UsageError(f"{self.name}: {size} symbols, but there may be 2 to 256")
        if contexts != size**self.order:
            raise UsageError(
                f"{self.name}: {contexts} rows, but order {self.order} with {size} symbols "
                f"has {size**self.order} contexts"
            )
        if contexts > MOST_CONTEXTS:
            raise UsageError(
                f"{self.name}: {contexts} contexts are too many to solve exactly (at most "
                f"{MOST_CONTEXTS}): take a lower order or fewer symbols"
            )
        sums = self.matrix.sum(1)
        bad = ~(np.abs(sums - 1) <= _ROUNDING) | ~(self.matrix >= 0).all(1)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise UsageError(
                f"{self.name}: row {row + 1} (context {self.write(row)!r}) is no distribution: "
                f"{_listed(self.matrix[row])} sum to {sums[row]:.6g}, and none may be negative"
            )
        object.__setattr__(self, "matrix", self.matrix / sums[:, None])

    @property
    def size(self) -> int:
        """How many symbols there are."""
        return int(self.matrix.shape[1])

    @property
    def letters(self) -> bytes:
        """What the symbols are written with."""
        return LETTERS[: self.size]

    def write(self, context: int) -> str:
        """Return a context as text: of two symbols and order 3, context 6 is ``"110"``."""
        digits = [context // self.size**place % self.size for place in range(self.order)]
        return bytes(LETTERS[digit] for digit in reversed(digits)).decode("latin-1")

    @cached_property
    def stationary(self) -> NDArray[np.float64]:
        """How often each context is met in the long run, ``float64[size ** order]``.

        Raises:
            UsageError: If that depends on where the chain starts.
        """
        self._require_one_future()
        contexts, size = self.matrix.shape
        after = np.arange(contexts * size).reshape(contexts, size) % contexts
        flow = np.zeros((contexts, contexts))
        np.add.at(flow, (after, np.arange(contexts)[:, None]), self.matrix)
        flow -= np.eye(contexts)
        # The equations are one too many; in place of one, the probabilities sum to 1.
        flow[-1] = 1.0
        found = np.linalg.solve(flow, np.eye(contexts)[-1])
        return np.asarray(np.maximum(found, 0) / np.maximum(found, 0).sum())

    def _require_one_future(self) -> None:
        """Refuse a chain that can end up in one of several parts, which it never leaves."""
        possible = self.matrix > 0
        seen = np.zeros(len(possible), dtype=bool)
        candidate = 0
        # If all contexts lead to one, they lead to the last that none before it came from.
        while not seen.all():
            candidate = int(np.flatnonzero(~seen)[0])
            seen |= _leads_to(candidate, possible)
        leads = _leads_to(candidate, possible)
        if not leads.all():
            other = int(np.flatnonzero(~leads)[0])
            raise UsageError(
                f"{self.name}: contexts {self.write(candidate)!r} and {self.write(other)!r} "
                "never lead to a common one, so the long run depends on the first symbols: "
                "give a matrix whose zeros leave a way"
            )

    def bound(self, symbols: int) -> float:
        """Return the entropy of a symbol once so many before it are known, nats.

        It is the least loss of any model that sees no more; with `order` symbols or more it is
        the entropy rate, with none the entropy of single symbols.
        """
        seen = min(symbols, self.order)
        joint = (self.stationary[:, None] * self.matrix).reshape(-1, self.size**seen, self.size)
        pairs = joint.sum(0)
        known = pairs.sum(1, keepdims=True)
        present = pairs > 0
        ratios = np.divide(pairs, known, out=np.ones_like(pairs), where=present)
        return abs(float((pairs * np.log(ratios)).sum()))

    @property
    def entropy_rate(self) -> float:
        """The least loss that any model can reach, nats per symbol."""
        return self.bound(self.order)

    @property
    def least_chance(self) -> float:
        """The smallest probability in the matrix that is not 0."""
        return float(self.matrix[self.matrix > 0].min())

    def draw(self, length: int, seed: int) -> Bytes:
        """Draw a text as symbols, ``uint8[length]``, with ``numpy.random.default_rng(seed)``.

        The first `order` symbols are a context from the stationary distribution.
        """
        chances = np.random.default_rng(seed).random(length + 1)
        first = int(np.searchsorted(_sums(self.stationary), chances[0], side="right"))
        places = self.size ** np.arange(self.order)[::-1]
        symbols = np.empty(length, dtype=np.uint8)
        beginning = (first // places % self.size).astype(np.uint8)[:length]
        symbols[: beginning.size] = beginning
        rest = symbols[beginning.size :]
        draw_symbols(chances[1 : rest.size + 1], _sums(self.matrix), first, rest)
        return symbols

    def loss(self, symbols: Bytes) -> float:
        """Return the loss of a model that knows the source, nats per symbol.

        It differs from `entropy_rate` as far as the text happens to; contexts that are not
        whole yet are left out.
        """
        contexts = len(self.matrix)
        before = np.zeros(symbols.size - self.order, dtype=np.int64)
        for place in range(self.order):
            before = (before * self.size + symbols[place : place + before.size]) % contexts
        return float(-np.log(self.matrix[before, symbols[self.order :]]).mean())


def _sums(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up probabilities; from the last that is not 0 on, nothing is higher than the sum.

    Example: ``.3 .7 0`` gives ``.3 inf inf``, so that rounding never draws the third.
    """
    sums = np.cumsum(chances, axis=-1)
    rest = np.cumsum(chances[..., ::-1] > 0, axis=-1)[..., ::-1]
    sums[rest - (chances > 0) <= 0] = np.inf
    return sums


def _leads_to(end: int, possible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the contexts that can lead to a context, itself included."""
    contexts, size = possible.shape
    marked = np.zeros(contexts, dtype=bool)
    fresh = np.array([end])
    while fresh.size:
        marked[fresh] = True
        before = fresh[:, None] // size + np.arange(size) * (contexts // size)
        before = np.unique(before[possible[before, fresh[:, None] % size]])
        fresh = before[~marked[before]]
    return marked


def _listed(row: NDArray[np.float64]) -> str:
    """Write the first numbers of a row: ``0.2, 0.7``."""
    shown = ", ".join(f"{value:g}" for value in row[:6])
    return f"{shown}, …" if row.size > 6 else shown
