"""Scanners against Python's decoder and the `regex` library."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.patterns import AWKWARD, COMMON, cut_by_regex, group_from_the_right
from tokkit.kernels import codes, scan
from tokkit.patterns import PATTERNS, find_pattern
from tokkit.unicode import classes
from tokkit.vocab import flatten

EVERY_PATTERN = [
    find_pattern(name, digits)
    for name in PATTERNS
    for digits in ("keep", "single", "l2r3", "r2l3")
]
CUTTERS = {codes.WORDS: scan.cut_words, codes.SUPERWORDS: scan.cut_superwords}

texts = st.text(st.sampled_from(AWKWARD + COMMON * 4), max_size=25) | st.text(max_size=12)
# Whole characters, their halves, and anything.
broken = st.lists(
    st.sampled_from([c.encode() for c in AWKWARD])
    | st.sampled_from([c.encode()[:-1] for c in AWKWARD])
    | st.binary(max_size=3),
    max_size=12,
).map(b"".join)
malformed = [
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xe0\x9f\xbf",
    b"\xed\xa0\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\x80\xff\xfe",
]


def classify(pieces, code):
    data, ends = flatten(pieces)
    found = np.empty(data.size, dtype=np.uint8)
    scan.classify(data, ends, classes("regex", code), found)
    return data, ends, found


def cut(pieces, code):
    data, ends, found = classify(pieces, code)
    cuts = np.empty(data.size, dtype=np.int64)
    if code & codes.FAMILY == codes.NUMBERS:
        count = scan.cut_numbers(ends, found, code, cuts)
    else:
        count = CUTTERS[code & codes.FAMILY](data, ends, found, code, cuts)
    content = data.tobytes()
    stops = cuts[:count].tolist()
    return [content[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]


def expected_classes(piece, table):
    """Class by class, from the code points that Python decodes; bytes it cannot have none."""
    found = []
    for character in piece.decode("utf-8", "surrogateescape"):
        known = 0 if "\udc80" <= character <= "\udcff" else int(table[ord(character)])
        length = len(character.encode("utf-8", "surrogateescape"))
        found += [known] + [known | codes.CONTINUATION] * (length - 1)
    return found


def expected_cuts(pieces, expression):
    return [
        part.encode("utf-8", "surrogateescape")
        for piece in pieces
        for part in cut_by_regex(expression, piece.decode("utf-8", "surrogateescape"))
    ]


@given(st.lists(broken | st.binary(max_size=6) | st.sampled_from(malformed), max_size=6))
def test_classes_are_those_of_the_code_points_python_decodes(pieces):
    table = classes("regex", 0)
    _, _, found = classify(pieces, 0)
    assert found.tolist() == [c for piece in pieces for c in expected_classes(piece, table)]


@pytest.mark.parametrize("piece", malformed)
def test_each_malformed_byte_has_no_class(piece):
    _, _, found = classify([b"a", piece, b"a"], 0)
    assert found[1:-1].tolist() == [0] * len(piece)


def test_a_sequence_does_not_reach_into_the_next_piece():
    euro = "€".encode()
    _, _, found = classify([euro[:1], euro[1:]], 0)
    assert found.tolist() == [0, 0, 0]


@pytest.mark.parametrize("pattern", EVERY_PATTERN, ids=lambda p: f"{p.name}-{p.digits}")
@given(st.lists(texts.map(str.encode) | broken, max_size=4))
def test_cuts_are_those_of_regex(pattern, pieces):
    assert cut(pieces, pattern.scanner) == expected_cuts(pieces, pattern.regex)


@pytest.mark.parametrize("rule", [0, 1, 2, 3, 7, codes.THOUSANDS, -2, -3, -7])
@given(st.lists(st.text(st.sampled_from("0123456789²½Ⅷa,"), max_size=15), max_size=3))
def test_numbers_are_cut_by_every_rule(rule, pieces):
    alternatives = {
        0: r"\p{N}+",
        codes.THOUSANDS: r"\p{N}(?:(?!(?:\d{3})+(?!\d))\p{N})*",
    }
    size = abs(rule)
    aligned = rf"(?=(?:\p{{N}}{{{size}}})*(?!\p{{N}}))" if rule < 0 else ""
    expression = alternatives.get(rule, rf"\p{{N}}{{1,{size}}}{aligned}")
    code = codes.NUMBERS | codes.RUNS | size << codes.NUMBER_SHIFT
    code |= codes.FROM_RIGHT if rule < 0 else 0
    encoded = [piece.encode() for piece in pieces]
    assert cut(encoded, code) == expected_cuts(encoded, expression)


@pytest.mark.parametrize("digit", ["7", "٣"])
@pytest.mark.parametrize("name", ["gpt2", "o200k", "superbpe", "superbpe-stage2", "none"])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 20_000, 20_001, 20_002])
def test_groups_from_the_right_of_a_long_run_take_linear_time(name, length, digit):
    run = digit * length
    code = find_pattern(name, "r2l3").scanner
    groups = [group.encode() for group in group_from_the_right(run)]
    assert cut([run.encode()], code) == groups


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=lambda p: p.name)
@pytest.mark.parametrize(
    "unit", [" ", "\n", " \n", "A", "a", "日", "\u0301", "!", "1", "'", "\xff"]
)
def test_long_runs_lose_nothing(pattern, unit):
    piece = unit.encode() * 5000
    assert b"".join(cut([piece, piece + b"x"], pattern.scanner)) == piece * 2 + b"x"
