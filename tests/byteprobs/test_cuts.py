"""Where pieces can begin, against the pre-tokenizers themselves."""

import json
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.families import FAMILIES
from tests.strategies import texts
from tokkit.added import AddedTokens
from tokkit.byteprobs.canonical.cuts import build_cuts, find_lead
from tokkit.errors import PatternError
from tokkit.formats import load
from tokkit.patterns import PATTERNS, find_pattern
from tokkit.pretokenize import Pieces, for_pattern
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

BYTES = tuple(bytes([byte]) for byte in range(256))
TOKENS = (
    *BYTES,
    *(
        b"",
        "é".encode(),
        "あ".encode(),
        "aé".encode(),
        b"ab",
        b"'",
        b"'l",
        b"ll",
        b"'ll",
        b"  ",
    ),
    *(
        b" a",
        b"12",
        b"123",
        b"1234",
        b"\n\n",
        b" \n",
        b"B\xe3",
        b"\x81\x82 x",
        b"\x82",
        b"\x81",
    ),
    *(b"a\xf0\x9f", b"\x98\x80'", b"\xed\xa0", b"\xc0\x80", b"\x80\x80\x80\x80", b"x\xff"),
    *(b" \xe2\x80", b"\xa8\xa8", b"\xc5", b"\xbf", "ſ".encode(), b"'\xc5", b"1\xc2", b"\xbd2"),
)
ALPHABET = "asrelASREL' /\n\t\u00a0.1½٣あ\u0301ſǅ😀"
PREFIXES = ["", *ALPHABET]
WITNESSES = [
    *(
        "".join(each)
        for length in range(3)
        for each in product("asLA'l 1½٣\n\t./あ\u0301", repeat=length)
    ),
    *(
        "ll",
        "lla",
        "'ll",
        "1111",
        "111a",
        "11a",
        "1a",
        "a'll",
        "   a",
        " \n a",
        "\n\na",
        "あa",
        "あAa",
    ),
    *("ea", "e", "e'", "la", "l'", "\t\t\n", "AAa", "AAAA", "11111 "),
]


@cache
def tokenizer_of(name, digits="keep"):
    cutter = for_pattern(find_pattern(name, digits))
    return Tokenizer(Vocabulary(TOKENS), LongestMatch(TOKENS), pretokenizer=cutter)


@cache
def cuts_of(name, digits="keep"):
    return build_cuts(tokenizer_of(name, digits), TOKENS)


def split(cutter, strings):
    """Where pieces begin in each of some strings, one bit for a character."""
    data = [string.encode() for string in strings if string]
    ends = np.cumsum([len(each) for each in data]).astype(np.int64)
    cuts = cutter.split(Pieces(np.frombuffer(b"".join(data), dtype=np.uint8), ends)).ends
    begins = {0, *cuts.tolist()}
    rows = []
    place = 0
    for string in strings:
        row = []
        for character in string:
            row.append(int(place in begins))
            place += len(character.encode())
        rows.append(tuple(row))
    return rows


def state_after(cuts, string, bits):
    """The state after a string, by the automaton's table; -1 for none."""
    state = 0
    for character, bit in zip(string, bits, strict=True):
        if state >= 0:
            state = int(cuts.automaton.steps[state, cuts.class_of(character.encode()), bit])
    return state


def accepted(cuts, string):
    """All the bits with which a string is accepted."""
    ways = {(): 0}
    for character in string:
        column = cuts.automaton.steps[:, cuts.class_of(character.encode())]
        ways = {
            (*bits, bit): int(column[state, bit])
            for bits, state in ways.items()
            for bit in (0, 1)
            if column[state, bit] >= 0
        }
    return [bits for bits, state in ways.items() if cuts.automaton.accepts[state]]


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


REAL = {
    "gpt2": "hf/gpt2",
    "cl100k": "hf/cl100k",
    "o200k": "hf/o200k",
    "llama3": "hf/llama3",
    "superbpe": "superbpe_180k_200k",
    "llama2": "llama2",
}


def walk(cuts, tokenizer, internal, pieces):
    """Follow the tokens of pieces; the node after them."""
    node = cuts.start
    for piece in pieces:
        for number, token in enumerate(
            tokenizer.segmenter.segment(Pieces.of(piece))[0].tolist()
        ):
            array = cuts.within(node) if number else cuts.beginning(node)
            node = int(array[token])
            assert node >= 0, (internal, piece, number)
    return node


@pytest.mark.parametrize("name", REAL)
def test_tokens_of_real_tokenizers_are_followed(shared, name):
    tokenizer = load(shared / "tokenizers" / REAL[name])
    tokens = tokenizer.vocab.tokens
    cuts = build_cuts(tokenizer, tokens)
    assert cuts.exact
    lines = (shared / "corpora" / "udhr.jsonl").read_text().splitlines()
    samples = [json.loads(line)["text"] for line in lines[::40]]
    samples.append((shared / "corpora" / "wikitext2_test.txt").read_text()[:3000])
    for sample in samples:
        for start in range(0, min(len(sample), 1200), 60):
            text = sample[start : start + 60].encode()
            data = tokenizer.normalizer.normalize(text) if tokenizer.normalizer else text
            pieces = tokenizer.pretokenizer.split(Pieces.of(data)).as_bytes()
            node = walk(cuts, tokenizer, text, pieces)
            assert cuts.can_end(np.array([node], dtype=np.int32))[0]


FAITHFUL = {
    # what, how it is decided, what is put before a text
    "roberta": ("automaton", b" "),
    "llama2": ("automaton", b" "),
    "llama first cut": ("automaton", b" "),
    "llama never": ("automaton", b""),
    "starcoder": ("automaton", b""),
    "qwen2": ("automaton", b""),
    "bert": ("learned cuts", b" "),
    "gemma": ("learned cuts", b""),
}


@cache
def family(name):
    """A small tokenizer of a family, the internal text of its tokens, and its cuts."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        path.write_text(json.dumps(FAMILIES[name]()))
        tokenizer = replace(load(path), added=AddedTokens())
    specials = set(tokenizer.vocab.specials.values())
    tokens = [b"" if i in specials else each for i, each in enumerate(tokenizer.vocab.tokens)]
    return tokenizer, tokens, build_cuts(tokenizer, tokens)


def pieces_of(tokenizer, text):
    """What a text is cut into before it is segmented."""
    data = text.encode()
    data = tokenizer.normalizer.normalize(data) if tokenizer.normalizer else data
    cutter = tokenizer.first_pretokenizer or tokenizer.pretokenizer
    return cutter.split(Pieces.of(data)).as_bytes()


@pytest.mark.parametrize("name", FAITHFUL)
@settings(max_examples=40)
@given(text=texts())
def test_a_text_that_its_tokens_spell_can_be_followed(name, text):
    tokenizer, tokens, cuts = family(name)
    method, lead = FAITHFUL[name]
    assert (cuts.method, find_lead(tokenizer, tokens)) == (method, lead)
    for each in (text, " ".join(text.lower().split())):
        spelled = [tokens[token] for token in tokenizer.encode(each).tolist()]
        if each and b"" not in spelled and b"".join(spelled) == lead + each.encode():
            node = walk(cuts, tokenizer, each, pieces_of(tokenizer, each))
            assert cuts.can_end(np.array([node], dtype=np.int32))[0]


@pytest.mark.parametrize(
    ("name", "internal", "possible"),
    [
        ("llama2", " a b", True),
        ("llama2", "a b", False),  # no space before it
        ("llama2", " a▁b", False),  # ▁ would be read as a space
        ("llama2", " ", False),  # nothing is put before an empty text
        ("llama2", "  a", True),
        ("llama always", "  a", True),  # both spaces are in the raw text: none is added
        ("qwen2", "e\u0344", False),  # NFC writes U+0344 as two characters
        ("qwen2", "\u1e9b", True),
        ("bert", " a b", True),
        ("bert", " a B", False),  # lower case
        ("bert", " a  b", False),  # spaces are dropped, and one is put before each word
        ("bert", " a-b", False),
        ("bert", " a - b", True),
        ("bert", " a中", False),
        ("clip", "a b ", True),
        ("clip", "a b", False),  # every word ends in a space
    ],
)
def test_texts_that_tokens_cannot_spell_have_no_cuts(name, internal, possible):
    assert bool(accepted(family(name)[2], internal)) == possible


def test_without_the_lead_a_text_begins_as_any_other():
    tokenizer, tokens, cuts = family("llama first cut")
    assert accepted(cuts, " a b") == [(1, 0, 1, 0)]
    inside = build_cuts(tokenizer, tokens, lead=False)
    assert accepted(inside, "a b") == [(1, 1, 0)]
    assert accepted(inside, " a b") == [(1, 0, 1, 0)]


def test_cuts_inside_characters_are_refused():
    with pytest.raises(PatternError, match="inside characters"):
        family("falcon")
