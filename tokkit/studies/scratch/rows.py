"""Sequences of tokens of unequal lengths as the rows of a matrix, padded at their right."""

import numpy as np
from numpy.typing import NDArray

from tokkit.lm.train_run import IGNORED

Rows = NDArray[np.int64]
PAD = -1
"""Stands where a row has no token any more."""


def join(*parts: Rows) -> Rows:
    """Put rows one behind the other, so that all padding is at the right.

    Args:
        parts: Each ``int64[n, some]``, with `PAD` anywhere.

    Returns:
        ``int64[n, length of the longest]``.

    Example:
        >>> join(np.array([[1, PAD], [1, 2]]), np.array([[7], [7]])).tolist()
        [[1, 7, -1], [1, 2, 7]]
    """
    rows = np.concatenate(parts, axis=1)
    order = np.argsort(rows == PAD, axis=1, kind="stable")
    longest = int((rows != PAD).sum(1).max(initial=0))
    joined: Rows = np.take_along_axis(rows, order, axis=1)
    return joined[:, :longest]


def column(token: int, count: int) -> Rows:
    """Return the same token for `count` rows, ``int64[count, 1]``."""
    return np.full((count, 1), token, dtype=np.int64)


def lengths(rows: Rows) -> NDArray[np.int64]:
    """Return how many tokens each row has, ``int64[n]``."""
    found: NDArray[np.int64] = np.count_nonzero(rows != PAD, axis=1)
    return found


def lesson(questions: Rows, answers: Rows) -> tuple[Rows, Rows]:
    """Return what a model reads, and what it is to foretell: the answers only.

    Returns:
        Inputs and targets as `tokkit.lm.train_run.Run.advance_on` takes them. Padding is read
        as token 0: no place before it sees it.
    """
    rows = join(questions, answers)
    places = np.arange(1, rows.shape[1])
    is_answer = places >= lengths(questions)[:, None]
    targets = np.where(is_answer & (rows[:, 1:] != PAD), rows[:, 1:], IGNORED)
    return np.maximum(rows[:, :-1], 0), targets
