"""Tokenizations compared: at equal steps, equal tokens and equal time, over seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tokkit.stats import Interval, ratio_interval
from tokkit.studies.scratch.points import Point, Record

if TYPE_CHECKING:
    import pandas

Basis = Literal["steps", "tokens", "seconds"]
_DRAWS = 10_000
BASES: tuple[Basis, ...] = ("steps", "tokens", "seconds")


@dataclass(frozen=True)
class Standing:
    """A tokenization when all have had the same.

    Attributes:
        basis: The same of what.
        budget: How much of it: what the models that used least of it used in all.
        tokenization: Its name.
        steps: After how many steps on average its models were at their last point within that.
        values: The value of each seed there; not a number if a first point is beyond it.
    """

    basis: Basis
    budget: float
    tokenization: str
    steps: float
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return float(np.mean(self.values))

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "equal": self.basis,
            "budget": self.budget,
            "tokenization": self.tokenization,
            "steps": self.steps,
            "mean": self.mean,
            "low": min(self.values),
            "high": max(self.values),
            "values": list(self.values),
        }


@dataclass(frozen=True)
class Difference:
    """How much the models of two tokenizations differ on what is held out.

    Attributes:
        first: A tokenization.
        second: The one whose share of right answers, or bits per byte, is subtracted.
        difference: Of all seeds together, with the interval that drawing the problems, or the
            segments of text, anew gives: it says nothing about other seeds.
        values: The difference of each seed.
    """

    first: str
    second: str
    difference: Interval
    values: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "first": self.first,
            "second": self.second,
            "difference": self.difference.value,
            "low": self.difference.low,
            "high": self.difference.high,
            "values": list(self.values),
        }


def standings(records: Mapping[str, Sequence[Record]]) -> list[Standing]:
    """Compare tokenizations at equal steps, equal tokens and equal time.

    Args:
        records: Of each tokenization, one per seed.
    """
    found = []
    for basis in BASES:
        budget = min(_used(r.points[-1], basis) for own in records.values() for r in own)
        for name, own in records.items():
            points = [_within(record.points, basis, budget) for record in own]
            steps = [0 if point is None else point.step for point in points]
            values = [float("nan") if point is None else point.value for point in points]
            found.append(Standing(basis, budget, name, float(np.mean(steps)), tuple(values)))
    return found


def _used(point: Point, basis: Basis) -> float:
    return {"steps": point.step, "tokens": point.tokens, "seconds": point.seconds}[basis]


def _within(points: Sequence[Point], basis: Basis, budget: float) -> Point | None:
    """Return the last point that a budget is enough for."""
    return next((each for each in reversed(points) if _used(each, basis) <= budget), None)


def differences(answers: "pandas.DataFrame") -> list[Difference]:
    """Compare each two tokenizations, problem by problem or segment by segment.

    Args:
        answers: One line per tokenization, seed and problem, in the order of the problems;
            ``right`` says whether the answer is. Or one per segment of text, with its
            ``bytes`` and the ``nats`` they took.
    """
    column = "right" if "right" in answers else "nats"
    tables = {
        str(name): own[column].to_numpy().reshape(own["seed"].nunique(), -1).astype(float)
        for name, own in answers.groupby("tokenization", sort=False)
    }
    found = []
    for (first, one), (second, other) in combinations(tables.items(), 2):
        gaps = one - other
        if column == "right":
            sizes = np.ones(gaps.shape[1])
        else:
            gaps /= np.log(2)
            sizes = answers["bytes"].to_numpy()[: gaps.shape[1]].astype(float)
        # Each problem is drawn with its answers of all seeds.
        difference = ratio_interval(gaps.sum(0), sizes * len(gaps), draws=_DRAWS)
        values = tuple(round(float(each), 12) for each in gaps.sum(1) / sizes.sum())
        found.append(Difference(first, second, difference, values))
    return found
