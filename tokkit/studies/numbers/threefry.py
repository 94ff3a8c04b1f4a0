"""The random numbers JAX drew when arXiv 2402.14903 was made, drawn without JAX.

JAX draws from threefry2x32 (Salmon and others, "Parallel random numbers: as easy as 1, 2, 3",
2011): a key and a counter, two words each, become two random words. How counters are laid out
is that of JAX with ``jax_threefry_partitionable=False``, its default until 0.5; the other
layout gives other numbers. A key is two words, the last axis of an array.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)
_ROUNDS = 5  # groups of four, so 20 as the paper's default
_WRAPPING = np.errstate(over="ignore")
"""Words wrap around, of which numpy warns where there is a single one."""


@_WRAPPING
def threefry2x32(key: Words, first: Words, second: Words) -> tuple[Words, Words]:
    """Encrypt counters.

    Args:
        key: ``uint32[..., 2]``, whose leading axes go along with those of the counters.
        first: First words of the counters, ``uint32[...]``.
        second: Second words.

    Returns:
        First and second random words, ``uint32[...]``.
    """
    one, other = key[..., 0], key[..., 1]
    schedule = (one, other, one ^ other ^ _PARITY)
    first, second = first + one, second + other
    for group in range(_ROUNDS):
        for rotation in _ROTATIONS[group % 2]:
            first = first + second
            left, right = np.uint32(rotation), np.uint32(32 - rotation)
            second = (second << left | second >> right) ^ first
        first = first + schedule[(group + 1) % 3]
        second = second + schedule[(group + 2) % 3] + np.uint32(group + 1)
    return first, second


def seed_key(seed: int) -> Words:
    """Return the key of a seed, as ``jax.random.PRNGKey`` does: ``uint32[2]``."""
    return np.array([seed >> 32 & 0xFFFFFFFF, seed & 0xFFFFFFFF], dtype=np.uint32)


def split(key: Words, count: int, indices: Any = None) -> Words:
    """Make new keys of a key, as ``jax.random.split`` does.

    Args:
        key: ``uint32[..., 2]``.
        count: How many there are to be; which key is the third depends on it.
        indices: Which of them are wanted, as integers; None: all. The others are not made.

    Returns:
        ``uint32[..., wanted, 2]``.
    """
    wanted = np.arange(count) if indices is None else np.asarray(indices)
    # Counters are 0 ... 2n - 1, of which i and n + i are encrypted together. All first words,
    # then all second words, are the words of the keys, two by two.
    places = 2 * wanted[:, None] + np.arange(2)
    counters = (places % count).astype(np.uint32)
    words = threefry2x32(key[..., None, None, :], counters, counters + np.uint32(count))
    return np.where(places < count, *words)


@_WRAPPING
def randint(key: Words, low: Any, high: Any) -> NDArray[np.int64]:
    """Draw one integer per key, as ``jax.random.randint`` with shape ``(1,)`` does.

    It is not quite uniform: a remainder of 64 random bits is taken with a factor that
    overflows for ranges of more than 65,536 numbers, so that only 32 bits count.

    Args:
        key: ``uint32[..., 2]``.
        low: The smallest number, ``int[...]``.
        high: One more than the largest; ``high - low`` is positive and below 2^31.

    Returns:
        ``int64[...]``.
    """
    zero = np.zeros((), dtype=np.uint32)
    halves = split(key, 2)
    upper, lower = (threefry2x32(halves[..., each, :], zero, zero)[0] for each in (0, 1))
    least = np.asarray(low, dtype=np.int64)
    span = (np.asarray(high) - least).astype(np.uint32)
    factor = np.uint32(2**16) % span
    factor = factor * factor % span
    offset = (upper % span * factor + lower % span) % span
    drawn: NDArray[np.int64] = least + offset
    return drawn
