"""Strings drawn at random, all different.

A string's letters are drawn one by one, each equally likely (`independent`), or with shares of
its own for each string (`balanced`): in turn for one of the letters that are asked for, its
share is drawn evenly from 0 to 1, so that any number of it is as frequent as any other. With
independent letters, nearly all strings have about as many of it.
"""

import random
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import UsageError

DrawName = Literal["balanced", "independent", "published"]

_LEAST = 64
"""How many strings are drawn at once, at least."""
_MOST_DRAWS = 20
"""How often each string is drawn, on the average, before that is all."""


def published_strings(
    letters: str, lengths: tuple[int, int], number: int = 1000, seed: int = 42
) -> list[str]:
    """Return the strings of arXiv 2410.19730, in the order in which they are drawn.

    The generator is Python's, as in ``counting/count_experiment.py`` of the repository (named
    in `tokkit.studies.counting.prompts`), which puts them in the order of a set: the strings
    are the same, their order there changes from run to run.

    Args:
        letters: What they are made of.
        lengths: The smallest and the largest number of letters.
        number: How many different strings.
        seed: Of the generator.

    Raises:
        UsageError: If there are not so many.
    """
    check_number(number, letters, range(lengths[0], lengths[1] + 1))
    generator = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < number:
        length = generator.randint(*lengths)
        found["".join(generator.choice(letters) for _ in range(length))] = None
    return list(found)


def draw_strings(
    letters: str,
    lengths: Sequence[int],
    number: int,
    *,
    generator: np.random.Generator,
    focus: str = "",
) -> list[str]:
    """Draw different strings; each length is equally likely.

    Args:
        letters: What they are made of.
        lengths: How many letters a string may have.
        number: How many strings.
        generator: What draws.
        focus: Letters whose numbers are balanced, in turn; none: all letters are independent.

    Raises:
        UsageError: If there are not so many, or hardly more.
    """
    check_number(number, letters, lengths)
    found: dict[str, None] = {}
    left = _MOST_DRAWS * max(number, _LEAST)
    while len(found) < number and left > 0:
        rest = max(number - len(found), _LEAST)
        shares = draw_shares(letters, rest, generator=generator, focus=focus)
        sizes = generator.choice(lengths, rest).tolist()
        for size, share in zip(sizes, shares, strict=True):
            places = generator.choice(len(letters), size, p=share)
            found["".join(letters[place] for place in places)] = None
        left -= rest
    if len(found) < number:
        raise UsageError(
            f"only {len(found)} different strings were found of {number}: ask for fewer, or "
            "for longer ones, or let letters be drawn independently"
        )
    return list(found)[:number]


def draw_shares(
    letters: str, number: int, *, generator: np.random.Generator, focus: str = ""
) -> NDArray[np.float64]:
    """Draw how likely each letter is in each string.

    Args:
        letters: What strings are made of.
        number: Of how many strings.
        generator: What draws.
        focus: See `draw_strings`.

    Returns:
        Shares, ``float64[number, letters]``; each row sums to 1.
    """
    if not focus:
        return np.full((number, len(letters)), 1 / len(letters))
    own = np.array([letters.index(focus[place % len(focus)]) for place in range(number)])
    shares = generator.dirichlet(np.ones(len(letters) - 1), number)
    evenly = generator.random((number, 1))
    rows, columns = np.nonzero(np.arange(len(letters)) != own[:, None])
    spread = np.empty((number, len(letters)))
    spread[rows, columns] = (shares * (1 - evenly)).ravel()
    spread[np.arange(number), own] = evenly[:, 0]
    normal: NDArray[np.float64] = spread / spread.sum(1, keepdims=True)
    return normal


def check_number(number: int, letters: str, lengths: Sequence[int]) -> None:
    """Do nothing if there are so many different strings.

    Raises:
        UsageError: If there are fewer.
    """
    possible = sum(len(letters) ** length for length in lengths)
    if possible < number:
        raise UsageError(
            f"there are only {possible} different strings of {letters!r} with "
            f"{_describe(lengths)} letters, not {number}"
        )


def _describe(lengths: Sequence[int]) -> str:
    """Write ``"10 to 20"``, or the only length."""
    least, most = min(lengths), max(lengths)
    return str(least) if least == most else f"{least} to {most}"
