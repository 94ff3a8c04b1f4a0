"""Following an automaton along bytes, one character after the other."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import product

Steps = Sequence[Sequence[Sequence[int]]]
"""The state after a state, a class and a bit; -1 for none."""


def split(data: bytes) -> tuple[str, bytes] | None:
    """Whole characters, and the beginning of one after them; None if there are no such."""
    for length in range(min(4, len(data) + 1)):
        start = len(data) - length
        try:
            whole = data[:start].decode()
        except UnicodeDecodeError:
            continue
        return (whole, data[start:]) if length == 0 or completions(data[start:]) else None
    return None


@cache
def completions(tail: bytes) -> tuple[str, ...]:
    """All characters that begin with the bytes of a tail but have more."""
    found = []
    for length in range(1, 5 - len(tail)):
        for more in product(range(0x80, 0xC0), repeat=length if tail[0] >= 0xC2 else 0):
            try:
                text = (tail + bytes(more)).decode()
            except UnicodeDecodeError:
                continue
            found += [text] if len(text) == 1 else []
        if found:
            break
    return tuple(found)


def goes_on(
    steps: Steps, class_of: Callable[[str], int], state: int, bit: int, data: bytes
) -> bool:
    """Whether a path spells bytes from a state on; the bit is that of the first character."""
    parts = split(data)
    if parts is None:
        return False
    whole, tail = parts
    for place, character in enumerate(whole):
        state = steps[state][class_of(character)][bit if place == 0 else 0]
        if state < 0:
            return False
    bit = 0 if whole else bit
    classes = {class_of(each) for each in completions(tail)} if tail else set()
    return not tail or any(steps[state][each][bit] >= 0 for each in classes)
