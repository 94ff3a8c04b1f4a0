"""Student's interval against printed quantiles, and against how often it holds."""

import math

import numpy as np
import pytest

from tokkit.stats import student_mean


@pytest.mark.parametrize(
    ("count", "level", "quantile"),
    [(2, 0.95, 12.706), (3, 0.95, 4.303), (5, 0.95, 2.776), (10, 0.99, 3.250)],
)
def test_quantiles_are_those_of_the_printed_tables(count, level, quantile):
    values = np.arange(count) ** 2.0
    mean, low, high = student_mean(values, level)
    error = values.std(ddof=1) / math.sqrt(count)
    assert mean == values.mean()
    assert (high - mean) / error == pytest.approx(quantile, abs=6e-4)
    assert mean - low == pytest.approx(high - mean)


def test_it_holds_the_truth_as_often_as_it_says_for_three_values():
    draws = np.random.default_rng(0).normal(7, 2, (2000, 3))
    held = sum(low <= 7 <= high for _, low, high in map(student_mean, draws))
    assert 0.935 < held / 2000 < 0.965


def test_one_value_has_no_interval_and_none_no_mean():
    assert student_mean([3.0])[0] == 3
    assert math.isnan(student_mean([3.0]).low)
    with pytest.raises(ValueError, match="at least one"):
        student_mean([])
