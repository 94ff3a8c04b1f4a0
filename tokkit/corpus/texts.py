"""Where long texts may be cut.

A text is cut near every multiple of `BLOCK` bytes, so the cuts depend on its bytes alone and
not on who reads it. The first of these found in the `WINDOW` bytes from there on is taken:

1. after a newline that has a character which is neither white space nor ``/`` on either side;
2. before a space that has a character other than white space on either side;
3. between two characters.

The first two change nothing for any of the named patterns: each of them ends a match there
anyway, and would also if the text ended (the patterns look at most at one character ahead, and
``/`` after a newline goes on with punctuation in o200k). Runs of white space are never cut, as
gpt2 gives their last character away, and cl100k their last newline. Only a stretch of `WINDOW`
bytes without any such place, as in a word of ten megabytes, is cut for good.
"""

from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 1 << 20
WINDOW = 1 << 16
MARGIN = 8


def safe_cut(data: bytes, low: int, high: int) -> int:
    r"""The best place in ``data[low:high]`` to cut before: the first of the kinds listed above.

    Bytes around the range are looked at as well; `MARGIN` of them on either side are enough.

    Example: ``safe_cut(b"one two\\nthree", 1, 12)`` is 8, ``safe_cut(b"one two", 1, 6)`` is 3.
    """
    newline = data.find(b"\n", max(low - 1, 0), high - 1)
    while newline >= 0:
        if _is_between_words(data, newline) and data[newline + 1] != ord("/"):
            return newline + 1
        newline = data.find(b"\n", newline + 1, high - 1)
    space = data.find(b" ", low, high)
    while space >= 0:
        if _is_between_words(data, space):
            return space
        space = data.find(b" ", space + 1, high)
    boundary = low
    while boundary < min(low + 3, len(data)) and data[boundary] & 0xC0 == 0x80:
        boundary += 1
    return boundary


def _is_between_words(data: bytes, index: int) -> bool:
    """Whether the one-byte character at `index` has visible characters on both sides.

    Example: true of the space in ``b"a b"``, false of both spaces in ``b"a  b"``.
    """
    before = data[max(index - 4, 0) : index].decode("utf-8", "ignore")[-1:]
    after = data[index + 1 : index + 5].decode("utf-8", "ignore")[:1]
    return bool(before and after) and not (before.isspace() or after.isspace())


def read_blocks(stream: BinaryIO, first: int, last: int) -> Iterator[tuple[int, bytes]]:
    """Read blocks `first` to `last` (excluded) of a text.

    Args:
        stream: The text, at its beginning; seekable if `first` is not 0.
        first: Number of the first block; block ``i`` begins at the cut near ``i * BLOCK``.
        last: Number of the block to stop before; more than there are is allowed.

    Yields:
        The offset in the text and the bytes, at most ``BLOCK + WINDOW``, of each block.
    """
    base, buffer = 0, b""
    if first:
        base = first * BLOCK - MARGIN
        stream.seek(base)
        buffer = stream.read(MARGIN + WINDOW + MARGIN)
        begin = safe_cut(buffer, MARGIN, min(MARGIN + WINDOW, len(buffer)))
        base, buffer = base + begin, buffer[begin:]
    for number in range(first + 1, last + 1):
        nominal = number * BLOCK - base
        buffer += stream.read(nominal + WINDOW + MARGIN - len(buffer))
        end = len(buffer)
        if end > nominal:
            end = safe_cut(buffer, nominal, min(nominal + WINDOW, end))
        if end == 0:
            return
        yield base, buffer[:end]
        base, buffer = base + end, buffer[end:]


def divide(document: bytes, size: int = BLOCK) -> Iterator[bytes]:
    """Cut a long document into parts of about `size` bytes, as a text file is.

    Example: ``list(divide(b"one two three", 5))`` is ``[b"one two", b" three"]``.
    """
    begin = 0
    for nominal in range(size, len(document), size):
        end = safe_cut(document, nominal, min(nominal + min(size, WINDOW), len(document)))
        yield document[begin:end]
        begin = end
    if begin < len(document):
        yield document[begin:]
