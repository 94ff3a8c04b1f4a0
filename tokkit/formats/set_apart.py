"""Cutting at texts and spaces without changing what a segmenter makes of the rest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.formats.sentencepiece_model import SPACE
from tokkit.kernels._jit import Bytes, Ids, Offsets
from tokkit.pretokenize import Pieces
from tokkit.segment import Segmenter


@dataclass(frozen=True)
class SpaceRuns:
    """Cuts before every run of ``▁``, or `after` every run: ``a▁▁b`` is ``a|▁▁b``."""

    after: bool = False

    def split(self, pieces: Pieces) -> Pieces:
        """Cut every piece further."""
        starts, ends = _runs(pieces.data)
        # A run that begins (or ends) where a piece does is not cut off from it again.
        cuts = ends if self.after else starts
        inner = cuts[(cuts > 0) & (cuts < pieces.data.size)]
        return Pieces(pieces.data, np.union1d(pieces.ends, inner))

    def cuts(self, text: str) -> bool:
        """Say whether a text would be cut: ``▁a`` would not, ``a▁`` would."""
        joined = SPACE + r"[^" + SPACE + "]" if self.after else r"[^" + SPACE + "]" + SPACE
        return re.search(joined, text, re.DOTALL) is not None


def _runs(data: Bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the runs of ``▁`` (E2 96 81): where each starts and ends."""
    if data.size < 3:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    at = np.flatnonzero((data[:-2] == 0xE2) & (data[1:-1] == 0x96) & (data[2:] == 0x81))
    first = np.ones(at.size, dtype=bool)
    first[1:] = np.diff(at) != 3
    last = np.roll(first, -1)
    return at[first], at[last] + 3


class SetApart:
    """A segmenter for which some texts are tokens wherever they occur, the longest first.

    Args:
        inner: Segments what lies between them.
        tokens: The ids of the texts.
    """

    def __init__(self, inner: Segmenter, tokens: Mapping[bytes, int]) -> None:
        self.inner = inner
        self.tokens = dict(tokens)
        longest_first = sorted(self.tokens, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, longest_first)))

    def segment(self, pieces: Pieces) -> tuple[Ids, Offsets]:
        """Return the ids of all pieces, ``int32[n]``, and where each piece ends in them."""
        data = pieces.data.tobytes()
        if self._pattern.search(data) is None:
            return self.inner.segment(pieces)
        ends, fixed = self._cut(data, pieces.ends)
        ids, id_ends = self.inner.segment(Pieces(pieces.data, ends))
        starts = np.concatenate([np.zeros(1, np.int64), id_ends[:-1]])
        lengths = np.where(fixed >= 0, 1, id_ends - starts)
        merged_ends = np.cumsum(lengths)
        merged = np.empty(int(merged_ends[-1]), dtype=np.int32)
        # Where a text was set apart, its id stands for whatever the segmenter made of it.
        piece_of = np.repeat(np.arange(lengths.size), lengths)
        offset = np.arange(merged.size) - (merged_ends - lengths)[piece_of]
        kept = fixed[piece_of] < 0
        merged[kept] = ids[starts[piece_of[kept]] + offset[kept]]
        merged[~kept] = fixed[piece_of[~kept]]
        return merged, merged_ends[np.searchsorted(ends, pieces.ends)]

    def _cut(self, data: bytes, ends: Offsets) -> tuple[Offsets, NDArray[np.int32]]:
        """Cut at the texts: where pieces end now, and the id of each that is a text (or -1)."""
        cuts: list[int] = []
        ids: list[int] = []
        start = 0
        for end in ends.tolist():
            for match in self._pattern.finditer(data, start, end):
                if match.start() > start:
                    cuts.append(match.start())
                    ids.append(-1)
                cuts.append(match.end())
                ids.append(self.tokens[match[0]])
                start = match.end()
            if end > start:
                cuts.append(end)
                ids.append(-1)
            start = end
        return np.array(cuts, dtype=np.int64), np.array(ids, dtype=np.int32)
