"""The best path of a unigram model, said as simply as possible, and what it makes canonical."""

from collections.abc import Mapping, Sequence

import numpy as np


def best_path(
    text: str, scores: Mapping[str, float], unknown: float, single: bool
) -> list[str] | None:
    """The parts of the best path, each a token or an unknown character.

    Of equally good ones that whose last part is longest stays, and so on.
    """
    rounded = (lambda value: float(np.float32(value))) if single else float
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(text) + 1):
        ways = []
        for start in range(end):
            part = text[start:end]
            is_unknown = end - start == 1 and part not in scores
            if part in scores or is_unknown:
                value = unknown if is_unknown else scores[part]
                ways.append((rounded(value + best[start][0]), start))
        best.append(max(ways, key=lambda way: (way[0], -way[1])))
    parts: list[str] = []
    end = len(text)
    while end > 0:
        start = best[end][1]
        parts.append(text[start:end])
        end = start
    return parts[::-1]


def winners(before: str, tokens: Sequence[str], scores: Mapping[str, float], unknown: float,
            single: bool) -> list[bool]:  # fmt: skip
    """Whether the best path of what is `before` and a token ends with that token."""
    paths = [best_path(before + token, scores, unknown, single) for token in tokens]
    return [path[-1] == token for path, token in zip(paths, tokens, strict=True)]


def margin(word: str, place: int, scores: Mapping[str, float], unknown: float) -> float:
    """How much better a word is than all other ways to write its bytes from `place` on."""
    data = word.encode()
    if place and data[place] & 0xC0 == 0x80:
        return float("inf")
    rest = data[place:].decode()
    others = dict(scores)
    if place == 0:
        del others[word]
        if len(word) == 1:
            return float("inf")
    parts = best_path(rest, others, unknown, single=False)
    return scores[word] - sum(others.get(part, unknown) for part in parts)
