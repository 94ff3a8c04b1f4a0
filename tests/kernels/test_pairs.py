"""Tables of pairs against byte-pair encoding itself."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings

from tests.reference import pairs as reference
from tests.strategies import merge_vocabularies
from tokkit.canonical.pair_tables import build_tables
from tokkit.kernels import pairs as kernels
from tokkit.segment.bpe import BPE

# Without compilation kernels are some hundred times slower.
EXAMPLES = 15 if numba.config.DISABLE_JIT else 100

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


@settings(max_examples=EXAMPLES)
@given(merge_vocabularies("abc", longest=9))
def test_what_merging_leaves_side_by_side(vocabulary):
    """Histories of symbols, subtrees of the order, and what may follow what, in both ways."""
    tokens, merges, ranks = vocabulary
    segmenter = BPE(tokens, merges, ranks=ranks)
    tables = build_tables(segmenter)
    _, dense = np.unique(segmenter.ranks, return_inverse=True)
    rows = zip(merges.tolist(), dense.tolist(), strict=True)
    known = {(left, right): (rank, both) for (left, right, both), rank in rows}
    spelled = [[b"abc".index(byte) for byte in token] for token in tokens]
    made = reference.made(spelled, known)
    parts = tables.table[:, [kernels.LEFT, kernels.RIGHT, kernels.RANK, kernels.KEY]]
    assert {number: tuple(parts[number].tolist()) for number in made} == made
    assert set(np.flatnonzero(parts[:, 3] != kernels.NOT_MADE).tolist()) == set(made)
    order = tables.order.tolist()
    assert sorted(order) == sorted(made)
    for symbol in made:
        place, size = tables.table[symbol, [kernels.PLACE, kernels.SIZE]].tolist()
        assert set(order[place : place + size]) == {
            other for other in made if symbol in left_spine(other, made)
        }
    for last in made:
        flags = np.ones(len(tokens), dtype=np.uint8)
        tables.clear_followers(last, flags)
        for token in made:
            follows = reference.may_follow(last, token, spelled, known)
            quick = tables.may_follow(last, token)
            assert (quick, bool(flags[token])) == (follows, follows), (last, token)


def left_spine(symbol, made):
    """A symbol, its left part, the left part of that, and so on."""
    return [symbol, *(left_spine(made[symbol][0], made) if made[symbol][0] >= 0 else [])]
