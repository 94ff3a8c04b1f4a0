"""Text to learn from, held in memory, and random places in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

import numpy as np

from tokkit.errors import CorpusError
from tokkit.kernels._jit import Bytes, Offsets

MOST = 1 << 30
"""Bytes of text that are held; what comes behind is left out."""
WINDOW = 4_096
"""Most bytes of one place of a block."""
_JUDGED = 50
"""One document of so many is not learned from."""
_MOST_JUDGED = 1 << 20
_NEAR = 4_096
"""So far back a break is looked for to cut a document at."""


@dataclass(frozen=True, eq=False)
class Texts:
    """Documents, one behind the other.

    Attributes:
        data: The bytes of all documents, ``uint8[n]``.
        ends: Where each ends, ``int64[documents]``.
    """

    data: Bytes
    ends: Offsets

    @classmethod
    def of(cls, documents: Iterable[bytes]) -> Self:
        """Lay documents end to end; empty ones are left out."""
        found = [each for each in documents if each]
        ends = np.cumsum([len(each) for each in found], dtype=np.int64)
        return cls(np.frombuffer(b"".join(found), dtype=np.uint8), ends)

    def windows(self, count: int, size: int, chance: np.random.Generator) -> list[bytes]:
        """Return text from random places: from the beginning of a word or document on.

        Args:
            count: How many.
            size: Most bytes of each; fewer where a document ends.
            chance: Draws the places, every byte as probable as any other.
        """
        found = []
        for place in chance.integers(0, self.data.size, count).tolist():
            document = int(np.searchsorted(self.ends, place, side="right"))
            first = int(self.ends[document - 1]) if document else 0
            last = int(self.ends[document])
            # Of a short rest, more than a few bytes.
            start = self._word(first, max(first, min(place, last - size)), last)
            end = self._character(min(start + size, last), last)
            found.append(self.data[start:end].tobytes())
        return found

    def block(self, size: int, chance: np.random.Generator) -> list[bytes]:
        """Return text from random places, about so many bytes together."""
        return self.windows(-(-size // WINDOW), WINDOW, chance)

    def _word(self, first: int, place: int, last: int) -> int:
        """Return the next place before a space or behind a line break, if one is near."""
        if place == first:
            return first
        near = self.data[place - 1 : min(place + 64, last)]
        breaks = np.flatnonzero((near[1:] == 0x20) | (near[:-1] == 0x0A))
        return place + int(breaks[0]) if breaks.size else self._character(place, last)

    def _character(self, place: int, last: int) -> int:
        """Return the place, or the next one where a character of UTF-8 begins."""
        for each in range(place, min(place + 4, last)):
            if self.data[each] & 0xC0 != 0x80:
                return each
        return place


def split(documents: Iterable[bytes]) -> tuple[Texts, Texts]:
    """Take documents to learn from, and to judge by: of fifty one, by a hash of its content.

    If that is none, as of a text file, which is one document, the end of the last one judges.

    Raises:
        CorpusError: If there are none for one of the two.
    """
    learned: list[bytes] = []
    judged: list[bytes] = []
    sizes = [0, 0]
    for document in filter(None, documents):
        digest = blake2b(document, digest_size=4, person=b"hypernet").digest()
        is_judge = int.from_bytes(digest) % _JUDGED == 0 and sizes[1] < _MOST_JUDGED
        (judged if is_judge else learned).append(document)
        sizes[is_judge] += len(document)
        if sizes[0] >= MOST:
            break
    if not judged and learned:
        last = learned.pop()
        place = _break_before(last, len(last) - sizes[0] // _JUDGED)
        learned.append(last[:place])
        judged.append(last[place:])
    if not any(learned) or not any(judged):
        raise CorpusError("the text to learn from is too short: give more of it")
    return Texts.of(learned), Texts.of(judged)


def _break_before(document: bytes, place: int) -> int:
    """Return where a line, word or character begins, at a place or not far before it."""
    if place <= 0:
        return 0
    for sign in (b"\n", b" "):
        found = document.rfind(sign, max(place - _NEAR, 0), place)
        if found >= 0:
            return found + 1
    while place and document[place : place + 1] and document[place] & 0xC0 == 0x80:
        place -= 1
    return place


def draw(seed: int, kind: int, number: int) -> np.random.Generator:
    """Return what draws for one purpose at one step, whatever was drawn before."""
    return np.random.default_rng([seed, kind, number])
