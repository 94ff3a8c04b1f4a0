"""Segments drawn at random from a corpus of any size."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from tokkit.lm.score import SIZE, segments

STRETCH = 64
"""How many segments count as one document; what is further away says something new."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Segments of documents, in their order.

    Attributes:
        segments: Their bytes.
        owners: A number for the document that each is from, ``int64[segments]``. Of a long
            one, every `STRETCH` segments have a number of their own.
    """

    segments: list[bytes]
    owners: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.segments)


def draw(documents: Iterable[bytes], limit: int, *, seed: int = 0, size: int = SIZE) -> Drawn:
    """Cut documents into segments, and keep those that a hash of the seed chooses.

    Which ones are kept depends on their places alone, and no more than those are held.

    Args:
        documents: The corpus.
        limit: How many bytes to keep, about; all of a smaller corpus.
        seed: Of the choice.
        size: The most bytes of a segment.
    """
    kept: list[tuple[int, int, int, bytes]] = []
    total = 0
    for number, document in enumerate(documents):
        for place, part in enumerate(segments([document], size)):
            heappush(kept, (-_chance(seed, number, place), number, place, part))
            total += len(part)
            while total - len(kept[0][3]) >= limit:
                total -= len(heappop(kept)[3])
    kept.sort(key=lambda each: each[1:3])
    stretches = [(number, place // STRETCH) for _, number, place, _ in kept]
    numbers = {stretch: number for number, stretch in enumerate(dict.fromkeys(stretches))}
    owners = np.array([numbers[stretch] for stretch in stretches], dtype=np.int64)
    return Drawn([part for _, _, _, part in kept], owners)


def _chance(*numbers: int) -> int:
    """Return a hash of numbers."""
    digest = blake2b(repr(numbers).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
