"""Stretches of text between places where two tokenizers both have the border of a token."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.lm.score import Scores
from tokkit.tokenizer import Tokenizer

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stretches:
    """What each stretch costs under two models, after the same bytes.

    Attributes:
        segments: The number of the segment that each is in, ``int64[n]``.
        sizes: Its bytes, ``int64[n]``.
        nats: What it costs under each model, ``float64[2, n]``.
        tokens: How many tokens it has, ``int64[2, n]``.
        has_new: Whether any of the second model's tokens in it is a new one, ``bool[n]``.
    """

    segments: Numbers
    sizes: Numbers
    nats: NDArray[np.float64]
    tokens: Numbers
    has_new: NDArray[np.bool_]


def divide(
    scores: tuple[Scores, Scores],
    tokenizers: tuple[Tokenizer, Tokenizer],
    is_new: NDArray[np.bool_],
) -> Stretches:
    """Divide segments into the smallest stretches that are whole tokens of both tokenizers.

    A segment that a tokenizer rewrites otherwise than by a space before it is one stretch.

    Args:
        scores: What the same segments cost under each model.
        tokenizers: The tokenizers of the models.
        is_new: Which ids of the second tokenizer are new, ``bool[ids]``.
    """
    ends = [_ends(own, each) for own, each in zip(scores, tokenizers, strict=True)]
    segment_ends = np.cumsum(scores[0].sizes)
    borders = np.union1d(np.intersect1d(ends[0], ends[1]), segment_ends)
    count = borders.size
    places = [np.searchsorted(borders, each) for each in ends]
    pairs = list(zip(places, scores, strict=True))
    nats = [np.bincount(place, own.token_nats, minlength=count) for place, own in pairs]
    tokens = [np.bincount(place, minlength=count) for place in places]
    new = np.bincount(places[1], is_new[scores[1].ids], minlength=count) > 0
    return Stretches(
        np.searchsorted(segment_ends, borders),
        np.diff(borders, prepend=0),
        np.array(nats),
        np.array(tokens),
        new,
    )


def _ends(scores: Scores, tokenizer: Tokenizer) -> Numbers:
    """Return where each token ends in all segments laid end to end."""
    lengths = np.array([len(token) for token in tokenizer.vocab.tokens], dtype=np.int64)
    lengths = lengths[scores.ids]
    owners = np.repeat(np.arange(scores.sizes.size), scores.tokens)
    spelled = np.bincount(owners, lengths, minlength=scores.sizes.size).astype(np.int64)
    starts = np.cumsum(scores.sizes) - scores.sizes
    extra = spelled - scores.sizes
    before = np.cumsum(spelled) - spelled
    ends = np.cumsum(lengths) - before[owners] - extra[owners]
    # Where tokens spell something else, nothing is known but where the segment ends.
    odd = (extra < 0) | (extra > 1)
    ends = np.where(odd[owners], scores.sizes[owners], np.maximum(ends, 1))
    return starts[owners] + ends
