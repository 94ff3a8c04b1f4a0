"""What an auxiliary encoder makes of tokens that have a text."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import ModelError, UsageError
from tokkit.kernels._jit import Offsets
from tokkit.transplant.context import Context


@dataclass(frozen=True, eq=False)
class TokenVectors:
    """The vectors of the new tokens and of the source's; equal texts share one.

    Attributes:
        vectors: One row per text, ``float32[texts, d]``.
        new: The row of each new token, ``int64[n]``; -1 where the token has no text.
        source: The row of each source id, ``int64[source ids]``; -1 where the token has no
            text, or is not needed.
    """

    vectors: NDArray[np.float32]
    new: Offsets
    source: Offsets


def text_of(token: bytes) -> str | None:
    """Return the text of a token, its leading space included; None if it is not UTF-8.

    Special tokens stand for no bytes, and have none either.
    """
    try:
        return token.decode() or None
    except UnicodeDecodeError:
        return None


def token_vectors(context: Context) -> TokenVectors:
    """Encode, in one go, every text that either half of TokenAdapt compares.

    Raises:
        UsageError: If there is no auxiliary encoder.
        ModelError: If it does not give one finite vector per text.
    """
    if context.auxiliary is None:
        raise UsageError("tokenadapt compares tokens by meaning: name an encoder (--aux-model)")
    rows: dict[str, int] = {}
    alignment, source = context.alignment, context.source.vocab.tokens
    new = _number((text_of(token) for token in context.tokens), rows)
    ids = np.unique(alignment.piece_ids)
    if context.settings.global_weight > 0:
        ids = np.union1d(ids, alignment.used)
    places = np.full(context.source_size, -1, dtype=np.int64)
    places[ids] = _number((text_of(source[i]) for i in ids.tolist()), rows)
    texts = list(rows)
    vectors = context.auxiliary.embed(texts) if texts else np.zeros((0, 1), np.float32)
    if vectors.ndim != 2 or len(vectors) != len(texts):
        raise ModelError(
            f"the encoder gave an array of shape {vectors.shape} for {len(texts)} texts: it "
            "has to give one vector for each"
        )
    wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if wrong.size:
        raise ModelError(
            f"the encoder gave no finite vector for {texts[wrong[0]]!r}: choose another one"
        )
    return TokenVectors(np.asarray(vectors, dtype=np.float32), new, places)


def _number(texts: Iterable[str | None], rows: dict[str, int]) -> Offsets:
    """Return the row of each text, after giving new texts the next ones; -1 for None."""
    found = [-1 if text is None else rows.setdefault(text, len(rows)) for text in texts]
    return np.array(found, dtype=np.int64)
