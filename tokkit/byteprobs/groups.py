"""Which texts a model reads together."""

from collections.abc import Iterator, Sequence

_ALIKE = 1.2
_SHORT = 16


def group_alike(texts: Sequence[bytes], most: int) -> Iterator[list[int]]:
    """Yield the places of texts that are read together: of much the same length, and not many.

    Args:
        texts: The texts.
        most: How many bytes they may have, all taken to be as long as the longest.
    """
    group: list[int] = []
    for place in sorted(range(len(texts)), key=lambda place: len(texts[place])):
        longest = len(texts[place])
        is_alike = bool(group) and longest <= _ALIKE * len(texts[group[0]]) + _SHORT
        if group and (not is_alike or longest * (len(group) + 1) > most):
            yield group
            group = []
        group.append(place)
    if group:
        yield group
