"""Slow, obvious segmentation: byte-pair encoding, unigram, word pieces."""

from collections.abc import Mapping, Sequence
from itertools import pairwise


def units_of(
    piece: bytes,
    units: Mapping[bytes, int],
    *,
    by_bytes: bool,
    prefix: bytes = b"",
    suffix: bytes = b"",
    fallback: Mapping[int, int] | None = None,
    unknown: int | None = None,
    fuse: bool = False,
) -> list[int]:
    """The ids of the units of a piece, unknown ones replaced as Hugging Face does."""
    parts = [bytes([b]) for b in piece] if by_bytes else [c.encode() for c in piece.decode()]
    ids: list[int] = []
    waiting = False
    for number, part in enumerate(parts):
        text = (
            (prefix if number else b"") + part + (suffix if number == len(parts) - 1 else b"")
        )
        if text in units:
            if waiting:
                ids.append(unknown)
            waiting = False
            ids.append(units[text])
        elif fallback is not None and all(byte in fallback for byte in part):
            ids += [fallback[byte] for byte in part]
        elif unknown is not None:
            if waiting and not fuse:
                ids.append(unknown)
            waiting = True
    return [*ids, unknown] if waiting else ids


def merge(ids: list[int], merges: Mapping[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Merge the pair with the lowest rank, the leftmost of several, until none is left."""
    ids = list(ids)
    while True:
        found = [
            (merges[pair][0], place)
            for place, pair in enumerate(pairwise(ids))
            if pair in merges
        ]
        if not found:
            return ids
        place = min(found)[1]
        ids[place : place + 2] = [merges[ids[place], ids[place + 1]][1]]


def segmentations(text: bytes, tokens: Mapping[bytes, float]) -> list[list[bytes]]:
    """Every way to cut `text` into tokens."""
    if not text:
        return [[]]
    return [
        [text[:end], *rest]
        for end in range(1, len(text) + 1)
        if text[:end] in tokens
        for rest in segmentations(text[end:], tokens)
    ]


def wordpiece(text: str, ids: Mapping[str, int], unknown: int, most: int) -> list[int]:
    """The longest token from the left, again and again; or the whole is unknown."""
    if len(text) > most:
        return [unknown]
    found: list[int] = []
    start = 0
    while start < len(text):
        for end in range(len(text), start, -1):
            part = ("##" if start else "") + text[start:end]
            if part in ids:
                found.append(ids[part])
                start = end
                break
        else:
            return [unknown]
    return found


def split_at(pieces: Sequence[bytes]) -> tuple[bytes, list[int]]:
    """Byte strings end to end, and where each ends."""
    ends: list[int] = []
    for piece in pieces:
        ends.append((ends[-1] if ends else 0) + len(piece))
    return b"".join(pieces), ends
