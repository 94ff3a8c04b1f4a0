"""How to choose one of several outcomes: temperature, top-k, top-p, reproducible chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Required, TypedDict

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import ImpossibleError, UsageError
from tokkit.lm.model import Logprobs
from tokkit.tokenizer import to_bytes

_ROUNDING = 1 - 1e-12
"""Shares that are equal but for rounding count as equal: 1/2 and 1/4 are 3/4."""


class Chooser:
    """Chooses outcomes, drawing one uniform number for each unless `temperature` is 0.

    The numbers are the high 53 bits of what Philox4x64-10 gives, seeded as numpy does, which
    promises to keep both; the outcome is where the running sum of probabilities, lowest
    outcome first, passes the number.

    Args:
        temperature: What log probabilities are divided by; 0: the likeliest, of equal ones the
            lowest outcome.
        top_k: How many of the likeliest are considered, of equal ones the lowest; None: all.
        top_p: Considered are the fewest likeliest with at least this share of what is left
            after temperature and `top_k`; None: all (Holtzman et al., ICLR 2020).
        seed: Of the numbers, at least 0.

    Raises:
        UsageError: If a value is out of range.
    """

    def __init__(
        self, temperature: float, top_k: int | None, top_p: float | None, seed: int
    ) -> None:
        if not (math.isfinite(temperature) and temperature >= 0):
            raise UsageError(f"temperature is {temperature}; give a number of 0 or more")
        if top_k is not None and top_k < 1:
            raise UsageError(f"top_k is {top_k}; give 1 or more, or leave it out")
        if top_p is not None and not 0 < top_p <= 1:
            raise UsageError(f"top_p is {top_p}; give a number above 0 and up to 1")
        if seed < 0:
            raise UsageError(f"seed is {seed}; give 0 or more")
        self._temperature = temperature
        self._top_k = top_k
        self._top_p = top_p
        self._random = np.random.Philox(seed)

    def choose(self, logprobs: Logprobs) -> int:
        """Choose an outcome: its index in `logprobs`, ``float[n]``, which need not sum to 1.

        Raises:
            ImpossibleError: If all probabilities are 0.
        """
        best = int(logprobs.argmax())
        if not np.isfinite(logprobs[best]):
            raise ImpossibleError("no outcome has a probability; begin with another text")
        if self._temperature == 0:
            return best
        running = np.cumsum(self.weights(logprobs))
        drawn = self._uniform() * running[-1]
        place = int(np.searchsorted(running, drawn, side="right"))
        # Rounding may carry the number up to the sum itself: that is the last outcome there is.
        return min(place, int(np.searchsorted(running, running[-1])))

    def weights(self, logprobs: Logprobs) -> NDArray[np.float64]:
        """Return what each outcome's probability is proportional to, ``float64[n]``."""
        with np.errstate(over="ignore"):
            scaled = (logprobs.astype(np.float64) - float(logprobs.max())) / self._temperature
        weights = np.exp(scaled)
        if self._top_k is None and self._top_p is None:
            return weights
        order = np.argsort(-scaled, kind="stable")
        if self._top_k is not None:
            weights[order[self._top_k :]] = 0.0
        if self._top_p is not None:
            running = np.cumsum(weights[order])
            share = self._top_p * running[-1] * _ROUNDING
            enough = int(np.searchsorted(running, share)) + 1
            weights[order[enough:]] = 0.0
        return weights

    def _uniform(self) -> float:
        return (int(self._random.random_raw()) >> 11) * 2.0**-53


class SamplingOptions(TypedDict, total=False):
    """What `Sampling` takes, for functions that pass it on."""

    max_bytes: Required[int]
    temperature: float
    top_k: int | None
    top_p: float | None
    stop: Sequence[bytes | str]
    seed: int
    utf8: bool


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How to write a text; refuses what cannot be meant.

    Attributes:
        max_bytes: The most bytes to write. If the limit falls inside a character, the text is
            cut back to the last whole one, so that it is never longer than this.
        temperature: What log probabilities are divided by; 0: always the likeliest outcome,
            of equal ones the lowest byte.
        top_k: How many of the likeliest outcomes are considered; None: all.
        top_p: The outcomes considered are the fewest likeliest with at least this share, after
            temperature and `top_k`; None: all.
        stop: Strings that end the text, and are no part of it.
        seed: Of the random numbers.
        utf8: Whether only UTF-8 is written: bytes that are not, where they stand, are left out
            of every choice, and so is the end inside a character.

    Raises:
        UsageError: If a value is out of range.
    """

    max_bytes: int
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    stop: Sequence[bytes | str] = ()
    seed: int = 0
    utf8: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.stop, bytes | str):
            raise UsageError("stop is one string; give a list of them")
        if self.max_bytes < 0:
            raise UsageError(f"max_bytes is {self.max_bytes}; give 0 or more")
        if not all(self.stop):
            raise UsageError("a stop string is empty; give one that text can contain")
        self.chooser()

    def chooser(self) -> Chooser:
        """Return what chooses outcomes in this way, its random numbers at their beginning."""
        return Chooser(self.temperature, self.top_k, self.top_p, self.seed)

    @property
    def stops(self) -> tuple[bytes, ...]:
        """The stop strings as bytes."""
        return tuple(map(to_bytes, self.stop))
