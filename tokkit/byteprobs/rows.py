"""Scores of documents as rows of a table, and what they add up to."""

import math
from dataclasses import dataclass
from typing import Any

from tokkit.byteprobs.combining import EnsembleScore
from tokkit.byteprobs.results import Score

Row = dict[str, Any]
"""What is said about a document, as JSON; numbers that are not finite are None."""


def score_row(score: Score, *, per_byte: bool = False) -> Row:
    """Write what one model says of a document as a row."""
    row: Row = {
        "bytes": score.n_bytes,
        "logprob": _finite(score.logprob),
        "bits_per_byte": _finite(score.bits_per_byte),
        "logprob_end": None if score.logprob_end is None else _finite(score.logprob_end),
        "tokens": score.n_tokens,
        "token_logprob": _finite(score.token_logprob),
        "token_bits_per_byte": _finite(score.token_bits_per_byte),
        "windows": score.windows,
        "segmentation": score.segmentation,
        "method": score.method,
        "exact": score.exact,
        **{f"leaked_{name}": share for name, share in vars(score.leaks).items()},
    }
    if per_byte and score.byte_logprobs is not None:
        row["byte_logprobs"] = [_finite(each) for each in score.byte_logprobs.tolist()]
    return row


def ensemble_row(score: EnsembleScore, *, per_byte: bool = False, end: bool = False) -> Row:
    """Write what several models say together as a row; there are no tokens they share."""
    row: Row = {
        "bytes": score.n_bytes,
        "logprob": _finite(score.logprob),
        "bits_per_byte": _finite(score.bits_per_byte),
        "logprob_end": _finite(score.logprob_end) if end else None,
    }
    if per_byte:
        row["byte_logprobs"] = [_finite(each) for each in score.byte_logprobs.tolist()]
    return row


def refused_row(n_bytes: int, reason: str) -> Row:
    """Write a row for a document that has no probability, saying why."""
    return {"bytes": n_bytes, "logprob": None, "error": reason}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


@dataclass
class Totals:
    """What rows add up to; those that were refused are only counted.

    Attributes:
        documents: How many have a score.
        refused: How many have none.
        n_bytes: The bytes of those that have one.
        n_tokens: Their tokens.
        logprob: The sum of their log probabilities.
        token_logprob: The same from their tokens.
        bits: The sum of their bits per byte, of `measured` documents that are not empty.
        token_bits: The same from their tokens.
    """

    documents: int = 0
    refused: int = 0
    n_bytes: int = 0
    n_tokens: int = 0
    logprob: float = 0.0
    token_logprob: float = 0.0
    measured: int = 0
    bits: float = 0.0
    token_bits: float = 0.0

    def add(self, row: Row) -> None:
        """Count a row in."""
        if "error" in row:
            self.refused += 1
            return
        self.documents += 1
        self.n_bytes += row["bytes"]
        self.n_tokens += row.get("tokens", 0)
        self.logprob += _or_nan(row["logprob"])
        self.token_logprob += _or_nan(row.get("token_logprob"))
        if row["bytes"]:
            self.measured += 1
            self.bits += _or_nan(row["bits_per_byte"])
            self.token_bits += _or_nan(row.get("token_bits_per_byte"))

    def as_json(self) -> dict[str, object]:
        """Everything as JSON.

        ``bits_per_byte`` is that of the whole corpus, all bits over all bytes (the micro
        average); ``mean_bits_per_byte`` is the mean over its documents (the macro average).
        """
        bits = self.n_bytes * math.log(2)
        return {
            "documents": self.documents,
            "refused": self.refused,
            "bytes": self.n_bytes,
            "tokens": self.n_tokens,
            "logprob": _finite(self.logprob),
            "bits_per_byte": _ratio(-self.logprob, bits),
            "mean_bits_per_byte": _ratio(self.bits, self.measured),
            "token_logprob": _finite(self.token_logprob),
            "token_bits_per_byte": _ratio(-self.token_logprob, bits),
            "mean_token_bits_per_byte": _ratio(self.token_bits, self.measured),
        }


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _ratio(total: float, parts: float) -> float | None:
    return _finite(total / parts) if parts else None
