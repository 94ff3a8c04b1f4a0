"""A unigram language model: of all segmentations the most probable one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import VocabularyError
from tokkit.kernels._jit import Bytes, Ids, Offsets
from tokkit.kernels.viterbi import unigram_pieces
from tokkit.segment.bpe import Units
from tokkit.segment.cached import CachedSegmenter
from tokkit.segment.longest import pack
from tokkit.vocab import flatten

UNKNOWN_PENALTY = 10.0
"""How much less than the least probable token an unknown character scores."""


class Unigram(CachedSegmenter):
    """Cuts pieces into the tokens with the highest sum of scores.

    Of several best ways the one is taken whose last token is longest, and so on from the right.

    Attributes:
        spellings: What pieces spell each id with; ``b""`` for ids that text cannot produce. Of
            equal ones the last counts.
        scores: The score of each id, ``float64[n]``, usually a log probability.
        unk_id: The id of characters that are no token; None: they are an error.
        unk_score: The score of such a character; by default the lowest score less 10.
        byte_fallback: The 256 ids that stand for the bytes of unknown characters, -1 where
            there is none; characters with such a byte are `unk_id`.
        fuse_unk: Whether a run of unknown characters is one `unk_id`.
        single_precision: Whether scores are added up in 32 bits (SentencePiece) or 64 (Hugging
            Face).
        units: Whether tokens are made of characters, or of any bytes, each a character then.
    """

    def __init__(
        self,
        spellings: Sequence[bytes],
        scores: Sequence[float] | NDArray[np.float64],
        *,
        unk_id: int | None = None,
        unk_score: float | None = None,
        byte_fallback: Sequence[int] | None = None,
        fuse_unk: bool = True,
        single_precision: bool = False,
        units: Units = "characters",
    ) -> None:
        super().__init__()
        self.spellings = tuple(spellings)
        self.scores = np.array(scores, dtype=np.float64)
        self.unk_id = unk_id
        lowest = float(self.scores.min()) if self.scores.size else 0.0
        self.unk_score = lowest - UNKNOWN_PENALTY if unk_score is None else float(unk_score)
        self.byte_fallback = None if byte_fallback is None else tuple(byte_fallback)
        self.fuse_unk = fuse_unk
        self.single_precision = single_precision
        self.units: Units = units
        ids = {spelling: i for i, spelling in enumerate(self.spellings) if spelling}
        ordered = sorted(ids)
        self._trie, numbers = pack(*flatten(ordered))
        self._slot_ids = np.array([ids[each] for each in ordered] or [0], np.int32)[numbers]
        self._fallback = np.full(256, -1, dtype=np.int32)
        if byte_fallback is not None:
            self._fallback[:] = byte_fallback

    def segment_new(self, data: Bytes, starts: Offsets, ends: Offsets) -> tuple[Ids, Offsets]:
        """Segment the pieces ``data[starts[i]:ends[i]]``: their ids and where each ends."""
        ids = np.empty(int((ends - starts).sum()), dtype=np.int32)
        id_ends = np.empty(ends.size, dtype=np.int64)
        written = unigram_pieces(
            data,
            starts,
            ends,
            self._trie,
            self._slot_ids,
            self.scores,
            self.unk_score,
            -1 if self.unk_id is None else self.unk_id,
            self._fallback,
            self.fuse_unk,
            self.single_precision,
            self.units == "bytes",
            ids,
            id_ends,
        )
        if self.unk_id is None and (ids[:written] < 0).any():
            raise VocabularyError(
                "the text has a character that is no token, and there is no unknown token"
            )
        return ids[:written], id_ends
