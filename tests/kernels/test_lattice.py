"""The best path, carried on piece by piece, against whole searches."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.unigrams import UNKNOWN, margins_of, open_places, scored_words
from tests.reference import lattice as reference
from tokkit.kernels.lattice import advance, next_bytes, next_winners
from tokkit.vocab import flatten

parts_of_texts = st.lists(st.text("abcéx", min_size=1, max_size=5), min_size=1, max_size=5)

USABLE = b"ab\xc3\xa9\xa8\xe3\x81\x82\xf0\x9f\x98"


def is_one_character(data):
    try:
        return len(data.decode()) == 1
    except UnicodeDecodeError:
        return False


CHARACTERS = [
    bytes(each)
    for length in range(1, 5)
    for each in product(USABLE, repeat=length)
    if is_one_character(bytes(each))
]


@settings(max_examples=60)
@given(scored_words, parts_of_texts, st.booleans())
def test_what_was_read_is_the_last_token_if_the_best_path_ends_with_it(scores, parts, single):
    network = margins_of(scores, single).network
    entries = open_places(network, "")
    text = ""
    for part in parts:
        text += part
        read = np.frombuffer(part.encode(), dtype=np.uint8)
        is_best, is_gap, entries = advance(network, entries, read)
        path = reference.best_path(text, scores, UNKNOWN, single)
        assert is_best == (path[-1] == part), text
        assert is_gap == (path[-1] not in scores), text
        total = sum(scores.get(each, UNKNOWN) for each in path)
        assert entries.bases[-1] == pytest.approx(total, abs=1e-4)


@settings(max_examples=60)
@given(scored_words, st.text("abcéx", max_size=9), st.booleans(), st.data())
def test_any_tokens_can_be_asked_whether_they_win(scores, before, single, data):
    """Those asked about are ascending; what they begin with together is read once."""
    ordered = sorted(scores, key=str.encode)
    flat, ends = flatten([word.encode() for word in ordered])
    asked = data.draw(st.sets(st.integers(0, len(ordered) - 1)).map(sorted))
    network = margins_of(scores, single).network
    flags = np.full(len(ordered), 2, dtype=np.uint8)
    ids = np.arange(len(ordered), dtype=np.int32)
    chosen = np.array(asked, dtype=np.int64)
    next_winners(network, open_places(network, before), flat, ends, ids, chosen, flags)
    wins = reference.winners(before, ordered, scores, UNKNOWN, single)
    assert flags.tolist() == [int(wins[i]) if i in asked else 2 for i in range(len(ordered))]


@settings(max_examples=40)
@given(scored_words, st.text("abéx", max_size=4), st.sampled_from(CHARACTERS), st.booleans())
def test_a_byte_can_come_if_it_begins_a_character_that_is_no_token(
    scores, before, character, single
):
    """Over a few bytes, of which all characters are tried."""
    network = margins_of(scores, single).network
    usable = np.zeros(256, dtype=np.uint8)
    usable[list(USABLE)] = 1
    possible = np.empty(256, dtype=np.uint8)
    entries = open_places(network, before)
    for length in range(len(character)):
        begun = character[:length]
        next_bytes(network, entries, np.frombuffer(begun, np.uint8), usable, possible)
        wanted = set()
        for each in CHARACTERS:
            text = each.decode()
            last = reference.best_path(before + text, scores, UNKNOWN, single)[-1]
            if each.startswith(begun) and last == text and text not in scores:
                wanted.add(each[length])
        assert set(np.flatnonzero(possible).tolist()) == wanted, (before, begun)
