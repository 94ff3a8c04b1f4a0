"""Intervals of measures that are no ratio of sums, by leaving out parts of a text."""

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from tokkit.stats import Interval, student_mean


class Jackknifed:
    """Measures of a text, and what each would be without one part of it.

    This is the jackknife of groups (Tukey, 1958), with Student's quantile. Of what counts
    distinct things it is never too short on average: leaving out differs from drawing anew by
    at least as much as the measure varies (Efron and Stein, 1981).

    Args:
        values: Each measure of the whole text.
        without: The same without each part, of those measures that have an interval.
        shares: Those that are never above 1; none is below 0.

    Attributes:
        values: Each measure of the whole text.
    """

    def __init__(
        self,
        values: Mapping[str, float],
        without: Sequence[Mapping[str, float]],
        shares: Collection[str],
    ) -> None:
        self.values = values
        self._shares = shares
        self._without = {
            name: np.array([each[name] for each in without], dtype=np.float64)
            for name in (without[0] if without else ())
        }

    def interval(self, name: str, less: "Jackknifed | None" = None) -> Interval:
        """Return a measure with its interval, whose ends are not numbers if it has none.

        Args:
            name: The measure.
            less: Another tokenizer on the same parts, whose measure is subtracted.
        """
        value = self.values[name] - (less.values[name] if less else 0)
        without = self._without.get(name, np.zeros(0))
        if less:
            without = without - less._without.get(name, np.zeros(0))
        if without.size < 2 or not np.isfinite(without).all():
            return Interval(value, math.nan, math.nan)
        pseudo = without.size * value - (without.size - 1) * without
        _, low, high = student_mean(pseudo)
        low, high = value - (high - low) / 2, value + (high - low) / 2
        if less is None:
            low, high = max(low, 0.0), min(high, 1.0) if name in self._shares else high
        return Interval(value, low, high)
