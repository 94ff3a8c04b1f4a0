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
    VIRTUAL_ROWS,
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


def mean_centred(context: Context, side: Side) -> Composition:
    """Do what `mean` does, and `centre` the rows."""
    return centre(context, mean(context, side))


def front_centred(context: Context, side: Side) -> Composition:
    """Do what `front` does, and `centre` the rows."""
    return centre(context, front(context, side))


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


def centre(context: Context, made: Composition) -> Composition:
    """Move rows so that their mean is that of the source's rows, and a share `shrink` closer.

    What composed rows have in common is what pieces have in common: they are short, frequent,
    and seldom stand alone. It is no property of the new tokens, and costs all of them logits.
    Row r becomes ``(1 - shrink) (r - ν) + μ``, ν being the mean of all r, and μ of the source.

    Args:
        context: Says what the source's rows are.
        made: Rows without virtual rows of their own, but for the mean of the source's.
    """
    rows, count = made.rows, len(made.rows)
    keep = 1.0 - context.settings.shrink
    composed = made.origins == COMPOSED
    inside = composed[rows.owners]
    sums = np.bincount(rows.ids[inside], rows.weights[inside], minlength=context.source_size)
    parts = np.flatnonzero(sums)
    common = Rows(
        np.array([parts.size], dtype=np.int64),
        parts.astype(np.int32),
        (sums[parts] / max(int(composed.sum()), 1)).astype(np.float32),
    )
    moved = np.flatnonzero(composed)
    extra = np.array([MEAN_ROW, VIRTUAL_ROWS], dtype=np.int32) + context.source_size
    owners = np.concatenate([rows.owners, np.repeat(moved, 2)])
    order = np.argsort(owners, kind="stable")
    weights = np.where(inside, keep, 1.0) * rows.weights
    ids = np.concatenate([rows.ids, np.tile(extra, moved.size)])[order]
    shares = np.concatenate([weights, np.tile([1.0, -keep], moved.size)])[order]
    ends = np.cumsum(np.bincount(owners, minlength=count), dtype=np.int64)
    return replace(made, rows=Rows(ends, ids, shares.astype(np.float32)), virtual=common)


def _places(context: Context) -> tuple[Offsets, Offsets]:
    """Where each piece stands in its token, from 0 on, and how many pieces that has."""
    ends = context.alignment.piece_ends
    counts = np.diff(ends, prepend=0)
    starts = np.repeat(ends - counts, counts)
    return np.arange(starts.size) - starts, np.repeat(counts, counts)
