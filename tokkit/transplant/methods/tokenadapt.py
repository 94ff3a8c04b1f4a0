"""TokenAdapt (arXiv 2505.09738): pieces weighted by meaning and length, mixed with neighbours.

The formulas are those of the paper's code. Three things differ. Tokens are compared as the text
they stand for, with its leading space, and not as ``decode`` shows a token that stands alone.
Tokens that are not UTF-8, which that code reads as U+FFFD, have no meaning to compare: what is
done instead is said with `_local`. And the source's special tokens, whose literal texts it
searches too, are nobody's neighbours.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets
from tokkit.transplant.context import (
    COMPOSED,
    MEAN,
    MEAN_ROW,
    MIXED,
    NEIGHBOURS,
    OVERRIDE,
    Composition,
    Context,
    Side,
)
from tokkit.transplant.methods.nearest import Reals, cosines, nearest
from tokkit.transplant.methods.token_vectors import TokenVectors, text_of, token_vectors
from tokkit.transplant.rows import Rows

_SOFTENING = 1e-5
"""What is added to the temperature, so that it may be 0."""


class _Half(NamedTuple):
    """Source rows and their weights, which add up to one for each new token that has any.

    Attributes:
        owners: The new token that each entry belongs to, ascending.
        ids: Source ids.
        weights: How much of each.
    """

    owners: Offsets
    ids: Ids
    weights: Reals


_NOTHING = _Half(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0))


def tokenadapt(context: Context, side: Side) -> Composition:
    """Mix the pieces of each new token with the source tokens that mean nearly the same.

    A row is ``(1 - g)`` times the local half (`_local`) and ``g``, the ``global_weight``, times
    the global half (`_neighbours`); where only one of them exists, that one; where neither
    does, the mean of the source's rows. 0 leaves the global half out, 1 the local one. A source
    token that is both a piece and a neighbour has two entries, the piece first.

    Args:
        context: With an ``auxiliary``; ``temperature``, ``top_k``, ``global_weight`` and
            ``threshold`` of its settings count.
        side: Does not matter: input and output get the same weights.

    Raises:
        UsageError: If there is no auxiliary encoder.
        ModelError: If it does not give one finite vector per text.
    """
    share = context.settings.global_weight
    vectors = token_vectors(context)
    local = _local(context, vectors) if share < 1 else _NOTHING
    near = _neighbours(context, vectors) if share > 0 else _NOTHING
    notes = {
        "tokens without text": int((vectors.new < 0).sum()),
        "pieces without text": int((vectors.source[context.alignment.piece_ids] < 0).sum()),
    }
    return _mix(local, near, share, len(context.tokens), context.source_size, notes)


def _mix(
    local: _Half, near: _Half, share: float, count: int, size: int, notes: dict[str, int]
) -> Composition:
    """Put both halves together, and the mean row where neither has anything."""
    has_local, has_near = (_has(half, count) for half in (local, near))
    missing = np.flatnonzero(~(has_local | has_near))
    owners = np.concatenate([local.owners, near.owners, missing])
    ids = np.concatenate([local.ids, near.ids, np.full(missing.size, size + MEAN_ROW)])
    weights = np.concatenate(
        [
            local.weights * np.where(has_near, 1 - share, 1.0)[local.owners],
            near.weights * np.where(has_local, share, 1.0)[near.owners],
            np.ones(missing.size),
        ]
    )
    order = np.argsort(owners, kind="stable")
    ends = np.cumsum(np.bincount(owners, minlength=count), dtype=np.int64)
    kinds = np.array([MEAN, COMPOSED, NEIGHBOURS, MIXED], dtype=np.uint8)
    rows = Rows(ends, ids[order].astype(np.int32), weights[order].astype(np.float32))
    return Composition(rows, kinds[has_local + 2 * has_near], notes=notes)


def _has(half: _Half, count: int) -> NDArray[np.bool_]:
    """Tell which new tokens have entries."""
    return np.bincount(half.owners, minlength=count) > 0


def _local(context: Context, vectors: TokenVectors) -> _Half:
    """Weight the pieces of each token, ``w = softmax((a + l) / 2 / (T + 1e-5))``.

    ``a`` is the softmax, at temperature 1, of the cosines of token and pieces; ``l`` the length
    of each piece in characters, as a share of the token's. Where bytes are not UTF-8:

    * a piece without text has an even share of ``a``, and the others divide the rest;
    * lengths are in bytes where a piece, or the token, has no text;
    * for a token without text ``w = softmax(l / (T + 1e-5))``.
    """
    alignment, count = context.alignment, len(context.tokens)
    pieces = alignment.piece_ids
    owners = np.repeat(np.arange(count), np.diff(alignment.piece_ends, prepend=0))
    known = vectors.source[pieces] >= 0
    has_text = vectors.new[owners] >= 0
    score = _lengths(context, owners, known & has_text)
    similar = _similarities(vectors, owners, pieces, known & has_text)
    score = np.where(has_text, (similar + score) / 2, score)
    weights = _softmax(score / (context.settings.temperature + _SOFTENING), owners, count)
    return _Half(owners, pieces, weights)


def _similarities(
    vectors: TokenVectors, owners: Offsets, pieces: Ids, defined: NDArray[np.bool_]
) -> Reals:
    """Return ``a`` of `_local`, ``float64[pieces]``: adds up to one for each token."""
    count = vectors.new.size
    sizes = np.bincount(owners, minlength=count)
    known = np.bincount(owners, defined, minlength=count)
    own, left, right = owners[defined], vectors.new[owners], vectors.source[pieces]
    shares = 1.0 / sizes[owners]
    softened = _softmax(cosines(vectors.vectors, left[defined], right[defined]), own, count)
    shares[defined] = softened * (known[own] / sizes[own])
    return shares


def _lengths(context: Context, owners: Offsets, has_text: NDArray[np.bool_]) -> Reals:
    """Return ``l`` of `_local`, ``float64[pieces]``; 0 for tokens without bytes."""
    used, places = np.unique(context.alignment.piece_ids, return_inverse=True)
    source = [context.source.vocab.tokens[i] for i in used.tolist()]
    count = len(context.tokens)
    as_text = np.bincount(owners, ~has_text, minlength=count)[owners] == 0
    part = np.where(as_text, _characters(source)[places], _sizes(source)[places])
    whole = np.where(
        as_text, _characters(context.tokens)[owners], _sizes(context.tokens)[owners]
    )
    return np.where(whole > 0, part / np.maximum(whole, 1), 0.0)


def _characters(tokens: Sequence[bytes]) -> Offsets:
    """Return how many characters each token has, 0 without text, ``int64[n]``."""
    return np.array([len(text_of(token) or "") for token in tokens], dtype=np.int64)


def _sizes(tokens: Sequence[bytes]) -> Offsets:
    """Return how many bytes each token has, ``int64[n]``."""
    return np.array([len(token) for token in tokens], dtype=np.int64)


def _neighbours(context: Context, vectors: TokenVectors) -> _Half:
    """Weight the `top_k` nearest source tokens, ``w = softmax(cosine / (T + 1e-5))``.

    Those less similar than `threshold` are left out after that, and the others scaled up. Only
    tokens with text are searched for, among source tokens with text; where the user has said
    what a token is made of, nothing is.
    """
    settings, alignment = context.settings, context.alignment
    used = alignment.used[vectors.source[alignment.used] >= 0]
    said = alignment.origins[alignment.new] == OVERRIDE
    asked = np.flatnonzero((vectors.new >= 0) & ~said)
    count = min(settings.top_k, used.size)
    if count <= 0 or not asked.size:
        return _NOTHING
    queries = vectors.vectors[vectors.new[asked]]
    offered = vectors.vectors[vectors.source[used]]
    places, similar = nearest(queries, offered, count, context.progress)
    owners = np.repeat(asked, count)
    heat = settings.temperature + _SOFTENING
    weights = _softmax(similar.ravel() / heat, owners, len(context.tokens))
    kept = (similar.ravel() >= settings.threshold) & (weights > 0)
    owners, ids, weights = owners[kept], used[places].ravel()[kept], weights[kept]
    totals = np.bincount(owners, weights, minlength=len(context.tokens))
    return _Half(owners, ids, weights / totals[owners])


def _softmax(values: Reals, owners: Offsets, count: int) -> Reals:
    """Return the softmax of the values of each owner, ``float64[values]``."""
    largest = np.full(count, -np.inf)
    np.maximum.at(largest, owners, values)
    powers: Reals = np.exp(values - largest[owners])
    powers /= np.bincount(owners, powers, minlength=count)[owners]
    return powers
