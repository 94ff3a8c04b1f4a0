"""Byte-pair encoding: adjacent symbols are merged, the best-ranked pair first."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets
from tokkit.pretokenize import Pieces


class BPE:
    """Merges the best-ranked pair of adjacent symbols, the leftmost first, until none is left.

    Args:
        spellings: What pieces spell each id with; ``b""`` for ids that text cannot produce.
            Ids from `size` on are virtual: they take part in merges, but what is left of them
            at the end comes out as an unknown symbol.
        merges: ``int32[m, 3]``: left id, right id and the id of both, best first.
        ranks: ``int32[m]``, the rank of each merge (lower is better); ``arange(m)`` if None.
        units: What a piece is cut into before merging.
        ignore_merges: Whether a piece that is a token is that token without any merging.
        byte_fallback: The 256 ids that stand for the bytes of unknown symbols.
        unk_id: The id of unknown symbols without `byte_fallback`; None: they are dropped.
        fuse_unk: Whether a run of unknown symbols is one `unk_id`.
        prefix: Put before every unit but the first of a piece when it is looked up.
        suffix: Put after the last unit of a piece when it is looked up.
        size: Number of ids that can come out; ``len(spellings)`` if None.
    """

    def __init__(
        self,
        spellings: Sequence[bytes],
        merges: NDArray[np.int32],
        *,
        ranks: NDArray[np.int32] | None = None,
        units: Literal["bytes", "characters"] = "bytes",
        ignore_merges: bool = False,
        byte_fallback: Sequence[int] | None = None,
        unk_id: int | None = None,
        fuse_unk: bool = False,
        prefix: bytes = b"",
        suffix: bytes = b"",
        size: int | None = None,
    ) -> None:
        self.units = units
        self.ignore_merges = ignore_merges
        self._ids = {spelling: i for i, spelling in enumerate(spellings) if spelling}
        order = range(len(merges)) if ranks is None else ranks.tolist()
        self._merges = {
            (left, right): (rank, new)
            for rank, (left, right, new) in zip(order, merges.tolist(), strict=True)
        }

    def segment(self, pieces: Pieces) -> tuple[Ids, Offsets]:
        """Return the ids of all pieces, ``int32[n]``, and where each piece ends in them."""
        ids: list[int] = []
        ends: list[int] = []
        data = pieces.data.tobytes()
        start = 0
        for end in pieces.ends.tolist():
            ids += self._piece(data[start:end])
            ends.append(len(ids))
            start = end
        return np.array(ids, dtype=np.int32), np.array(ends, dtype=np.int64)

    def _piece(self, piece: bytes) -> list[int]:
        if self.ignore_merges and piece in self._ids:
            return [self._ids[piece]]
        if self.units == "bytes":
            units = [bytes([byte]) for byte in piece]
        else:
            units = [character.encode() for character in piece.decode()]
        ids = [self._ids[unit] for unit in units if unit in self._ids]
        while True:
            found = [
                (self._merges[pair], place)
                for place, pair in enumerate(zip(ids, ids[1:], strict=False))
                if pair in self._merges
            ]
            if not found:
                return ids
            (_, new), place = min(found, key=lambda each: (each[0][0], each[1]))
            ids[place : place + 2] = [new]
