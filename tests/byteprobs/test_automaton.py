"""Learning automata, against languages whose smallest automaton is known."""

from itertools import pairwise, product

import numpy as np
import pytest

from tokkit.canonical.automaton import NONE, Automaton, aligned
from tokkit.canonical.cuts_learning import learn, mistakes, random_texts


class Rule:
    """An oracle made of a function from a text to its bits, or None."""

    def __init__(self, rule):
        self.rule = rule

    def cut(self, texts):
        bits = np.zeros(texts.shape, dtype=np.uint8)
        known = np.zeros(len(texts), dtype=np.bool_)
        for row, text in enumerate(texts):
            places = np.flatnonzero(text >= 0)
            found = self.rule(tuple(text[places].tolist()))
            if found is not None:
                known[row] = True
                bits[row, places] = found
        return bits, known


def threes_from_left(text):
    return [place % 3 == 0 for place in range(len(text))]


def threes_from_right(text):
    return [place == 0 or (len(text) - place) % 3 == 0 for place in range(len(text))]


def before_last(text):
    """A cut before the last character, if that is a 1."""
    return [
        place == 0 or (place == len(text) - 1 and text[-1] == 1) for place in range(len(text))
    ]


def begins_with_one(text):
    if text and text[0] != 1:
        return None
    return [place == 0 for place in range(len(text))]


def never_two_ones(text):
    if any(pair == (1, 1) for pair in pairwise(text)):
        return None
    return [True] * len(text)


# From the right there are the start, one and two characters of a first group, which may be
# the whole of it, and one, two and three of a later one, which has to have three.
@pytest.mark.parametrize(
    ("rule", "states"),
    [
        (threes_from_left, 3),
        (threes_from_right, 6),
        (before_last, 4),
        (begins_with_one, 2),
        (never_two_ones, 2),
    ],
)
def test_learn_finds_the_smallest_automaton(rule, states):
    automaton = learn(Rule(rule), 2, 500)
    assert len(automaton.accepts) == states


@pytest.mark.parametrize(
    "rule",
    [threes_from_left, threes_from_right, before_last, begins_with_one, never_two_ones],
)
def test_learn_accepts_just_the_words_of_texts(rule):
    automaton = learn(Rule(rule), 2, 500)
    for length in range(8):
        for text in product((0, 1), repeat=length):
            right = rule(text)
            for bits in product((0, 1), repeat=length):
                state = 0
                for character, bit in zip(text, bits, strict=True):
                    state = (
                        state if state == NONE else int(automaton.steps[state, character, bit])
                    )
                accepted = state != NONE and bool(automaton.accepts[state])
                assert accepted == (right is not None and list(bits) == [int(b) for b in right])


def test_learn_is_deterministic():
    first, second = (learn(Rule(threes_from_right), 3, 500) for _ in range(2))
    assert np.array_equal(first.steps, second.steps)


def test_mistakes_are_words_that_are_judged_wrongly():
    automaton = learn(Rule(threes_from_left), 1, 100)
    texts = aligned([(0,) * length for length in range(7)], NONE)
    assert mistakes(automaton, Rule(threes_from_left), texts) == []
    # From the right, 4 is 1 3 and 5 is 2 3, not 3 1 and 3 2.
    wrong = mistakes(automaton, Rule(threes_from_right), texts)
    assert wrong == [((0,) * 4, (1, 1, 0, 0)), ((0,) * 5, (1, 0, 1, 0, 0))]
    no_pairs = Rule(lambda text: None if len(text) == 2 else threes_from_left(text))
    assert mistakes(automaton, no_pairs, texts) == [((0, 0), (1, 0))]


def test_ambiguous_texts_are_found():
    steps = np.array([[[NONE, 1], [NONE, 1]], [[1, NONE], [1, 2]], [[1, NONE], [NONE, NONE]]])
    automaton = Automaton(steps.astype(np.int32), np.array([True, True, False]))
    words = automaton.ambiguous(4)
    assert len(words) >= 2
    by_text = {}
    for text, bits in words:
        by_text.setdefault(text, set()).add(bits)
        state = automaton.walk(aligned([text], NONE), aligned([bits], 0).astype(np.uint8))
        assert automaton.accepts[state[0]]
    assert max(map(len, by_text.values())) == 2


def test_trimmed_keeps_what_leads_to_an_end():
    steps = np.array([[[NONE, 1]], [[2, 3]], [[2, NONE]], [[NONE, NONE]]], dtype=np.int32)
    trimmed = Automaton(steps, np.array([False, False, False, True])).trimmed()
    assert trimmed.steps.tolist() == [[[NONE, 1]], [[NONE, 2]], [[NONE, NONE]]]
    assert trimmed.accepts.tolist() == [False, False, True]


def test_random_texts_have_runs():
    texts = random_texts(np.random.default_rng(0), 5, 300, 10)
    assert texts.shape == (300, 10)
    assert set(np.unique(texts)) == {-1, 0, 1, 2, 3, 4}
    repeats = (texts[:, 1:] == texts[:, :-1]) & (texts[:, 1:] >= 0)
    assert repeats.sum() > (texts[:, 1:] >= 0).sum() / 3
