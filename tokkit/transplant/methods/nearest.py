"""Cosines of vectors, and the nearest vectors by cosine: exact, in little memory."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Offsets
from tokkit.kernels.nearest import keep_largest
from tokkit.transplant.context import Progress, silent

Vectors = NDArray[np.float32]
Reals = NDArray[np.float64]

_QUERIES = 256
_TILE = 4096
"""How many queries are compared with how many candidates at once: 4 MB of cosines."""
_MARGIN = 8
"""How many more than asked for are compared again in double precision."""
_PAIRS = 4096
"""How many pairs `cosines` converts to double precision at once."""


def cosines(vectors: Vectors, left: Offsets, right: Offsets) -> Reals:
    """Return the cosine of each pair of rows; 0 where one of them is zero.

    Args:
        vectors: ``float32[n, d]``.
        left: One row of each pair, ``int64[pairs]``.
        right: The other one.

    Returns:
        ``float64[pairs]``.
    """
    lengths = _lengths(vectors)
    found = np.empty(left.size)
    for start in range(0, left.size, _PAIRS):
        span = slice(start, start + _PAIRS)
        found[span] = np.einsum(
            "nd,nd->n",
            vectors[left[span]].astype(np.float64),
            vectors[right[span]].astype(np.float64),
        )
    return found / (lengths[left] * lengths[right])


def nearest(
    queries: Vectors, candidates: Vectors, count: int, progress: Progress = silent
) -> tuple[Offsets, Reals]:
    """Find the candidates with the largest cosines.

    Cosines are compared in single precision, then the best of them once more in double
    precision, so that neither threads nor blocks change the result. Of candidates that are
    equally near the one with the lowest number comes first; equal vectors always are.

    Args:
        queries: ``float32[n, d]``.
        candidates: ``float32[m, d]``, with at least `count` rows.
        count: How many to find, at least 1.
        progress: Told how many different queries are done.

    Returns:
        The numbers of the candidates, nearest first, ``int64[n, count]``, and their cosines,
        ``float64[n, count]``.
    """
    groups = _Groups.of(candidates)
    distinct, _, kinds = _distinct(queries)
    asked, offered = _unit(distinct), _unit(groups.vectors)
    places = np.empty((len(distinct), count), dtype=np.int64)
    found = np.empty((len(distinct), count))
    for start in range(0, len(distinct), _QUERIES):
        span = slice(start, start + _QUERIES)
        coarse = _coarse(asked[span], offered, min(count + _MARGIN, len(offered)))
        best, similar = _refine(
            distinct[span], groups.vectors, coarse, min(count, len(offered))
        )
        places[span], found[span] = groups.expand(best, similar, count)
        progress("nearest tokens", min(start + _QUERIES, len(distinct)), len(distinct))
    return places[kinds], found[kinds]


class _Groups(NamedTuple):
    """Candidates by their vectors: equal vectors are compared once.

    Attributes:
        vectors: The different vectors, in the order in which they occur first.
        members: The numbers of the candidates, group after group, ascending in each.
        starts: Where each group starts in `members`.
        sizes: How many there are in each.
    """

    vectors: Vectors
    members: Offsets
    starts: Offsets
    sizes: Offsets

    @classmethod
    def of(cls, candidates: Vectors) -> "_Groups":
        """Group candidates."""
        vectors, count, kinds = _distinct(candidates)
        sizes = np.bincount(kinds, minlength=count)
        return cls(vectors, np.argsort(kinds, kind="stable"), np.cumsum(sizes) - sizes, sizes)

    def expand(self, best: Offsets, similar: Reals, count: int) -> tuple[Offsets, Reals]:
        """Return the `count` nearest members of each row of groups, and their cosines.

        Groups that are equally near are one: of their members the lowest numbers come first.

        Example: groups of the candidates 0, 2 and 1, and ``count`` 2: the row [group 0,
        group 1] becomes [0, 2], or [0, 1] if both are equally near.
        """
        steps, shape = np.arange(count), (len(best), -1)
        missing = (steps >= self.sizes[best][:, :, None]).reshape(shape)
        slots = (self.starts[best][:, :, None] + steps).reshape(shape)
        slots[missing] = 0
        members = self.members[slots]
        cosine = np.repeat(similar, count, axis=1)
        order = np.lexsort((members, np.where(missing, np.inf, -cosine)))[:, :count]
        return (
            np.take_along_axis(members, order, axis=1),
            np.take_along_axis(cosine, order, axis=1),
        )


def _coarse(asked: Vectors, offered: Vectors, count: int) -> NDArray[np.int32]:
    """Return the candidates with the largest products, ``int32[n, count]``, tile by tile."""
    best = np.full((len(asked), count), -np.inf, dtype=np.float32)
    ids = np.zeros((len(asked), count), dtype=np.int32)
    for first in range(0, len(offered), _TILE):
        keep_largest(asked @ offered[first : first + _TILE].T, first, best, ids)
    return ids


def _refine(
    queries: Vectors, candidates: Vectors, coarse: NDArray[np.int32], count: int
) -> tuple[Offsets, Reals]:
    """Order what was found by cosines in double precision, and then by number."""
    exact = np.einsum(
        "nd,nmd->nm", queries.astype(np.float64), candidates[coarse].astype(np.float64)
    )
    exact /= _lengths(queries)[:, None] * _lengths(candidates[coarse])
    order = np.lexsort((coarse, -exact))[:, :count]
    return (
        np.take_along_axis(coarse, order, axis=1).astype(np.int64),
        np.take_along_axis(exact, order, axis=1),
    )


def _distinct(vectors: Vectors) -> tuple[Vectors, int, Offsets]:
    """Return the different rows as they occur first, how many, and which one each row is."""
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    width = rows.shape[1] * rows.itemsize
    keys = rows.view(np.dtype((np.void, width))).ravel()
    _, firsts, kinds = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    ranks = np.empty_like(order)
    ranks[order] = np.arange(order.size)
    return rows[firsts[order]], order.size, ranks[kinds]


def _unit(vectors: Vectors) -> Vectors:
    """Scale rows to length one."""
    return (vectors / _lengths(vectors)[..., None]).astype(np.float32)


def _lengths(vectors: Vectors) -> Reals:
    """Return the length of each row, in double precision; 1 for zero, whose cosines are 0."""
    squares = np.einsum("...d,...d->...", vectors, vectors, dtype=np.float64)
    return np.where(squares > 0, np.sqrt(squares), 1.0)
