"""Which tokens texts are made of, and which only serve to build others: scaffolding."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.audit.proofs import inner_segmenter
from tokkit.analysis.encoding import Encoder
from tokkit.canonical.pair_tables import build_tables, supports
from tokkit.errors import CorpusError
from tokkit.kernels.pairs import KEY, LEFT, NOT_MADE, RIGHT
from tokkit.progress import Progress, silent
from tokkit.segment.bpe import BPE
from tokkit.tokenizer import Tokenizer

SHARE = 0.9
"""From which share of the times that it is made on, merged on, a token is scaffolding.

The threshold of Picky BPE (arXiv 2409.04599), which drops such tokens while it learns.
"""
_BATCH = 256


@dataclass(frozen=True)
class Scaffolding:
    """How often each token is in texts, and how often it was merged on into another.

    Attributes:
        documents: How many texts there are.
        bytes: Their length.
        counts: How often each token is in them; ``int64[V]``.
        merged_on: How often each was made on the way to a longer token; ``int64[V]``; None
            where tokens are not made by merging, or what is merged is not what they spell.
        made: Which tokens merging makes of several others; ``bool[V]``.
    """

    documents: int
    bytes: int
    counts: NDArray[np.int64]
    merged_on: NDArray[np.int64] | None
    made: NDArray[np.bool_]

    @property
    def tokens(self) -> list[int]:
        """The scaffolding, that which is merged on most often first."""
        if self.merged_on is None:
            return []
        often = self.merged_on >= SHARE * (self.merged_on + self.counts)
        found = np.flatnonzero(self.made & often & (self.merged_on > 0))
        return [
            int(token) for token in found[np.argsort(-self.merged_on[found], kind="stable")]
        ]

    @property
    def never_left(self) -> list[int]:
        """Scaffolding of which nothing is left: tokens that these texts do not have at all."""
        return [token for token in self.tokens if not self.counts[token]]

    def as_json(self) -> dict[str, Any]:
        """Return the figures, as JSON."""
        return {
            "documents": self.documents,
            "bytes": self.bytes,
            "tokens": int(self.counts.sum()),
            "distinct_tokens": int((self.counts > 0).sum()),
            "merges_known": self.merged_on is not None,
            "scaffolding": len(self.tokens),
            "scaffolding_never_left": len(self.never_left),
            "scaffolding_share": SHARE,
        }


def find_scaffolding(
    tokenizer: Tokenizer, documents: Iterable[bytes], progress: Progress = silent
) -> Scaffolding:
    """Count the tokens of texts, and what they were merged from.

    A token is made by the same merges wherever it is (see `tokkit.canonical.pairs`), so those
    of its own bytes tell what it was before. Special tokens that texts have written are text.

    Args:
        tokenizer: The tokenizer.
        documents: The texts, read once, some at a time.
        progress: Told ``("counting tokens", texts done, 0)``.

    Raises:
        CorpusError: If the texts have no tokens, of which nothing can be said.
    """
    encoder, size = Encoder(tokenizer), len(tokenizer.vocab)
    counts = np.zeros(size, np.int64)
    rest, done, length = iter(documents), 0, 0
    while batch := list(islice(rest, _BATCH)):
        ids, _ = encoder.encode(batch)
        counts += np.bincount(ids, minlength=size)
        done += len(batch)
        length += sum(map(len, batch))
        progress("counting tokens", done, 0)
    if not counts.any():
        raise CorpusError("the texts have no tokens that could show what they are built from")
    merged_on, made = _pass_on(tokenizer, counts)
    return Scaffolding(done, length, counts, merged_on, made)


def _pass_on(
    tokenizer: Tokenizer, counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64] | None, NDArray[np.bool_]]:
    """Hand the count of each token down to the two it was last merged from, and so on."""
    segmenter = inner_segmenter(tokenizer.segmenter)
    if not (isinstance(segmenter, BPE) and supports(segmenter)):
        return None, np.zeros(counts.size, np.bool_)
    table = build_tables(segmenter).table
    size = max(counts.size, len(table))
    merged_on = np.zeros(size, np.int64)
    own = np.zeros(size, np.int64)
    own[: counts.size] = counts
    made = np.zeros(size, np.bool_)
    made[: len(table)] = (table[:, KEY] != NOT_MADE) & (table[:, LEFT] >= 0)
    # Parts are shorter than what they make, so a token's count is complete when it is its turn.
    for token in sorted(np.flatnonzero(made), key=lambda each: -len(segmenter.spellings[each])):
        times = own[token] + merged_on[token]
        merged_on[table[token, LEFT]] += times
        merged_on[table[token, RIGHT]] += times
    return merged_on[: counts.size], made[: counts.size]
