"""Equal steps, equal tokens, equal time; and differences problem by problem."""

import math

import numpy as np
import pandas
import pytest

from tokkit.stats import clustered_mean
from tokkit.studies.scratch.comparing import differences, standings
from tokkit.studies.scratch.points import Point, Record


def record(*points):
    return Record(None, {}, [Point(*each[:3], 0.0, each[3], {}) for each in points])


SLOW = record((10, 100, 5.0, 0.1), (20, 200, 10.0, 0.2), (30, 300, 15.0, 0.3))
QUICK = record((10, 60, 2.0, 0.5), (20, 120, 4.0, 0.6), (30, 180, 6.0, 0.7))


def test_each_gets_what_the_thriftiest_used_in_all():
    found = {(s.basis, s.tokenization): s for s in standings({"a": [SLOW], "b": [QUICK]})}
    assert found["steps", "a"].values == (0.3,)
    assert found["tokens", "a"].values == (0.1,)
    assert found["tokens", "a"].budget == 180
    assert found["tokens", "a"].steps == 10
    assert found["seconds", "a"].values == (0.1,)
    assert found["seconds", "b"].values == (0.7,)


def test_seeds_are_averaged_and_shown():
    found = standings({"a": [SLOW, QUICK], "b": [QUICK, QUICK]})[0]
    assert found.mean == pytest.approx(0.5)
    assert (found.as_json()["low"], found.as_json()["high"]) == (0.3, 0.7)


def test_what_was_never_measured_within_the_budget_is_no_number():
    late = record((30, 900, 15.0, 0.3))
    found = {(s.basis, s.tokenization): s for s in standings({"a": [late], "b": [QUICK]})}
    assert math.isnan(found["tokens", "a"].mean)


def test_differences_are_of_the_same_problems():
    chance = np.random.default_rng(0)
    right = {name: chance.random((2, 50)) < share for name, share in (("a", 0.9), ("b", 0.4))}
    rows = [
        {"tokenization": name, "seed": seed, "right": bool(each)}
        for seed in range(2)
        for name in "ab"
        for each in right[name][seed]
    ]
    (found,) = differences(pandas.DataFrame(rows))
    gaps = right["a"].astype(float) - right["b"]
    assert (found.first, found.second) == ("a", "b")
    assert found.values == pytest.approx(tuple(gaps.mean(1)))
    assert found.difference == clustered_mean(gaps.ravel(), [*range(50), *range(50)])


def test_texts_differ_in_bits_per_byte():
    sizes = [2.0, 10.0, 4.0]
    bits = {"a": [[4, 30, 8], [2, 20, 8]], "b": [[2, 20, 8], [2, 10, 4]]}
    rows = [
        {"tokenization": name, "seed": seed, "bytes": size, "nats": each * math.log(2)}
        for seed in range(2)
        for name in "ab"
        for size, each in zip(sizes, bits[name][seed], strict=True)
    ]
    (found,) = differences(pandas.DataFrame(rows))
    assert found.values == pytest.approx((12 / 16, 14 / 16))
    assert found.difference.value == pytest.approx(26 / 32)
    # Draws of a single segment have its own difference: 2 / 4, 20 / 20 and 4 / 8.
    assert found.difference.low == pytest.approx(0.5)
    assert found.difference.high == pytest.approx(1.0)
