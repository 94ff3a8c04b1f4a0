import math

import numpy as np
import pytest

from tokkit.analysis.efficiency import renyi_entropy
from tokkit.analysis.use import Use, definitions


def use(parts, alphas=(1, 2.5), documents=99):
    parts = np.asarray(parts)
    return Use(parts, np.arange(parts.shape[1]), alphas, documents)


def test_every_measure_is_defined():
    assert definitions([1, 2.5]).keys() == use([[1, 2, 3]]).values.keys()


def test_intervals_are_those_of_the_jackknife():
    # Quenouille and Tukey's formula, with Student's quantile of two degrees of freedom.
    parts = np.array([[4, 0, 1], [2, 2, 2], [9, 1, 0]])
    whole = parts.sum(axis=0)
    without = [renyi_entropy(whole - part, 2.5) for part in parts]
    error = math.sqrt(2 / 3 * sum((each - sum(without) / 3) ** 2 for each in without))
    found = use(parts).interval("renyi_2.5_entropy")
    value = renyi_entropy(whole, 2.5)
    half = 4.302652729749464 * error
    assert found == pytest.approx((value, value - half, value + half))


def test_differences_are_paired():
    parts = np.array([[4, 0, 1], [2, 2, 2], [9, 1, 0]])
    one, other = use(parts), use(parts[:, ::-1])
    assert one.interval("shannon_entropy", other) == pytest.approx((0, 0, 0), abs=1e-12)


def test_what_grows_with_the_text_and_single_documents_have_no_interval():
    found = use([[4, 0, 1], [2, 2, 2]])
    assert found.values["token_types"] == 3
    assert math.isnan(found.interval("token_types").low)
    assert math.isnan(use([[4, 0, 1], [0, 0, 0]], documents=1).interval("shannon_entropy").low)


@pytest.mark.parametrize("metric", ["renyi_2.5_entropy", "shannon_entropy"])
def test_intervals_hold_the_truth_as_often_as_they_say(metric):
    random = np.random.default_rng(11)
    alpha = 2.5 if "2.5" in metric else 1
    # Documents are of one topic or the other, so that their tokens belong together.
    tilt = 0.5 * np.cos(np.arange(30))
    topics = np.stack([1 + tilt, 1 - tilt]) / np.arange(1, 31)
    topics /= topics.sum(axis=1, keepdims=True)
    truth = renyi_entropy(topics.mean(axis=0) * 1e6, alpha)
    held = 0
    for _ in range(300):
        documents = random.multinomial(200, topics[random.integers(2, size=160)])
        parts = documents.reshape(10, 16, 30).sum(axis=0)
        _, low, high = use(parts, [alpha]).interval(metric)
        held += low <= truth <= high
    assert 0.92 <= held / 300 <= 0.98
