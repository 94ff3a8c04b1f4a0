"""Sampling a vocabulary from substrings, and cutting by it, said as simply as possible."""

from collections import Counter
from collections.abc import Mapping, Sequence


def is_character(data: bytes, place: int) -> bool:
    """Whether a character begins, or the string ends, at a place."""
    return place in (0, len(data)) or data[place] >> 6 != 0b10


def substrings(words: Sequence[bytes], longest: int, stride: int) -> Counter[bytes]:
    """How often each substring of whole characters occurs, times its length."""
    weights: Counter[bytes] = Counter()
    for word in words:
        places = [place for place in range(len(word) + 1) if is_character(word, place)]
        for start in places[:-1][::stride]:
            for end in places:
                if start < end <= start + longest:
                    weights[word[start:end]] += end - start
    return weights


def spans(lines: Sequence[Sequence[bytes]], longest: int) -> Counter[bytes]:
    """How often two or more whole words in a row occur in a line, times their length."""
    weights: Counter[bytes] = Counter()
    for words in lines:
        for first in range(len(words)):
            for end in range(first + 2, len(words) + 1):
                joined = b"".join(words[first:end])
                if len(joined) <= longest:
                    weights[joined] += len(joined)
    return weights


def segmentations(piece: bytes, scores: Mapping[bytes, float]) -> list[list[bytes]]:
    """All ways to cut a piece into tokens."""
    if not piece:
        return [[]]
    return [
        [*rest, piece[start:]]
        for start in range(len(piece))
        if piece[start:] in scores
        for rest in segmentations(piece[:start], scores)
    ]


def best_segmentation(piece: bytes, scores: Mapping[bytes, float]) -> list[bytes]:
    """The way whose scores sum up highest; of equal ones that with the longest last token."""

    def rank(way: list[bytes]) -> tuple[float, list[int]]:
        total = 0.0
        for token in way:  # from the left, as sums of floating-point numbers depend on it
            total += scores[token]
        return total, [len(token) for token in reversed(way)]

    return max(segmentations(piece, scores), key=rank)
