"""Characters and the beginnings of them in bytes of UTF-8 (Unicode 15, table 3-7)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

END = 256
"""The outcome that is no byte: the text ends."""

_CONTINUATIONS = bytes(range(0x80, 0xC0))
_SECOND = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
"""What may follow a first byte, where that is not any continuation byte."""


def width(first: int) -> int:
    """Return how many bytes a character has by its `first`; 0 if none begins with that."""
    if first < 0x80:
        return 1
    if not 0xC2 <= first <= 0xF4:
        return 0
    return 2 if first < 0xE0 else 3 if first < 0xF0 else 4


def missing(begun: bytes) -> int:
    r"""Return how many bytes the beginning of a character lacks: ``b"\xe2\x96"`` lacks 1."""
    return width(begun[0]) - len(begun)


def is_utf8(data: bytes) -> bool:
    """Tell whether bytes are whole characters."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_inside(data: bytes) -> bool:
    """Tell whether bytes begin inside a character."""
    return bool(data) and data[0] & 0xC0 == 0x80


def may_occur(data: bytes) -> bool:
    r"""Tell whether some text has these bytes in it: ``b"\x80a\xc3"``, but not ``b"\xc0"``."""
    rest = data.lstrip(_CONTINUATIONS)
    if len(data) - len(rest) > 3:
        return False
    return is_utf8(rest.removesuffix(unfinished(rest)))


def _second(first: int) -> tuple[int, int]:
    """Return the least and the greatest byte that may follow a first one."""
    return _SECOND.get(first, (0x80, 0xBF))


def unfinished(data: bytes | bytearray) -> bytes:
    r"""Return the beginning of a character that `data` ends with: ``b"caf\xc3" -> b"\xc3"``."""
    for size in (1, 2, 3):
        tail = bytes(data[len(data) - size :]) if size <= len(data) else b""
        if not tail or width(tail[0]) == 1:
            return b""
        if width(tail[0]):
            return tail if _begins(tail) else b""
    return b""


def _begins(tail: bytes) -> bool:
    """Tell whether bytes, the first of which can begin a character, are only part of one."""
    if len(tail) >= width(tail[0]):
        return False
    low, high = _second(tail[0])
    return all(low <= byte <= high for byte in tail[1:2]) and all(
        0x80 <= byte <= 0xBF for byte in tail[2:]
    )


@lru_cache(maxsize=1 << 12)
def allowed(begun: bytes) -> NDArray[np.bool_]:
    """Return which outcomes keep a text UTF-8: ``bool[257]``, the end last.

    Args:
        begun: What `unfinished` says of the text so far.
    """
    outcomes = np.zeros(END + 1, dtype=np.bool_)
    if not begun:
        outcomes[:0x80] = outcomes[0xC2:0xF5] = outcomes[END] = True
    else:
        low, high = _second(begun[0]) if len(begun) == 1 else (0x80, 0xBF)
        outcomes[low : high + 1] = True
    outcomes.setflags(write=False)
    return outcomes
