"""Sources: their entropies by listing all texts, and texts that have them."""

from itertools import product
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.markov import chances_of_texts, entropy
from tokkit.errors import UsageError
from tokkit.studies.markov.source import LETTERS, Source
from tokkit.studies.markov.sources import random_source, switching

IDENTITY = np.eye(2)


def binary(*chances):
    return -sum(chance * log(chance) for chance in chances if chance)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize(("p", "q"), [(0.8, 0.8), (0.2, 0.3), (0.5, 0.9), (1, 0.4)])
def test_switching_sources_have_the_entropies_of_their_formula(order, p, q):
    source = switching(order, p, q)
    one = p / (p + q)
    rate = (1 - one) * binary(p, 1 - p) + one * binary(q, 1 - q)
    assert source.entropy_rate == pytest.approx(rate, abs=1e-12)
    for seen in range(order):
        assert source.bound(seen) == pytest.approx(binary(one, 1 - one), abs=1e-12)


def test_the_published_examples():
    assert switching(2, 0.8, 0.8).entropy_rate == pytest.approx(0.5004, abs=5e-5)
    assert switching(2, 0.2, 0.3).entropy_rate == pytest.approx(0.5446, abs=5e-5)
    assert switching(2, 0.2, 0.3).bound(0) == pytest.approx(0.6730, abs=5e-5)


def test_a_switching_source_looks_so_far_back_and_no_less():
    source = switching(2, 0.25, 0.125)
    contexts = {source.write(number): row for number, row in enumerate(source.matrix.tolist())}
    assert contexts == {
        "00": [0.75, 0.25],
        "01": [0.75, 0.25],
        "10": [0.125, 0.875],
        "11": [0.125, 0.875],
    }


@given(st.integers(2, 3), st.integers(0, 3), st.integers(0, 1000))
def test_bounds_are_differences_of_the_entropies_of_texts(size, order, seed):
    source = random_source(order, size, seed)
    length = order + 1
    chances = chances_of_texts(source.matrix.tolist(), order, length, source.stationary)
    assert sum(chances.values()) == pytest.approx(1)

    def of(count):
        sums = {}
        for text, chance in chances.items():
            sums[text[-count:] if count else ()] = sums.get(text[-count:] if count else (), 0)
            sums[text[-count:] if count else ()] += chance
        return entropy(sums.values())

    for seen in range(order + 1):
        assert source.bound(seen) == pytest.approx(of(seen + 1) - of(seen), abs=1e-10)


@given(st.integers(2, 3), st.integers(1, 3), st.integers(0, 1000))
def test_the_stationary_distribution_stays(size, order, seed):
    source = random_source(order, size, seed)
    stationary = source.stationary
    after = np.zeros_like(stationary)
    contexts = list(product(range(size), repeat=order))
    for number, context in enumerate(contexts):
        for symbol in range(size):
            target = contexts.index((*context, symbol)[1:])
            after[target] += stationary[number] * source.matrix[number, symbol]
    np.testing.assert_allclose(after, stationary, atol=1e-12)
    assert stationary.sum() == pytest.approx(1)


@pytest.mark.parametrize("source", [switching(2, 0.2, 0.3), random_source(2, 3, 5)])
def test_text_has_the_entropy_of_its_source(source):
    text = source.draw(200_000, 7)
    assert source.loss(text) == pytest.approx(source.entropy_rate, abs=0.005)
    shares = np.bincount(text, minlength=source.size) / text.size
    single = source.stationary.reshape(source.size, -1).sum(1)
    np.testing.assert_allclose(shares, single, atol=0.01)


def test_text_depends_on_the_seed_alone():
    source = switching(3, 0.2, 0.3)
    assert (source.draw(1000, 4) == source.draw(1000, 4)).all()
    assert (source.draw(1000, 4) != source.draw(1000, 5)).any()
    assert source.draw(2, 4).tolist() == source.draw(1000, 4)[:2].tolist()
    assert source.draw(1000, 4)[:500].tolist() == source.draw(500, 4).tolist()


def test_what_is_impossible_is_never_drawn():
    # The sum of the first three is a little less than 1.
    source = Source("s", 0, np.array([[0.1, 0.2, 0.7 - 1e-9, 0.0]]))
    assert source.draw(50_000, 0).max() == 2
    rows = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert Source("s", 1, rows).draw(6, 0).tolist() in ([0, 1] * 3, [1, 0] * 3)
    assert Source("s", 1, rows).entropy_rate == 0


def test_contexts_that_are_left_for_good_do_not_count():
    source = Source("s", 1, np.array([[0.5, 0.5], [0.0, 1.0]]))
    assert source.stationary.tolist() == [0, 1]
    assert source.entropy_rate == 0


@pytest.mark.parametrize(
    "matrix",
    [
        np.eye(2),
        np.array([[1, 0, 0], [0, 1, 0], [0.3, 0.3, 0.4]]),
        np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1.0]]),
    ],
)
def test_chains_that_end_up_in_several_ways_are_refused(matrix):
    with pytest.raises(UsageError, match="never lead to a common one"):
        _ = Source("chain", 1, matrix).stationary


@given(st.integers(1, 3), st.integers(0, 10_000))
def test_several_ends_are_found_as_matrix_powers_find_them(order, seed):
    random = np.random.default_rng(seed)
    # Nothing is possible but rare: such chains take ever so long to forget where they began.
    matrix = random.uniform(0.2, 0.8, (2**order, 2)) * (random.random((2**order, 2)) < 0.6)
    matrix[matrix.sum(1) == 0, 0] = 1
    source = Source("s", order, matrix / matrix.sum(1, keepdims=True))
    flow = np.zeros((2**order, 2**order))
    for context, symbol in product(range(2**order), range(2)):
        flow[context, (2 * context + symbol) % 2**order] += source.matrix[context, symbol]
    # A lazy chain has no periods; its powers have equal rows if there is one end only.
    rows = np.linalg.matrix_power((flow + np.eye(2**order)) / 2, 2**14)
    if np.ptp(rows, axis=0).max() < 1e-3:
        np.testing.assert_allclose(source.stationary, rows[0], atol=1e-3)
    else:
        with pytest.raises(UsageError):
            _ = source.stationary


def test_a_bad_row_is_named():
    rows = np.array([[0.5, 0.5], [0.2, 0.8], [0.3, 0.6], [1, 0]])
    with pytest.raises(UsageError, match=r"row 3 \(context '10'\).*0.3, 0.6 sum to 0.9"):
        Source("chain", 2, rows)
    with pytest.raises(UsageError, match=r"row 1.*may be negative"):
        Source("chain", 1, np.array([[-0.5, 1.5], [0.5, 0.5]]))
    with pytest.raises(UsageError, match="row 2"):
        Source("chain", 1, np.array([[0.5, 0.5], [np.nan, 0.5]]))


def test_rows_written_with_few_digits_will_do():
    source = Source("chain", 0, np.array([[0.3333333, 0.3333333, 0.3333333]]))
    assert source.matrix.sum() == pytest.approx(1, abs=1e-15)


def test_what_has_no_sense_is_refused():
    with pytest.raises(UsageError, match="order 0"):
        switching(0, 0.5, 0.5)
    with pytest.raises(UsageError, match="p 2"):
        switching(1, 2, 0.5)
    with pytest.raises(UsageError, match="4096"):
        switching(13, 0.5, 0.5)
    with pytest.raises(UsageError, match="4096"):
        random_source(100, 250, 0)
    with pytest.raises(UsageError, match="2 to 256"):
        Source("s", 0, np.ones((1, 1)))
    with pytest.raises(UsageError, match="3 rows"):
        Source("s", 1, np.full((3, 2), 0.5))


def test_symbols_are_written_with_distinct_letters():
    assert len(set(LETTERS)) == len(LETTERS) == 256
    assert random_source(1, 12, 0).letters == b"0123456789ab"
