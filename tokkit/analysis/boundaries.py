"""Where tokens end in the bytes of a text."""

from collections.abc import Sequence

import numpy as np

from tokkit.kernels._jit import Ids, Offsets
from tokkit.tokenizer import Tokenizer, rewrites


class Boundaries:
    """Finds where the tokens of documents end; quick for whole batches.

    Special tokens written in a text are text.

    Attributes:
        tokenizer: Whose tokens.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._lengths = np.array(list(map(len, tokenizer.vocab.tokens)), dtype=np.int64)
        self._may_differ = (
            tokenizer.normalizer is not None
            or rewrites(tokenizer.pretokenizer)
            or tokenizer.first_pretokenizer is not None
        )

    def of_batch(self, documents: Sequence[bytes]) -> list[tuple[Ids, Offsets | None]]:
        """Cut documents.

        Returns:
            For each its ids, ``int32[n]``, and where each of them ends, ``int64[n]``, in
            bytes; None for a document that the tokenizer rewrites before it cuts it, as then
            its tokens have no place in it. A space that is put before a text belongs to no
            byte of it.
        """
        cut = self.tokenizer.encode_batch(documents, parse_specials=False)
        return [(ids, self._place(ids, text)) for ids, text in zip(cut, documents, strict=True)]

    def _place(self, ids: Ids, text: bytes) -> Offsets | None:
        ends: Offsets = np.cumsum(self._lengths[ids])
        surplus = int(ends[-1]) - len(text) if ends.size else -len(text)
        if surplus not in (0, 1):
            return None
        if surplus or self._may_differ:
            tokens = self.tokenizer.vocab.tokens
            if b"".join([tokens[i] for i in ids.tolist()]) != b" "[:surplus] + text:
                return None
        return np.maximum(ends - surplus, 0)
