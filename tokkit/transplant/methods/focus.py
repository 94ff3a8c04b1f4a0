"""FOCUS: new tokens from shared ones that are used alike (arXiv 2305.14481, sec. 2).

Word vectors are learned from text cut by the target tokenizer. A new token is the mean of the
shared tokens, weighted by the sparsemax of their cosine similarities to it. A token that has no
vector, as it is seldom or never seen, is drawn at random around the mean of the source's rows.

What differs from the published implementation: shared tokens are those with the same bytes,
n-grams share no row of the word vectors, and these are learned by one thread.
"""

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import UsageError
from tokkit.kernels import sparsemax
from tokkit.transplant.context import (
    MEAN_ROW,
    NEIGHBOURS,
    RANDOM,
    Alignment,
    Composition,
    Context,
    Progress,
    Side,
    silent,
)
from tokkit.transplant.methods.word_vectors import Mask, Vectors, learn_token_vectors
from tokkit.transplant.rows import Rows, stack

BLOCK = 1 << 22
"""Similarities that are held at once."""


def focus(context: Context, side: Side) -> Composition:
    """Make new tokens of shared ones by similarity of use (arXiv 2305.14481).

    Args:
        context: Needs a corpus; `dimensions`, `epochs` and `min_count` of its settings count.
        side: Both are made alike: one call serves both.

    Raises:
        UsageError: If there is no corpus.
    """
    if context.corpus is None:
        raise UsageError("focus learns word vectors from text; give it a corpus")
    learned = learn_token_vectors(
        context.corpus, context.target, context.settings, context.seed, context.progress
    )
    return focus_from_vectors(
        learned.vectors,
        learned.known,
        context.alignment,
        context.source_size,
        context.progress,
    )


def focus_from_vectors(
    vectors: Vectors,
    known: Mask,
    alignment: Alignment,
    source_size: int,
    progress: Progress = silent,
) -> Composition:
    """Weigh shared tokens by the sparsemax of their cosine similarities to each new one.

    Args:
        vectors: Of the target's tokens, ``float32[target ids, d]``, of any origin.
        known: Which of them count, ``bool[target ids]``; vectors of zeros never do.
        alignment: Which tokens are shared and which are new.
        source_size: How many source ids there are.
        progress: Told how many new tokens are done.

    Returns:
        Rows of weights that add up to one; `RANDOM` ones without a vector.
    """
    usable = known & (vectors != 0).any(axis=1)
    anchors = alignment.shared[usable[alignment.shared]]
    composable = usable[alignment.new] & bool(anchors.size)
    rows = _weigh(vectors[alignment.new[composable]], vectors[anchors], progress)
    mixed = Rows(rows.ends, alignment.matches[anchors][rows.ids].astype(np.int32), rows.weights)
    notes = {"anchors": int(anchors.size), "without vector": int((~composable).sum())}
    return with_random(mixed, composable, source_size, notes)


def _weigh(queries: Vectors, keys: Vectors, progress: Progress) -> Rows:
    """Return the sparsemax of the cosines of each query with all keys, block by block."""
    step = max(BLOCK // max(len(keys), 1), 1)
    units = unit(keys).T
    parts = []
    for start in range(0, len(queries), step):
        parts.append(sparsemax_rows(unit(queries[start : start + step]) @ units))
        progress("compare tokens", min(start + step, len(queries)), len(queries))
    return stack(parts)


def unit(vectors: Vectors) -> Vectors:
    """Divide vectors by their lengths."""
    lengths = np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    units: Vectors = (vectors / lengths).astype(np.float32)
    return units


def sparsemax_rows(scores: NDArray[np.float32]) -> Rows:
    """Return the sparsemax of each row of scores (arXiv 1602.02068), ``float32[n, k]``.

    Example: scores 0.5, 0.3 and -0.9 give 0.6, 0.4 and nothing.
    """
    thresholds = np.empty(len(scores), dtype=np.float64)
    counts = np.empty(len(scores), dtype=np.int64)
    sparsemax.find_thresholds(scores, thresholds, counts)
    columns = np.empty(int(counts.sum()), dtype=np.int32)
    weights = np.empty(columns.size, dtype=np.float32)
    sparsemax.write_above(scores, thresholds, columns, weights)
    return Rows(np.cumsum(counts), columns, weights)


def with_random(
    rows: Rows, composed: Mask, source_size: int, notes: dict[str, int]
) -> Composition:
    """Put rows where they belong, and between them the source's mean row with noise.

    Args:
        rows: One for each token that is composed.
        composed: Which of the new tokens are, ``bool[n]``.
        source_size: How many source ids there are.
        notes: What the report should say.
    """
    counts = np.ones(composed.size, dtype=np.int64)
    counts[composed] = rows.counts
    ends = np.cumsum(counts)
    taken = np.repeat(composed, counts)
    ids = np.full(taken.size, source_size + MEAN_ROW, dtype=np.int32)
    weights = np.ones(taken.size, dtype=np.float32)
    ids[taken], weights[taken] = rows.ids, rows.weights
    return Composition(
        Rows(ends, ids, weights),
        np.where(composed, NEIGHBOURS, RANDOM).astype(np.uint8),
        noise=np.where(composed, 0.0, 1.0).astype(np.float32),
        notes=notes,
    )
