"""Cutting text by a sampled vocabulary: of all ways the most probable one."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets, frozen
from tokkit.kernels.bytewise import best_tokens
from tokkit.pretokenize import Pieces
from tokkit.segment.longest import pack
from tokkit.vocab import flatten


class BytewiseUnigram:
    """Cuts any bytes into the tokens with the highest sum of scores.

    Args:
        tokens: Distinct byte strings, all single bytes among them.
        scores: The score of each, ``float64[n]``.
    """

    def __init__(self, tokens: Sequence[bytes], scores: NDArray[np.float64]) -> None:
        order = sorted(range(len(tokens)), key=tokens.__getitem__)
        self._units, numbers = pack(*flatten([tokens[index] for index in order]))
        self._slot_ids = np.array(order, np.int32)[numbers]
        self._scores = frozen(scores)

    def segment(self, pieces: Pieces) -> tuple[Ids, Offsets]:
        """Cut every piece on its own: the ids of all, and where each piece's end in them."""
        ids = np.empty(pieces.data.size, np.int32)
        id_ends = np.empty(pieces.ends.size, np.int64)
        written = best_tokens(
            frozen(pieces.data),
            frozen(pieces.ends),
            self._units,
            self._slot_ids,
            self._scores,
            ids,
            id_ends,
        )
        return ids[:written].copy(), id_ends


def share_out(ids: Ids, id_ends: Offsets, pieces: Pieces, texts: Sequence[bytes]) -> list[Ids]:
    """Give each text the ids of the pieces in it."""
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    last = np.searchsorted(pieces.ends, ends, side="right")
    bounds = [0, *np.append(0, id_ends)[last].tolist()]
    return [ids[start:end].copy() for start, end in pairwise(bounds)]
