"""An automaton followed along tokens against the same character by character."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import cuts as reference
from tokkit.canonical.automaton import Automaton
from tokkit.canonical.cuts import TokenCuts
from tokkit.canonical.cuts_classes import CharacterClasses

# Whole and cut characters of every length, what is malformed, and tokens that complete others.
TOKENS = (
    *(b"", b"a", b"ab", b"b", b" a", "é".encode(), "aéb".encode(), "あ".encode()),
    *(b"a\xf0\x9f", b"\xc3", b"\xa9", b"\xa9b", b"\xe3", b"\xe3\x81", b"\x81", b"\x82"),
    *(b"\x81\x82", b"x\xff", b"\xf0", b"\x9f", b"\x98\x80", b"\x9f\x98", b"\x80"),
    *(b"\x80a\xc3", b"\x80\x80\x80\x80", b"\xc0", b"\xc1\x80", b"\xe0", b"\xe0\x80"),
    *(b"\xe0\xa0", b"\xed\xa0", b"\xf4\x90", b"\xf5", b"\x82\xe3", b"\xa9\xa9", b"a\x80"),
)
CLASSES = 3
STATES = 4


def class_of(character):
    return (ord(character) >> 5) % CLASSES


TABLE = np.arange(0x110000) >> 5
REPRESENTATIVES = tuple(chr(32 * number).encode() for number in range(CLASSES))
KINDS = CharacterClasses(TABLE % CLASSES, REPRESENTATIVES)


@st.composite
def automata(draw):
    """Steps at random, about a third of them missing; texts can end everywhere."""
    size = STATES * CLASSES * 2
    steps = draw(st.lists(st.integers(-2, STATES - 1), min_size=size, max_size=size))
    array = np.maximum(np.array(steps, dtype=np.int32), -1).reshape(STATES, CLASSES, 2)
    return Automaton(array, np.ones(STATES, dtype=np.bool_))


@settings(max_examples=20)
@given(automata(), st.lists(st.tuples(st.sampled_from(TOKENS[1:]), st.booleans()), max_size=4))
def test_tokens_are_followed_as_their_characters_are(automaton, parts):
    """All tokens are tried after each of `parts`; bits are those of characters' first bytes."""
    cuts = TokenCuts(KINDS, automaton, TOKENS, "automaton", True)
    steps = automaton.steps.tolist()
    node, state, bit, begun = cuts.start, 0, 0, b""
    for token, begins in parts:
        nodes = cuts.beginning(node) if begins else cuts.within(node)
        first = bit if begun else int(begins)
        wanted = [
            bool(each)
            and not (begun and begins)
            and reference.goes_on(steps, class_of, state, first, begun + each)
            for each in TOKENS
        ]
        assert (nodes >= 0).tolist() == wanted, (begun, begins)
        node = int(nodes[TOKENS.index(token)])
        if node < 0:
            return
        whole, tail = reference.split(begun + token)
        for place, character in enumerate(whole):
            state = steps[state][class_of(character)][first if place == 0 else 0]
        begun, bit = tail, 0 if whole else first
        assert tail or node == state
