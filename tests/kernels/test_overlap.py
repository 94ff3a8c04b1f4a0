"""What longer tokens take over, greedily and by score, against strings and whole searches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.unigrams import UNKNOWN, margins_of, open_places, scored_words
from tests.reference import lattice, overlap
from tokkit.canonical.longest import Trie
from tokkit.kernels._jit import frozen
from tokkit.kernels.overlap import measure_margins
from tokkit.vocab import flatten

few_letters = st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=5).map(
    b"".join
)


@settings(max_examples=60)
@given(
    st.lists(few_letters, min_size=1, max_size=9, unique=True),
    st.lists(few_letters, max_size=3, unique=True),
    few_letters,
)
def test_what_a_token_begun_earlier_takes_over(vocabulary, pending, token):
    trie = Trie.of({each: number for number, each in enumerate(vocabulary)})
    nodes = {each: trie.walk(each) for each in pending}
    for each, node in nodes.items():
        assert (node >= 0) == any(entry.startswith(each) for entry in vocabulary)
    pending = [each for each in pending if nodes[each] >= 0]
    state = tuple(sorted(nodes[each] for each in pending))
    left = trie.without_overlaps(state, 0, np.ones(len(vocabulary), dtype=np.uint8))
    wanted = [not overlap.blocked(vocabulary, pending, each) for each in vocabulary]
    assert left.tolist() == wanted
    alive = trie.overlap(state, np.frombuffer(token, dtype=np.uint8))
    if overlap.blocked(vocabulary, pending, token):
        assert alive is None
    else:
        expected = overlap.follow(vocabulary, pending, token)
        assert sorted(alive) == sorted(trie.walk(each) for each in expected)


@settings(max_examples=60)
@given(scored_words)
def test_margins_are_over_the_best_other_way_to_write_the_end(scores):
    ordered = sorted(scores, key=str.encode)
    trie = Trie.of({word.encode(): number for number, word in enumerate(ordered)})
    data, ends = map(frozen, flatten([word.encode() for word in ordered]))
    margins = np.empty(data.size, np.float32)
    least = np.empty(trie.labels.size, np.float32)
    measure_margins(margins_of(scores, single=False).network, data, ends, margins, least)
    at = iter(margins.tolist())
    by_beginning = {}
    for word in ordered:
        own = [next(at) for _ in word.encode()]
        for place, margin in enumerate(own):
            assert margin == pytest.approx(
                lattice.margin(word, place, scores, UNKNOWN), abs=1e-5
            )
            by_beginning.setdefault(word.encode()[:place], []).append(margin)
        by_beginning.setdefault(word.encode(), []).append(scores[word])
    for beginning, found in by_beginning.items():
        if beginning:
            assert least[trie.walk(beginning)] == pytest.approx(min(found), abs=1e-5)


@settings(max_examples=60)
@given(scored_words, st.text("abcéx", max_size=9), st.booleans())
def test_tokens_that_win_are_the_end_of_the_best_path(scores, before, single):
    """Ties and sums that are equal but for rounding are decided as the search decides them."""
    margins = margins_of(scores, single)
    flags = margins.winners(open_places(margins.network, before))
    wanted = lattice.winners(before, list(scores), scores, UNKNOWN, single)
    assert flags.tolist() == [0, *wanted]
