"""The probabilities of the n-gram model, worked out by hand and by enumeration."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.errors import ModelError, UsageError
from tokkit.lm import NGramModel


def test_bigram_by_hand(tokenizer):
    a, b = tokenizer.encode("ab").tolist()
    model = NGramModel.fit(tokenizer, ["ab", "aa"], order=2, smoothing=0.5)
    size = len(tokenizer)
    assert (model.start, model.ends, model.vocab_size) == ((0,), {1}, size)
    # After "a": b once, a once, the end once. In all: a three times, b once, the end twice.
    alone = {a: (3 + 0.5 / size) / 6.5, b: (1 + 0.5 / size) / 6.5, 1: (2 + 0.5 / size) / 6.5}
    row = np.exp(model.next_logprobs([[a]])[0])
    for token, one in alone.items():
        assert row[token] == pytest.approx((1 + 0.5 * one) / 3.5, rel=1e-14)
    unseen = 0.5 * (0.5 / size / 6.5) / 3.5
    assert row[a + 5] == pytest.approx(unseen, rel=1e-14)


def test_history_never_seen_uses_the_shorter_one(tokenizer):
    model = NGramModel.fit(tokenizer, ["abab"], order=3)
    a, b, c = tokenizer.encode("abc").tolist()
    rows = model.next_logprobs([[c, c], [a, c], [c, b]])
    assert rows[0].tolist() == rows[1].tolist()
    after_b = NGramModel.fit(tokenizer, ["abab"], order=2).next_logprobs([[b]])[0]
    assert rows[2] == pytest.approx(after_b, abs=1e-14)


@given(
    texts=st.lists(st.text(alphabet="abthein ", max_size=12), max_size=4),
    order=st.integers(1, 4),
    smoothing=st.sampled_from([1e-3, 0.5, 20.0]),
    prefix=st.text(alphabet="abthein ", max_size=5),
)
def test_rows_are_positive_and_sum_to_one(tokenizer, texts, order, smoothing, prefix):
    model = NGramModel.fit(tokenizer, texts, order=order, smoothing=smoothing)
    row = np.exp(model.next_logprobs([tokenizer.encode(prefix).tolist()])[0])
    assert abs(row.sum() - 1) < 1e-12
    assert row.min() > 0


def test_tree_rows_are_those_of_the_sequences(tokenizer):
    model = NGramModel.fit(tokenizer, ["the thin ant", "an inn"], order=3)
    tree = model.tree()
    sequences = [[]]
    ids = tokenizer.encode("the ant in").tolist()
    for number, token in enumerate(ids * 2):
        parent = max(number - 2, 0)
        assert tree.add(parent, token) == len(sequences)
        sequences.append([*sequences[parent], token])
    first = model.evaluate([tree])[0]
    late = tree.add(3, ids[0])
    sequences.append([*sequences[3], ids[0]])
    second = model.evaluate([tree])[0]
    assert late == len(sequences) - 1
    expected = model.next_logprobs(sequences)
    assert np.array_equal(np.concatenate([first, second]), expected)
    assert model.evaluate([tree])[0].shape == (0, model.vocab_size)


def test_usage_counts_calls_and_tokens(tokenizer):
    model = NGramModel(tokenizer)
    trees = [model.tree([0, 4, 5]), model.tree()]
    trees[0].add(0, 6)
    model.evaluate(trees)
    assert (model.usage.calls, model.usage.tokens) == (1, 5)
    model.evaluate(trees)
    assert (model.usage.calls, model.usage.tokens) == (1, 5)


def test_ids_after_the_vocabulary_stand_for_start_and_end(bare_tokenizer):
    model = NGramModel.fit(bare_tokenizer, ["ab"], order=2)
    size = len(bare_tokenizer)
    assert (model.ends, model.start, model.vocab_size) == ({size}, (size + 1,), size + 2)
    assert abs(np.exp(model.next_logprobs([[]])).sum() - 1) < 1e-12


def test_one_missing_role_takes_one_id(tmp_path):
    from tests.lm.conftest import write_tokenizer
    from tokkit import load

    only_end = load(write_tokenizer(tmp_path, specials=("</s>",)))
    model = NGramModel(only_end)
    assert (model.ends, model.start) == ({0}, (len(only_end),))
    assert model.vocab_size == len(only_end) + 1


def test_any_function_will_do(tokenizer):
    size = len(tokenizer)

    def rows(sequence):
        row = np.zeros(size)
        row[len(sequence)] = 0.25
        row[sum(sequence) % 2] += 0.75
        return row

    model = NGramModel.from_function(tokenizer, rows)
    row = model.next_logprobs([[5, 6]])[0]
    assert row[3] == pytest.approx(math.log(0.25))
    assert row[1] == pytest.approx(math.log(0.75))
    assert np.isneginf(row).sum() == size - 2


@pytest.mark.parametrize("values", [[0.5, 0.4], [1.5, -0.5], [float("nan"), 1.0], [1.0]])
def test_what_is_no_distribution_is_refused(tokenizer, values):
    def rows(_):
        return np.array([*values, *[0.0] * (len(tokenizer) - 2)])

    with pytest.raises(ModelError, match="no distribution"):
        NGramModel.from_function(tokenizer, rows).next_logprobs([[]])


def test_bad_input_is_one_line(tokenizer):
    model = NGramModel(tokenizer, context=3)
    with pytest.raises(ModelError, match="outside a vocabulary"):
        model.next_logprobs([[len(tokenizer)]])
    with pytest.raises(ModelError, match="longer than the context of 3"):
        model.next_logprobs([[4, 4, 4]])
    with pytest.raises(ModelError, match="at least one token"):
        model.tree([])
    with pytest.raises(UsageError, match="order 0"):
        NGramModel.fit(tokenizer, [], order=0)
    with pytest.raises(ModelError, match="outside a vocabulary"):
        NGramModel(tokenizer, start=900)
