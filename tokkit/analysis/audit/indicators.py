"""How far a row of embeddings is from one that was never trained (arXiv 2405.05417)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Blocks = Callable[[], Iterator[NDArray[np.floating[Any]]]]
"""Gives the rows of a matrix in order, some at a time, ``[n, hidden]``; asked several times."""

NORM = "input norm"
DISTANCE = "output distance"
CENTRED = "output distance, centred"
WITHOUT_FIRST = "output distance, without first component"
DEFINITIONS: Mapping[str, str] = {
    NORM: "length of the row of the input matrix",
    DISTANCE: "cosine distance of the row of the output matrix to the mean of unused rows",
    CENTRED: "the same, of the matrix without the mean of all rows",
    WITHOUT_FIRST: "the same, of the matrix without its first principal component",
}
"""What each indicator is; where it is low a token is under-trained."""
_SAMPLE = 20_000
"""From about so many rows, evenly taken, the first principal component is computed."""
_WIDTH, _MOST_STEPS = 8, 200
"""How many directions are followed, and how often."""
_TINY = 1e-12
_DIGITS = 6
"""Decimals that distances of rows of 32 bits have."""


def norms(blocks: Blocks) -> Floats:
    """Return the length of each row, ``float64[rows]``."""
    found = [np.linalg.norm(block.astype(np.float64), axis=1) for block in blocks()]
    return np.concatenate([np.zeros(0), *found])


def distances(blocks: Blocks, unused: Sequence[int], size: int) -> dict[str, Floats]:
    """Return the three distances of each row to the mean of the unused ones.

    A row of zeros has distance 0: nothing was ever learned there. Distances are rounded to six
    decimals, so that rows that are equal but for rounding have the same.

    Args:
        blocks: The rows.
        unused: Which rows are known to be unused.
        size: How many rows there are.

    Returns:
        ``float64[rows]`` by the name of the indicator; only those whose mean of unused rows is
        not zero.
    """
    mean, reference = _means(blocks, set(unused))
    first = _first_component(blocks, mean, max(1, size // _SAMPLE))
    changes: dict[str, Callable[[Floats], Floats]] = {
        DISTANCE: lambda rows: rows,
        CENTRED: lambda rows: rows - mean,
        WITHOUT_FIRST: lambda rows: rows - np.outer(rows @ first, first),
    }
    found: dict[str, list[Floats]] = {}
    for block in blocks():
        rows = block.astype(np.float64)
        for name, change in changes.items():
            target = change(reference[None])[0]
            if np.linalg.norm(target) > _TINY:
                found.setdefault(name, []).append(_cosine_distance(rows, change(rows), target))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _cosine_distance(rows: Floats, changed: Floats, target: Floats) -> Floats:
    lengths = np.linalg.norm(changed, axis=1) * np.linalg.norm(target)
    found = 1 - changed @ target / np.maximum(lengths, _TINY)
    return np.where(rows.any(axis=1), found.round(_DIGITS) + 0.0, 0.0)


def _means(blocks: Blocks, unused: set[int]) -> tuple[Floats, Floats]:
    """Return the mean of all rows and that of the unused ones."""
    sums: list[Floats] = []
    known: list[Floats] = []
    count = 0
    for block in blocks():
        rows = block.astype(np.float64)
        sums.append(rows.sum(axis=0))
        known += [rows[place] for place in range(len(rows)) if count + place in unused]
        count += len(rows)
    return np.sum(sums, axis=0) / count, np.mean(known, axis=0)


def _first_component(blocks: Blocks, mean: Floats, step: int) -> Floats:
    """Return the direction in which rows differ most, of every `step`-th row.

    By subspace iteration: a full decomposition takes minutes where rows are long.
    """
    parts, done = [], 0
    for block in blocks():
        parts.append(block[-done % step :: step] - mean.astype(block.dtype))
        done += len(block)
    rows = np.concatenate(parts)
    width = min(_WIDTH, *rows.shape)
    basis = np.random.default_rng(0).normal(size=(mean.size, width)).astype(rows.dtype)
    exact, greatest = max(1e-13, 2 * float(np.finfo(rows.dtype).eps)), 0.0
    for _ in range(_MOST_STEPS):
        basis = np.linalg.qr(rows.T @ (rows @ basis))[0]
        _, lengths, turned = np.linalg.svd(rows @ basis, full_matrices=False)
        basis = basis @ turned.T
        if abs(lengths[0] - greatest) <= exact * lengths[0]:
            break
        greatest = float(lengths[0])
    first: Floats = basis[:, 0].astype(np.float64)
    return first / float(np.linalg.norm(first))
