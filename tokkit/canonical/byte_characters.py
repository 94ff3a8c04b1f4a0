"""Characters that are spelled byte by byte because they are in no token."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tokkit.alphabet import SPACE_MARK
from tokkit.segment.bpe import BPE
from tokkit.utf8 import width

_FIRST_CODES = (0, 0, 0x80, 0x800, 0x10000)
"""The first character of each length: shorter ones are not spelled with more bytes."""
_CODES = 0x110000


class ByteCharacters:
    """The characters that a segmenter turns into tokens for their bytes.

    Most of them merge with nothing (*free*). Where the segmenter looks at characters before it
    knows that they are unknown (``late_unk``), some are symbols that take part in merges, but
    not ids that can come out (*virtual*).

    Attributes:
        byte_of: The byte that an id stands for by itself.
        has_virtual: Whether there are virtual characters.
    """

    def __init__(self, segmenter: BPE, tokens: Sequence[bytes]) -> None:
        symbols: dict[int, int] = {}
        for symbol, spelling in enumerate(segmenter.spellings):
            code = _only_code(spelling)
            if code is not None:
                symbols.setdefault(code, symbol)
        self.byte_of = {
            token: byte
            for byte, token in enumerate(segmenter.byte_fallback or ())
            if 0 <= token < len(tokens) and tokens[token]
        }
        spelled = _spelled(np.isin(np.arange(256), list(self.byte_of.values())))
        self._virtual = {
            code: symbol
            for code, symbol in symbols.items()
            if segmenter.late_unk and symbol >= segmenter.size and spelled[code]
        }
        self.has_virtual = bool(self._virtual)
        spelled[list(symbols)] = False
        # A space that is written as ▁ before anything is cut never reaches the segmenter.
        pairs = zip(segmenter.spellings, tokens, strict=False)
        marked = [text for spelling, text in pairs if text and SPACE_MARK in spelling]
        if any(SPACE_MARK not in text for text in marked):
            spelled[ord(" ")] = False
        self._counts = np.concatenate([[0], np.cumsum(spelled, dtype=np.int32)])

    def has_free(self, prefix: bytes) -> bool:
        """Tell whether a free character begins with these bytes."""
        codes = _codes(prefix)
        start, stop = (min(code, self._counts.size - 1) for code in (codes.start, codes.stop))
        return bool(self._counts[stop] > self._counts[start])

    def virtual(self, prefix: bytes) -> list[int]:
        """List the symbols of the virtual characters that begin with these bytes."""
        if not self._virtual:
            return []
        codes = _codes(prefix)
        return [symbol for code, symbol in self._virtual.items() if code in codes]


def _only_code(spelling: bytes) -> int | None:
    """Return the code of a character; None for anything else."""
    if not 0 < len(spelling) <= 4:
        return None
    text = spelling.decode(errors="ignore")
    return ord(text) if len(text) == 1 and text.encode() == spelling else None


def _codes(prefix: bytes) -> range:
    """Return the codes of all characters that begin with these bytes."""
    length = width(prefix[0])
    if len(prefix) > length or any(byte & 0xC0 != 0x80 for byte in prefix[1:]):
        return range(0)
    code = prefix[0] if length == 1 else prefix[0] & (0x7F >> length)
    for byte in prefix[1:]:
        code = code << 6 | byte & 0x3F
    more = 6 * (length - len(prefix))
    start = min(max(code << more, _FIRST_CODES[length]), _CODES)
    return range(start, max(start, min((code + 1) << more, _CODES)))


def _spelled(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell for each code whether all bytes of the character are among the `known` ones."""
    later = known[0x80:0xC0]
    two, three, four = known[0xC2:0xE0], known[0xE0:0xF0], known[0xF0:0xF5]
    two = np.logical_and.outer(two, later).ravel()
    for _ in range(2):
        three = np.logical_and.outer(three, later).ravel()
    for _ in range(3):
        four = np.logical_and.outer(four, later).ravel()
    spelled = np.concatenate([known[:0x80], two, three[0x800:], four[0x10000:_CODES]])
    spelled[0xD800:0xE000] = False
    return spelled
