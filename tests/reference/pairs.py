"""Slow, obvious byte-pair encoding of single tokens, of two side by side, and of all texts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise, product

Merges = Mapping[tuple[int, int], tuple[int, int]]
"""The rank and the result of each pair."""
Steps = list[tuple[int, int, int]]


def history(units: Sequence[int], merges: Merges) -> tuple[Steps, list[int]]:
    """The rank, left and right symbol of each merge that is made, and what is left."""
    symbols = list(units)
    steps = []
    while True:
        found = [
            (merges[pair][0], place)
            for place, pair in enumerate(pairwise(symbols))
            if pair in merges
        ]
        if not found:
            return steps, symbols
        rank, place = min(found)
        steps.append((rank, symbols[place], symbols[place + 1]))
        symbols[place : place + 2] = [merges[symbols[place], symbols[place + 1]][1]]


def made(spelled: Sequence[Sequence[int]], merges: Merges) -> dict[int, tuple[int, ...]]:
    """Left part, right part, rank and key of each symbol its own units are merged to."""
    found = {}
    for symbol, units in enumerate(spelled):
        steps, left = history(units, merges)
        if left == [symbol]:
            rank, *parts = steps[-1] if steps else (-1, -1, -1)
            found[symbol] = (*parts, rank, max((step[0] for step in steps), default=-1))
    return found


def may_follow(left: int, right: int, spelled: Sequence[Sequence[int]], merges: Merges) -> bool:
    """Whether merging the units of two symbols gives the two symbols."""
    return history([*spelled[left], *spelled[right]], merges)[1] == [left, right]


def texts(letters: str, longest: int) -> list[bytes]:
    """All texts of 1 to `longest` of some letters."""
    return [
        "".join(text).encode()
        for length in range(1, longest + 1)
        for text in product(letters, repeat=length)
    ]


def beginnings(encodings: Iterable[Sequence[int]]) -> set[tuple[int, ...]]:
    """Everything that some encoding begins with, but nothing."""
    return {tuple(ids[:length]) for ids in encodings for length in range(1, len(ids) + 1)}


def sequences(
    tokens: Sequence[bytes], candidates: Sequence[int], longest: int, room: int
) -> list[tuple[int, ...]]:
    """All sequences of 1 to `longest` candidates that have at most `room` bytes together."""
    found: list[tuple[int, ...]] = []
    latest: list[tuple[int, ...]] = [()]
    for _ in range(longest):
        latest = [
            (*sequence, token)
            for sequence in latest
            for token in candidates
            if sum(len(tokens[part]) for part in sequence) + len(tokens[token]) <= room
        ]
        found += latest
    return found


def run(
    begin: Callable[[int], int], follow: Callable[[int, int], int], sequence: Sequence[int]
) -> int:
    """The state of a machine after a sequence, -1 if it does not get there."""
    state = begin(sequence[0])
    for token in sequence[1:]:
        state = state if state < 0 else follow(state, token)
    return state
