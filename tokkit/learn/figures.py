"""What a learned vocabulary is worth on the text it was learned from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Counts


def entropy_bits(frequencies: NDArray[np.int64]) -> float:
    """Return the bits of a text under its own frequencies: ``[2, 2]`` takes 4 bits."""
    present = frequencies[frequencies > 0].astype(np.float64)
    return float(-(present * np.log2(present / present.sum())).sum()) if present.size else 0.0


def description_length(tokens: Sequence[bytes], totals: Counts) -> dict[str, float]:
    """Return the bits that describe the vocabulary and the corpus in terms of it.

    ``lexicon = -sum f(s) log2 P(s)`` over the bytes ``s`` of all tokens end to end, ``corpus =
    -sum f(u) log2 P(u)`` over the tokens ``u`` of the corpus, after the LiB papers (CogALex
    2020), which take characters for ``s``.

    Args:
        tokens: The bytes of each token.
        totals: ``int64[len(tokens)]``, how often each occurs.
    """
    spelled = np.frombuffer(b"".join(tokens), dtype=np.uint8)
    lexicon = entropy_bits(np.bincount(spelled, minlength=256))
    corpus = entropy_bits(totals)
    return {"lexicon": lexicon, "corpus": corpus, "total": lexicon + corpus}


def count_multi_word(tokens: Sequence[bytes]) -> int:
    """Count tokens with more than one word: ``b" of the"``, not ``b" of"``."""
    return sum(len(token.split()) > 1 for token in tokens)


def summarise(tokens: Sequence[bytes], totals: Counts) -> dict[str, Any]:
    """Return the figures every algorithm reports.

    Args:
        tokens: The bytes of each token; ``b""`` for special tokens.
        totals: ``int64[len(tokens)]``, how often each occurs in the segmented corpus.

    Returns:
        ``bytes``, ``tokens``, ``bytes_per_token``, ``description_length_bits``,
        ``multi_word_share`` (of the tokens that have bytes) and ``unused_tokens``.
    """
    lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    size, used = int(lengths @ totals), int(totals.sum())
    spelled = int((lengths > 0).sum())
    return {
        "bytes": size,
        "tokens": used,
        "bytes_per_token": size / used if used else 0.0,
        "description_length_bits": description_length(tokens, totals),
        "multi_word_share": count_multi_word(tokens) / max(spelled, 1),
        "unused_tokens": int(((totals == 0) & (lengths > 0)).sum()),
    }
