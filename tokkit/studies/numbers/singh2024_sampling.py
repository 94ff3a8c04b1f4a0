"""How arXiv 2402.14903 drew its problems and their examples."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tokkit.studies.numbers.problems import Problem
from tokkit.studies.numbers.threefry import Words, randint, seed_key, split

PROBLEM_SEED, SHOTS_SEED = 0, 1
_BRANCHES = 1_000_000
"""How many keys the study made of each seed; the first thousand or so were used."""
Lengths = NDArray[np.int64]
"""Digits of both operands and of the answer, ``int64[..., 3]``; no answer where any will do."""


def sample_problems(lengths: Sequence[Sequence[int]], count: int) -> list[Problem]:
    """Draw the first problems of the study.

    Args:
        lengths: Digits of both operands, or of both operands and the answer; taken in turn.
        count: How many problems; below a million.
    """
    keys = split(seed_key(PROBLEM_SEED), _BRANCHES, range(count))
    turns = np.resize(np.asarray(lengths, dtype=np.int64), (count, len(lengths[0])))
    return _problems(_sampler(lengths)(keys, turns))


def sample_examples(
    lengths: Sequence[Sequence[int]], problems: Sequence[Problem], shots: int
) -> list[list[Problem]]:
    """Draw the examples of each problem, whose numbers have as many digits as the problem's.

    Args:
        lengths: As for `sample_problems`: says whether answers have the same lengths too.
        problems: The first problems of the study.
        shots: How many examples each has; with another number all of them are others.
    """
    keys = split(seed_key(SHOTS_SEED), _BRANCHES, range(len(problems)))
    numbers = [(problem.num1, problem.num2, problem.truth) for problem in problems]
    own = np.array([[len(str(each)) for each in three] for three in numbers], dtype=np.int64)
    drawn = _sampler(lengths)(split(keys, shots), own[:, None])
    return [_problems(each) for each in drawn]


def _problems(operands: NDArray[np.int64]) -> list[Problem]:
    return [Problem(*each) for each in operands.tolist()]


def _sampler(
    lengths: Sequence[Sequence[int]],
) -> Callable[[Words, Lengths], NDArray[np.int64]]:
    return _draw_operands if len(lengths[0]) == 2 else _draw_with_answer


def _draw_operands(keys: Words, lengths: Lengths) -> NDArray[np.int64]:
    """Draw both operands on their own: ``int64[..., 2]``."""
    lengths = lengths[..., :2]
    return randint(split(keys, 2), 10 ** (lengths - 1), 10**lengths)


def _draw_with_answer(keys: Words, lengths: Lengths) -> NDArray[np.int64]:
    """Draw the shorter operand, then the answer, so that each has its length: ``[..., 2]``."""
    first_is_shorter = lengths[..., 0] < lengths[..., 1]
    short = np.where(first_is_shorter, lengths[..., 0], lengths[..., 1])
    long = np.where(first_is_shorter, lengths[..., 1], lengths[..., 0])
    beyond, least_long = 10 ** lengths[..., 2], 10 ** (long - 1)
    # The study draws the shorter one with the key that it also splits for the answer.
    shorter = randint(keys, 10 ** (short - 1), np.minimum(10**short, beyond - least_long))
    answer = randint(
        split(keys, 2)[..., 0, :],
        np.maximum(beyond // 10, shorter + least_long),
        np.minimum(10**long + shorter, beyond),
    )
    pair = np.stack([shorter, answer - shorter], axis=-1)
    return np.where(first_is_shorter[..., None], pair, pair[..., ::-1])
