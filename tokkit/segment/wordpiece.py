"""WordPiece, and vocabularies of whole words."""

from collections.abc import Sequence

import numpy as np

from tokkit.errors import VocabularyError
from tokkit.kernels._jit import Bytes, Ids, Offsets
from tokkit.kernels.longest import BASE_SHIFT, LABEL_MASK
from tokkit.kernels.wordpiece import wordpiece_pieces
from tokkit.segment.cached import CachedSegmenter
from tokkit.segment.longest import pack
from tokkit.vocab import flatten


class WordPiece(CachedSegmenter):
    """Cuts pieces into the longest tokens from the left; a piece that does not fit is unknown.

    With ``play`` and ``##ing``, ``playing`` is ``play ##ing`` and ``playful`` is `unk_id`.

    Attributes:
        spellings: The spelling of each id, those inside words with `prefix`; ``b""`` for ids
            that text cannot produce.
        unk_id: The id of unknown pieces; None: they are an error.
        prefix: What the spelling of tokens inside words begins with.
        max_characters: Longer pieces are unknown.
        whole_words: Whether a piece is one token or unknown.
    """

    def __init__(
        self,
        spellings: Sequence[bytes],
        *,
        unk_id: int | None,
        prefix: bytes = b"##",
        max_characters: int = 100,
        whole_words: bool = False,
    ) -> None:
        super().__init__()
        self.spellings = tuple(spellings)
        self.unk_id = unk_id
        self.prefix = prefix
        self.max_characters = max_characters
        self.whole_words = whole_words
        ids = {spelling: i for i, spelling in enumerate(self.spellings) if spelling}
        ordered = sorted(ids)
        self._ids = ids
        self._trie, numbers = pack(*flatten(ordered))
        self._slot_ids = np.array([ids[each] for each in ordered] or [0], np.int32)[numbers]
        self._middle = _walk(self._trie, prefix)

    def segment_new(self, data: Bytes, starts: Offsets, ends: Offsets) -> tuple[Ids, Offsets]:
        """Segment the pieces ``data[starts[i]:ends[i]]``: their ids and where each ends."""
        unknown = -1 if self.unk_id is None else self.unk_id
        id_ends = np.empty(ends.size, dtype=np.int64)
        if self.whole_words:
            spans = zip(starts.tolist(), ends.tolist(), strict=True)
            found = [self._ids.get(data[start:end].tobytes(), unknown) for start, end in spans]
            ids = np.array(found, dtype=np.int32)
            id_ends[:] = np.arange(1, ends.size + 1)
        else:
            ids = np.empty(int((ends - starts).sum()), dtype=np.int32)
            written = wordpiece_pieces(
                data,
                starts,
                ends,
                self._trie,
                self._slot_ids,
                self._middle,
                unknown,
                self.max_characters,
                ids,
                id_ends,
            )
            ids = ids[:written]
        if self.unk_id is None and (ids < 0).any():
            raise VocabularyError(
                "the text has a piece that is no token, and there is no unknown token"
            )
        return ids, id_ends


def _walk(trie: Offsets, prefix: bytes) -> int:
    """Return the slot that `prefix` leads to from the root; -1 if no token begins with it."""
    slot = 0
    for byte in prefix:
        slot = int(trie[slot]) >> BASE_SHIFT ^ byte
        if int(trie[slot]) & LABEL_MASK != byte:
            return -1
    return slot
