"""Sums over tokens that begin with a string, the obvious way."""

import math
from collections.abc import Mapping, Sequence


def mass(
    tokens: Sequence[bytes], probs: Sequence[float], allowed: Sequence[int], prefix: bytes
) -> float:
    """What the allowed tokens that begin with `prefix` have together."""
    return math.fsum(
        probs[token]
        for token, text in enumerate(tokens)
        if text and allowed[token] and text.startswith(prefix)
    )


def next_bytes(
    tokens: Sequence[bytes], probs: Sequence[float], allowed: Sequence[int], prefix: bytes
) -> Mapping[int, float]:
    """The same for each byte that can come after `prefix`."""
    found = {}
    for byte in range(256):
        sum_of_byte = mass(tokens, probs, allowed, prefix + bytes([byte]))
        if sum_of_byte:
            found[byte] = sum_of_byte
    return found
