"""The tokens of many texts end to end, as quickly as can be."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets
from tokkit.pretokenize import Pieces
from tokkit.tokenizer import Tokenizer, rewrites
from tokkit.vocab import flatten

_NEVER = b"\xff"
"""A byte that no text in UTF-8 has, and so no added token."""


class Encoder:
    """Encodes batches; special tokens written in a text are text.

    Args:
        tokenizer: What to encode with.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._is_plain = (
            tokenizer.normalizer is None
            and tokenizer.first_pretokenizer is None
            and tokenizer.keeps_bytes
            and not rewrites(tokenizer.pretokenizer)
        )

    def encode(self, texts: Sequence[bytes]) -> tuple[Ids, Offsets]:
        """Encode texts.

        Returns:
            Their ids end to end, ``int32[n]``, and where those of each text end,
            ``int64[texts]``.
        """
        if not texts or not self._is_plain or self._has_added(texts):
            found = self.tokenizer.encode_batch(texts, parse_specials=False)
            ids = np.concatenate([np.zeros(0, dtype=np.int32), *found])
            return ids, np.cumsum([len(each) for each in found], dtype=np.int64)
        # What every text would be by itself: nothing rewrites it, no piece spans two.
        data, text_ends = flatten(texts)
        pieces = self.tokenizer.pretokenizer.split(Pieces(data, text_ends))
        ids, ends = self.tokenizer.segmenter.segment(pieces)
        places = np.searchsorted(pieces.ends, text_ends, side="right")
        return ids, np.append(0, ends)[places]

    @cached_property
    def puts_space(self) -> bool:
        """Whether a text gets a space before it that it does not have."""
        ids, _ = self.encode([b"a"])
        first = next((self.tokenizer.vocab.tokens[i] for i in ids.tolist()), b"")
        return first.startswith(b" ")

    def count_after_space(self, texts: Sequence[bytes]) -> NDArray[np.int64]:
        """Return how many tokens each text has after a space, which is none too many.

        Example: a tokenizer which puts a space before every text needs no other one.
        """
        return self.count(texts if self.puts_space else [b" " + text for text in texts])

    def count_bare(self, texts: Sequence[bytes]) -> NDArray[np.int64]:
        """Return how many tokens each text has, but for one of the space put before it."""
        ids, ends = self.encode(texts)
        counts = np.diff(ends, prepend=0)
        if not self.puts_space:
            return counts
        spaces = [i for i, token in enumerate(self.tokenizer.vocab.tokens) if token == b" "]
        first = ids[np.minimum(ends - counts, max(ids.size - 1, 0))]
        return counts - ((counts > 1) & np.isin(first, spaces))

    def count(self, texts: Sequence[bytes]) -> NDArray[np.int64]:
        """Return how many tokens each text has."""
        return np.diff(self.encode(texts)[1], prepend=0)

    def _has_added(self, texts: Sequence[bytes]) -> bool:
        """Tell whether there may be an added token in the texts."""
        joined = _NEVER.join(texts)
        segments = self.tokenizer.added.split(joined, None, parse_specials=False)
        return [segment.data for segment in segments] != [joined]
