"""Rows from the source tokens that spell a new token, and rows from nothing."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Offsets
from tokkit.transplant.context import (
    COMPOSED,
    MEAN,
    MEAN_ROW,
    RANDOM,
    Composition,
    Context,
    Side,
)
from tokkit.transplant.rows import Rows


def mean(context: Context, side: Side) -> Composition:
    """Every piece counts the same."""
    _, counts = _places(context)
    return compose(context, 1.0 / counts)


def last(context: Context, side: Side) -> Composition:
    """Only the last piece counts."""
    places, counts = _places(context)
    return compose(context, (places == counts - 1).astype(np.float64))


def front(context: Context, side: Side) -> Composition:
    """Every piece counts `decay` times as much as the one before it."""
    places, _ = _places(context)
    return compose(context, np.power(context.settings.decay, places, dtype=np.float64))


def adaptivocab(context: Context, side: Side) -> Composition:
    """Later pieces count more for input, earlier ones more for output, by ``exp(slope)``."""
    places, counts = _places(context)
    distance = counts - 1 - places if side == "input" else places
    return compose(context, np.exp(-context.settings.slope * distance))


def mean_shrunk(context: Context, side: Side) -> Composition:
    """Do what `mean` does, and `shrink` the rows."""
    return shrink(context, mean(context, side))


def front_shrunk(context: Context, side: Side) -> Composition:
    """Do what `front` does, and `shrink` the rows."""
    return shrink(context, front(context, side))


def global_mean(context: Context, side: Side) -> Composition:
    """Make every row the mean of the source's rows."""
    count = len(context.tokens)
    numbers = np.full(count, context.source_size + MEAN_ROW, dtype=np.int32)
    return Composition(Rows.single(numbers), np.full(count, MEAN, dtype=np.uint8))


def random(context: Context, side: Side) -> Composition:
    """Draw every row from a normal distribution with the source's mean and deviations."""
    known = global_mean(context, side)
    count = len(context.tokens)
    return Composition(
        known.rows,
        np.full(count, RANDOM, dtype=np.uint8),
        noise=np.ones(count, dtype=np.float32),
    )


def compose(context: Context, weights: NDArray[np.float64]) -> Composition:
    """Make rows from weights of pieces, which are scaled to add up to one for each token.

    A token that the source cannot spell is the mean of the source's rows.

    Args:
        context: Says which pieces there are.
        weights: The weight of each, ``float64[pieces]``; zero leaves it out.
    """
    alignment = context.alignment
    count = len(context.tokens)
    owners = np.repeat(np.arange(count), np.diff(alignment.piece_ends, prepend=0))
    totals = np.bincount(owners, weights, minlength=count)
    kept = weights > 0
    missing = np.flatnonzero(totals == 0)
    owners = np.concatenate([owners[kept], missing])
    order = np.argsort(owners, kind="stable")
    middle = np.full(missing.size, context.source_size + MEAN_ROW, dtype=np.int32)
    ids = np.concatenate([alignment.piece_ids[kept], middle])
    totals[missing] = 1.0
    shares = np.concatenate([weights[kept], np.ones(missing.size)]) / totals[owners]
    origins = np.full(count, COMPOSED, dtype=np.uint8)
    origins[missing] = MEAN
    ends = np.cumsum(np.bincount(owners, minlength=count), dtype=np.int64)
    return Composition(Rows(ends, ids[order], shares[order].astype(np.float32)), origins)


def shrink(context: Context, made: Composition) -> Composition:
    """Move rows towards the mean of the source's rows, the further the more pieces they have.

    The row r of a token with n pieces becomes ``r / n + (1 - 1 / n) μ``: one piece of many says
    little of the whole, and what pieces have in common (they are short, frequent and seldom
    alone) is no property of the new tokens.

    Args:
        context: Says how many pieces there are.
        made: Rows of one source row or more each.
    """
    counts = np.maximum(np.diff(context.alignment.piece_ends, prepend=0), 1)
    keep = 1.0 / counts
    moved = np.flatnonzero(counts > 1)
    middle = np.full(moved.size, context.source_size + MEAN_ROW, dtype=np.int32)
    owners = np.concatenate([made.rows.owners, moved])
    order = np.argsort(owners, kind="stable")
    ids = np.concatenate([made.rows.ids, middle])[order]
    shares = np.concatenate([keep[made.rows.owners] * made.rows.weights, 1.0 - keep[moved]])
    ends = np.cumsum(np.bincount(owners, minlength=len(made.rows)), dtype=np.int64)
    return replace(made, rows=Rows(ends, ids, shares[order].astype(np.float32)))


def _places(context: Context) -> tuple[Offsets, Offsets]:
    """Where each piece stands in its token, from 0 on, and how many pieces that has."""
    ends = context.alignment.piece_ends
    counts = np.diff(ends, prepend=0)
    starts = np.repeat(ends - counts, counts)
    return np.arange(starts.size) - starts, np.repeat(counts, counts)
