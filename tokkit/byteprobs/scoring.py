"""The probability of a known text: all it takes from the model in one or two passes."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.cover import NEG_INF, Head
from tokkit.byteprobs.engine import Engine, Masses
from tokkit.byteprobs.layout import Layout, Placed
from tokkit.kernels._jit import Offsets, frozen
from tokkit.kernels.marginals import sum_nodes
from tokkit.lm.model import Logprobs, Tree

T = TypeVar("T")

_ROWS = 1 << 28
"""How many log probabilities are held at once, at most."""
_FEWEST_ROWS = 64


@dataclass(eq=False)
class Sums:
    """What the heads of a text add up to, as logarithms.

    Attributes:
        reached: At each place, of all covers of the text up to there, ``float64[n + 1]``.
        outcomes: At each place, of all that may come next; only for definitions that are
            normalised anew at every byte.
        end: Of the text ending at the last place; -inf if that was not asked for.
        path: Of the tokens of the text's own encoding, from the first on.
        noncanonical: What the model gave to tokens that are not canonical, at each of them.
        special: And to special tokens.
        empty_end: Of no text at all, after the first step.
    """

    reached: NDArray[np.float64]
    outcomes: NDArray[np.float64] | None
    end: float
    path: list[float]
    noncanonical: list[float]
    special: list[float]
    empty_end: float


Asking = Generator[Tree, Logprobs, T]
"""Work that yields a tree when it needs rows of the model, and is sent those rows."""


def sum_heads(
    engine: Engine, layout: Layout, *, wanted: Sequence[Placed], path: Sequence[int]
) -> Asking[Sums]:
    """Ask the model about heads of a text, and add up what each contributes at every place.

    Args:
        engine: The model and the definition.
        layout: The text and its heads.
        wanted: The heads that matter, and all they came from, in the order of their places.
        path: The text's own encoding.

    Returns:
        The sums; at places where heads were left out they are too small.
    """
    size = layout.end + 1
    outcomes = np.full(size, NEG_INF) if engine.segmentation == "mask" else None
    sums = Sums(np.full(size, NEG_INF), outcomes, NEG_INF, [], [], [], NEG_INF)
    sums.reached[0] = 0.0
    steps = {id(head): token for head, token in _follow(layout.root, path)}
    tree = engine.model.tree(engine.model.start)
    most = max(_ROWS // engine.model.vocab_size, _FEWEST_ROWS)
    for first in range(0, len(wanted), most):
        part = wanted[first : first + most]
        _enter(tree, part)
        rows = yield tree
        for placed, row in zip(part, rows, strict=True):
            head = placed.head
            masses = engine.weigh(row, head.state)
            head.weigh(masses)
            _add(engine, layout, placed, masses, sums)
            _add_path(engine, steps.get(id(head)), masses, sums)
            head.release()
        later = {placed.head.parent for placed in wanted[first + most :]}
        tree.keep(sorted({head.number for head in later if head and head.number >= 0}))
    return sums


def _add_path(engine: Engine, token: int | None, masses: Masses, sums: Sums) -> None:
    """Note what the model gives to the next token of the text's own encoding."""
    if token is not None:
        special = engine.special(masses)
        sums.path.append(float(masses.row[token]))
        sums.special.append(special)
        sums.noncanonical.append(max(1 - masses.total - masses.end - special, 0.0))


def _follow(root: Head, path: Sequence[int]) -> Iterator[tuple[Head, int]]:
    """Yield the heads of the text's own encoding, and the token that comes after each."""
    head = root
    for token in path:
        yield head, token
        if token not in head.children:
            return
        head = head.children[token]


def _enter(tree: Tree, part: Sequence[Placed]) -> None:
    """Put heads into the tree; those they came from are there."""
    for placed in part:
        head = placed.head
        if head.parent is not None:
            head.number = tree.add(head.parent.number, head.token)


def with_ancestors(layout: Layout, wanted: Sequence[Placed]) -> list[Placed]:
    """Return heads and all they came from, in the order of their places."""
    needed: set[int] = set()
    for placed in wanted:
        for head in placed.head.line():
            if id(head) in needed:
                break
            needed.add(id(head))
    return [placed for place in layout.heads for placed in place if id(placed.head) in needed]


def _add(engine: Engine, layout: Layout, placed: Placed, masses: Masses, sums: Sums) -> None:
    """Add what one head contributes at every place after it, and at its own."""
    head, start = placed.head, placed.start
    weight = head.logw - masses.log_norm
    count = min(placed.bounds.size // 2, layout.end - start)
    bounds = frozen(placed.bounds[: 2 * count])
    stop = start + 1 + count
    sums.reached[start + 1 : stop] = np.logaddexp(
        sums.reached[start + 1 : stop], weight + _logs(engine, masses, bounds)
    )
    if start == layout.end:
        sums.end = float(np.logaddexp(sums.end, weight + _log(masses.end)))
    if head.parent is None:
        sums.empty_end = weight + _log(masses.end)
    if sums.outcomes is None:
        return
    longer = _without_ending(engine, bounds)
    sums.outcomes[start + 1 : stop] = np.logaddexp(
        sums.outcomes[start + 1 : stop], weight + _logs(engine, masses, longer)
    )
    own = weight + _log(masses.total + masses.end)
    sums.outcomes[start] = np.logaddexp(sums.outcomes[start], own)


def _logs(engine: Engine, masses: Masses, bounds: Offsets) -> NDArray[np.float64]:
    """Return the logarithm of what is allowed in each node."""
    count = bounds.size // 2
    sums = np.empty(count)
    sum_nodes(masses.probs, masses.flags, engine.table.order, bounds, count, sums)
    with np.errstate(divide="ignore"):
        logs: NDArray[np.float64] = np.log(sums)
    return logs


def _without_ending(engine: Engine, bounds: Offsets) -> Offsets:
    """Leave the tokens that are just the string of a node out of it."""
    pairs = bounds.reshape(-1, 2).copy()
    starts = engine.table.starts
    for depth, pair in enumerate(pairs, 1):
        while pair[0] < pair[1] and starts[pair[0] + 1] - starts[pair[0]] == depth:
            pair[0] += 1
    return frozen(pairs.reshape(-1))


def _log(mass: float) -> float:
    return float(np.log(mass)) if mass > 0 else NEG_INF
