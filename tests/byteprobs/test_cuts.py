"""Where pieces can begin, against the pre-tokenizers themselves."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.byteprobs.cutting import (
    ALPHABET,
    TOKENS,
    WITNESSES,
    accepted,
    cuts_of,
    split,
    state_after,
    tokenizer_of,
)
from tests.strategies import texts
from tokkit.patterns import PATTERNS

NAMES = [name for name in PATTERNS if name != "llama3"]  # the same as cl100k
EVERY = [(name, "keep") for name in NAMES] + [("gpt2", "r2l3"), ("o200k", "r2l3")]


@pytest.mark.parametrize(("name", "digits"), [*EVERY, ("o200k", "single"), ("gpt2", "l2r3")])
def test_every_short_string_has_just_the_cuts_of_its_pattern(name, digits):
    cuts = cuts_of(name, digits)
    kinds = [each.decode() for each in cuts.classes.representatives]
    length = 4 if len(kinds) < 12 else 3
    strings = ["".join(each) for n in range(1, length + 1) for each in product(kinds, repeat=n)]
    right = split(tokenizer_of(name, digits).pretokenizer, strings)
    for string, bits in zip(strings, right, strict=True):
        assert accepted(cuts, string) == [bits], string


@pytest.mark.parametrize(("name", "digits"), EVERY)
def test_every_long_string_has_just_the_cuts_of_its_pattern(name, digits):
    cuts = cuts_of(name, digits)
    generator = np.random.default_rng(5)
    strings = []
    for _ in range(1200):
        few = generator.choice(list(ALPHABET), generator.integers(1, 6))
        strings.append("".join(generator.choice(few, generator.integers(1, 25))))
    right = split(tokenizer_of(name, digits).pretokenizer, strings)
    for string, bits in zip(strings, right, strict=True):
        assert accepted(cuts, string) == [bits], string


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(text=texts())
def test_any_text_has_just_the_cuts_of_its_pattern(name, text):
    assert accepted(cuts_of(name), text) == [split(tokenizer_of(name).pretokenizer, [text])[0]]


@pytest.mark.parametrize("name", ["gpt2", "cl100k", "o200k", "superbpe", "superbpe-stage2"])
@pytest.mark.parametrize("digits", ["keep", "r2l3"])
def test_cuts_are_possible_if_some_text_goes_on_with_them(name, digits):
    """All bits of short strings: alive just if one of many continuations has these cuts."""
    cuts = cuts_of(name, digits)
    cutter = tokenizer_of(name, digits).pretokenizer
    generator = np.random.default_rng(3)
    strings = {
        "".join(generator.choice(list(ALPHABET), generator.integers(1, 5))) for _ in range(60)
    }
    strings |= {
        "1111",
        "11½1",
        "a's",
        "'ll",
        "A'll",
        "a 's",
        "  \n",
        "\t \t",
        "AあB",
        ". \n/",
        "'re",
    }
    for string in sorted(strings):
        seen = {
            bits[: len(string)] for bits in split(cutter, [string + more for more in WITNESSES])
        }
        alive = {
            bits
            for bits in product((0, 1), repeat=len(string))
            if state_after(cuts, string, bits) >= 0
        }
        assert alive == seen, string


def whole_and_tail(data):
    """A string, and the beginning of a character after it; None if that is not UTF-8."""
    for length in range(min(4, len(data) + 1)):
        start = len(data) - length
        try:
            whole = data[:start].decode()
        except UnicodeDecodeError:
            continue
        return (whole, data[start:]) if length == 0 or completions(data[start:]) else None
    return None


@cache
def completions(tail):
    """Some 9000 of the characters that begin with the bytes of a tail, or all."""
    if tail[0] < 0xC2 or tail[0] > 0xF4:
        return ()
    missing = (2 if tail[0] < 0xE0 else 3 if tail[0] < 0xF0 else 4) - len(tail)
    choices = [range(0x80, 0xC0)] * missing
    if missing == 3:
        choices[2] = (0x80, 0x97, 0xBF)
    found = []
    for more in product(*choices) if missing > 0 else ():
        try:
            found.append((tail + bytes(more)).decode())
        except UnicodeDecodeError:
            continue
    return tuple(found)


def goes_on(cuts, data, begun):
    """Whether some text begins with bytes; pieces begin where `begun` says. And the state."""
    parts = whole_and_tail(data)
    if parts is None:
        return False, None
    whole, tail = parts
    place, bits = 0, []
    for character in whole:
        bits.append(int(place in begun))
        place += len(character.encode())
    state = state_after(cuts, whole, bits)
    if state < 0 or not tail:
        return state >= 0, state
    steps = cuts.automaton.steps[state, :, int(place in begun)]
    return any(steps[cuts.class_of(each.encode())] >= 0 for each in completions(tail)), None


@pytest.mark.parametrize("name", ["gpt2", "o200k", "none"])
@settings(max_examples=40)
@given(parts=st.lists(st.tuples(st.integers(0, len(TOKENS) - 1), st.booleans()), max_size=7))
def test_tokens_are_followed_as_their_bytes_are(name, parts):
    cuts = cuts_of(name)
    node, data, begun = cuts.start, b"", set()
    for token, begins in parts:
        found = whole_and_tail(data)
        assert found is not None
        inside = bool(found[1])
        array = cuts.beginning(node) if begins else cuts.within(node)
        for other, spelling in enumerate(TOKENS):
            starts = {*begun, len(data)} if begins else begun
            wanted = bool(spelling) and not (inside and begins)
            wanted = wanted and goes_on(cuts, data + spelling, starts)[0]
            assert (int(array[other]) >= 0) == wanted, (data, spelling, begins)
        if array[token] < 0:
            return
        begun = {*begun, len(data)} if begins else begun
        data += TOKENS[token]
        node = int(array[token])
        state = goes_on(cuts, data, begun)[1]
        ends = bool(cuts.can_end(np.array([node], dtype=np.int32))[0])
        assert ends == (state is not None and bool(cuts.automaton.accepts[state]))
        check_waiting(cuts, node, data, begun)


def check_waiting(cuts, node, data, begun):
    """The classes a character may still have are those of its completions that go on."""
    tail = whole_and_tail(data)[1]
    waiting = int(cuts.waiting(np.array([node], dtype=np.int32))[0])
    if not tail:
        assert waiting == 2**64 - 1
        return
    start = len(data) - len(tail)
    wanted = 0
    for character in completions(tail):
        if goes_on(cuts, data[:start] + character.encode(), begun)[0]:
            wanted |= 1 << cuts.class_of(character.encode())
    assert waiting == wanted


def test_characters_of_a_class_are_cut_alike():
    cuts = cuts_of("o200k")
    cutter = tokenizer_of("o200k").pretokenizer
    generator = np.random.default_rng(1)
    points = [*range(0x2000), *generator.integers(0xE000, 0x30000, 2000).tolist()]
    kinds = [each.decode() for each in cuts.classes.representatives]
    contexts = [
        "{}",
        "a{}a",
        "A{}a",
        "{}s",
        "'{}e",
        "a'{}",
        "a'{}l",
        " {}",
        "1{}1",
        ".{}\n",
        "\t{}x",
    ]
    characters = [chr(point) for point in points]
    own = split(cutter, [each.format(c) for c in characters for each in contexts])
    theirs = split(
        cutter,
        [
            each.format(kinds[cuts.class_of(c.encode())])
            for c in characters
            for each in contexts
        ],
    )
    assert own == theirs
