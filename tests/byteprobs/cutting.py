"""What tests of cuts share: tokenizers, their own cuts, and states to follow."""

from functools import cache
from itertools import product

import numpy as np

from tokkit.canonical.cuts import build_cuts
from tokkit.patterns import find_pattern
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
