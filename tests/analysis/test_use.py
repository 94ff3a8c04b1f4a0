import math

import numpy as np
import pytest

from tokkit.analysis.efficiency import Spectrum
from tokkit.analysis.use import Use, definitions
from tokkit.analysis.word_types import WordTypes


def use(parts, alphas=(1, 2.5), documents=99):
    parts = np.asarray(parts)
    return Use(parts, np.arange(parts.shape[1]), 2 * parts.shape[1], alphas, documents)


def renyi_entropy(counts, alpha):
    return Spectrum(counts).entropy(alpha)


def test_every_measure_is_defined():
    assert definitions([1, 2.5]).keys() == use([[1, 2, 3]]).values.keys()


def test_intervals_are_those_of_the_jackknife():
    # Quenouille and Tukey's formula, with Student's quantile of two degrees of freedom.
    parts = np.array([[40, 20, 10], [20, 20, 20], [40, 25, 9]])
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


def test_distinct_tokens_are_counted_without_each_part():
    parts = [[4, 0, 1], [2, 2, 2], [0, 0, 0]]
    # Without the second part, the second token does not occur. There are six ids.
    pseudo = [3 * 3 - 2 * types for types in (3, 2, 3)]
    half = 4.302652729749464 * np.std(pseudo, ddof=1) / math.sqrt(3)
    assert use(parts).interval("token_types") == pytest.approx((3, 3 - half, 3 + half))
    found = use(parts).interval("vocabulary_utilisation")
    assert found == pytest.approx((3 / 6, (3 - half) / 6, (3 + half) / 6))


def test_intervals_end_where_there_is_nothing_more():
    parts = use([[9, 0, 0], [0, 1, 1]])
    assert parts.interval("token_types").low == 0
    assert parts.interval("vocabulary_utilisation")[1:] == (0, 1)


def test_amounts_and_single_documents_have_no_interval():
    for name in ("tokens", "longest_token_bytes"):
        assert math.isnan(use([[4, 0, 1], [2, 2, 2]]).interval(name).low)
    assert math.isnan(use([[4, 0, 1], [0, 0, 0]], documents=1).interval("shannon_entropy").low)


def test_a_word_counts_once_in_however_many_parts_it_is():
    # Words in the first part, in both, and in the second; tokens of each.
    parts = np.array([0b01, 0b11, 0b10], dtype=np.uint16)
    types = WordTypes({"alone": np.array([1, 3, 1])}, parts, documents=2)
    assert types.words == 3
    assert types.values == pytest.approx({"type_fertility_alone": 5 / 3, "strr_alone": 2 / 3})
    # Without either part two words are left, one of which is one token: nothing moves.
    assert types.interval("strr_alone") == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def topics(words, strength):
    """Four topics in which words have other shares, so that those of a document are alike."""
    random = np.random.default_rng(5)
    shares = random.choice([1 / strength, strength], size=(4, words)) / np.arange(1, words + 1)
    return shares / shares.sum(axis=1, keepdims=True)


def test_intervals_of_distinct_words_and_tokens_hold_the_truth_at_least_as_often():
    random = np.random.default_rng(7)
    shares, sizes = topics(1500, 2), random.integers(1, 4, 1500)
    found = []
    for _ in range(120):
        documents = random.multinomial(60, shares[random.integers(4, size=64)])
        parts = documents.reshape(4, 16, -1).sum(axis=0)
        bits = ((parts > 0) << np.arange(16)[:, None]).sum(axis=0).astype(np.uint16)
        met = np.flatnonzero(bits)
        types = WordTypes({"alone": sizes[met]}, bits[met], documents=64)
        tokens = use(parts, [])
        found.append([tokens.interval("vocabulary_utilisation"), types.interval("strr_alone")])
    values, lows, highs = np.moveaxis(np.array(found), 2, 0)
    # What they are on average in texts of this size, which there is no other truth of.
    truth = values.mean(axis=0)
    held = ((lows <= truth) & (truth <= highs)).mean(axis=0)
    assert (held > 0.93).all()
    assert (np.median(highs - lows, axis=0) < 1.6 * 2 * 2.13 * values.std(axis=0)).all()


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
