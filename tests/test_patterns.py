"""Named patterns: what they mean, how they are spelled for each engine, what is recognised."""

import os
from itertools import pairwise

import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.patterns import (
    PUBLISHED,
    TIKTOKEN,
    agrees_with_tiktoken,
    cut_by_regex,
    cut_by_tokenizers,
    random_texts,
)
from tokkit import spelling
from tokkit.errors import PatternError
from tokkit.patterns import NO_SCANNER, PATTERNS, find_pattern, recognise
from tokkit.pretokenize import Pieces, Scanner
from tokkit.unicode import SIZE, properties
from tokkit.vocab import flatten

FUZZED = int(os.environ.get("TOKKIT_FUZZ", "400"))
DIGITS = ("keep", "single", "l2r3", "r2l3")
ENGINES = ("regex", "oniguruma", "rust")
DISTINCT = [name for name in PATTERNS if name not in ("llama3", "none")]

# Around every code point: letters of both cases, a space, symbols, numbers, an apostrophe,
# newlines, and itself.
CONTEXT = "a{0}A{0}a {0}b!{0}!/{0}1{0}12{0}'{0}l'{0}\n{0}\r {0}{0}A \n"


def scan(pattern, engine, texts):
    """The pieces of each text."""
    data, ends = flatten([text.encode() for text in texts])
    cut = Scanner(pattern, engine).split(Pieces(data, ends))
    pieces = [piece.decode() for piece in cut.as_bytes()]
    bounds = [0, *np.searchsorted(cut.ends, ends, side="right")]
    return [pieces[start:stop] for start, stop in pairwise(bounds)]


def differing(pattern, engine, expression, texts):
    """The texts that `engine` cuts by `expression`, but the scanner otherwise."""
    found = scan(pattern, engine, texts)
    if engine == "rust":
        agreeing = set(agrees_with_tiktoken(expression, found))
        return [text for index, text in enumerate(texts) if index not in agreeing]
    cut = cut_by_regex if engine == "regex" else cut_by_tokenizers
    return [
        text
        for text, pieces in zip(texts, found, strict=True)
        if cut(expression, text) != pieces
    ]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("digits", DIGITS)
@pytest.mark.parametrize("name", PATTERNS)
def test_each_engine_cuts_its_own_spelling_as_the_scanner_does(name, digits, engine):
    pattern = find_pattern(name, digits)
    texts = random_texts(FUZZED, seed=1)
    assert differing(pattern, engine, pattern.for_engine(engine), texts) == []


@pytest.mark.parametrize("engine", ["regex", "oniguruma"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_scanners_cut_as_the_published_strings(name, engine):
    texts = random_texts(FUZZED, seed=2)
    assert differing(PATTERNS[name], engine, PUBLISHED[name], texts) == []


@pytest.mark.parametrize("name", TIKTOKEN)
def test_scanners_cut_as_tiktokens_own_strings(name):
    texts = random_texts(FUZZED, seed=3)
    pattern = recognise(TIKTOKEN[name], "rust")
    assert differing(pattern, "rust", TIKTOKEN[name], texts) == []


def test_tiktokens_cl100k_differs_at_the_end_of_a_text_only():
    today = recognise(TIKTOKEN["cl100k"], "rust")
    assert scan(today, "rust", ["a \n  "]) == [["a", " \n  "]]
    assert scan(PATTERNS["cl100k"], "rust", ["a \n  "]) == [["a", " \n", "  "]]
    assert scan(today, "rust", ["a \n  b"]) == scan(PATTERNS["cl100k"], "rust", ["a \n  b"])
    assert today.name is None


def test_oniguruma_reads_a_counted_possessive_as_a_repeated_group():
    official = TIKTOKEN["cl100k"]
    assert cut_by_tokenizers(official, "12345") == ["12345"]
    assert cut_by_regex(official, "12345") == ["123", "45"]
    assert scan(recognise(official, "oniguruma"), "oniguruma", ["12345"]) == [["12345"]]
    texts = random_texts(FUZZED, seed=4)
    pattern = recognise(official, "oniguruma")
    assert differing(pattern, "oniguruma", official, texts) == []


@pytest.mark.parametrize("engine", ENGINES)
@given(data=st.data())
def test_a_pattern_of_any_known_parts_is_recognised_for_what_it_is(engine, data):
    sections = (
        spelling.CONTRACTIONS,
        spelling.WORDS,
        spelling.NUMBERS,
        spelling.SYMBOLS,
        spelling.SPACES,
    )
    parts = [data.draw(st.sampled_from(list(section))) for section in sections]
    expression = "|".join(parts[data.draw(st.integers(0, 1)) :])
    for greedy, possessive in spelling._POSSESSIVE:
        if data.draw(st.booleans()):
            expression = expression.replace(greedy, possessive)
    pattern = recognise(expression, engine)
    if pattern is not None:
        texts = random_texts(20, seed=data.draw(st.integers(0, 99)))
        assert differing(pattern, engine, expression, texts) == []


KNOWN = {
    "nanochat": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
    ),
    "gpt2, first spelling": (
        r"'s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    ),
    "superbpe's baseline": (r"(?=(\d{3})+(?!\d))| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"),
    "o200k, case spelled out": PUBLISHED["o200k"].replace(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])",
    ),
    "cl100k, case spelled out": PUBLISHED["cl100k"].replace(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])",
    ),
    "superbpe's numbers": r"(?=(\d{3})+(?!\d))",
    "deepseek's numbers": r"\p{N}{1,3}",
    **PUBLISHED,
}


@pytest.mark.parametrize("engine", ["regex", "oniguruma"])
@pytest.mark.parametrize("name", KNOWN)
def test_strings_in_use_are_recognised(name, engine):
    pattern = recognise(KNOWN[name], engine)
    assert pattern is not None
    assert differing(pattern, engine, KNOWN[name], random_texts(FUZZED, seed=5)) == []


@pytest.mark.parametrize(
    "expression",
    [
        r"\s+",
        r"\w+|\S",
        PUBLISHED["cl100k"] + "|x",
        PUBLISHED["cl100k"].replace("|\\s+(?!\\S)", ""),
        # A possessive prefix keeps a mark it should give back.
        PUBLISHED["o200k"].replace(r"[^\r\n\p{L}\p{N}]?", r"[^\r\n\p{L}\p{N}]?+"),
        # Symbols that include marks, after words that do.
        PUBLISHED["qwen3.5"].replace(r"\p{M}\p{N}]+[", r"\p{N}]+["),
    ],
)
def test_other_strings_are_not_recognised(expression):
    assert all(recognise(expression, engine) is None for engine in ENGINES)


def test_recognised_patterns_have_the_name_they_go_by():
    assert recognise(PUBLISHED["cl100k"], "oniguruma") == PATTERNS["cl100k"]
    assert recognise(PUBLISHED["gpt2"], "regex") == PATTERNS["gpt2"]
    assert recognise(TIKTOKEN["gpt2"], "rust") == PATTERNS["gpt2"]
    for name in PATTERNS:
        for digits in DIGITS:
            pattern = find_pattern(name, digits)
            again = recognise(pattern.regex, "regex")
            assert again is None or again.scanner == pattern.scanner


EXAMPLES = {
    ("gpt2", "keep"): ["I", " paid", " 1234567", ",", " it", "'s", " fair"],
    ("gpt2", "single"): ["I", " paid", " ", *"1234567", ",", " it", "'s", " fair"],
    ("cl100k", "keep"): ["I", " paid", " ", "123", "456", "7", ",", " it", "'s", " fair"],
    ("cl100k", "r2l3"): ["I", " paid", " ", "1", "234", "567", ",", " it", "'s", " fair"],
    ("o200k", "l2r3"): ["I", " paid", " ", "123", "456", "7", ",", " it's", " fair"],
    ("superbpe", "keep"): ["I paid ", "1", "234", "567", ", it's fair"],
    ("superbpe", "single"): ["I paid ", *"1234567", ", it's fair"],
    ("none", "keep"): ["I paid 1234567, it's fair"],
    ("none", "l2r3"): ["I paid ", "123", "456", "7", ", it's fair"],
}


@pytest.mark.parametrize(("name", "digits"), EXAMPLES)
def test_examples(name, digits):
    text = "I paid 1234567, it's fair"
    assert scan(find_pattern(name, digits), "regex", [text]) == [EXAMPLES[name, digits]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("before", ["", " "])
@pytest.mark.parametrize(("most", "from_right"), [(1, False), (2, True), (4, False), (8, True)])
def test_groups_of_any_size_are_recognised_and_cut(most, from_right, before, engine):
    groups = spelling.number_groups(most, from_right=from_right, before=before)
    expression = PUBLISHED["gpt2"].replace(r" ?\p{N}+", groups)
    pattern = recognise(expression, engine)
    assert pattern.scanner != NO_SCANNER
    texts = random_texts(FUZZED, seed=4)
    assert differing(pattern, engine, expression, texts) == []
    own = pattern.for_engine(engine)
    assert differing(pattern, engine, own, texts[:50]) == []
    assert recognise(own, engine) == pattern


@pytest.mark.parametrize("before", ["", " "])
@pytest.mark.parametrize("size", [2, 3, 8])
def test_groups_from_the_right_are_what_they_say(size, before):
    expression = spelling.number_groups(size, from_right=True, before=before)
    for length in range(1, 20):
        run = "1234567890123456789"[:length]
        groups = [run[max(end - size, 0) : end] for end in range(length, 0, -size)][::-1]
        groups[0] = before + groups[0]
        assert cut_by_regex(expression, f"a{before}{run}b") == ["a", *groups, "b"]


CONTRACTIONS = [
    "'ſ",
    "'S",
    "'lL",
    "'l",
    "'Re",
    "'rE",
    "'k",
    "'",
    "''s",
    "'sa",
    "’s",
    " 's",
    "'ﬅ",
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", DISTINCT)
def test_contractions(name, engine):
    texts = [
        f"{before}{word}{after}"
        for word in CONTRACTIONS
        for before in ("", "a", "A", "1")
        for after in ("", "b", " ")
    ]
    pattern = PATTERNS[name]
    assert differing(pattern, engine, pattern.for_engine(engine), texts) == []


def boundaries():
    """Code points that differ in some property from a neighbour, in some engine."""
    found = set()
    for engine in ENGINES:
        table = properties(engine).tolist()
        for point, (left, right) in enumerate(pairwise(table)):
            if left != right:
                found |= {point, point + 1}
    return sorted(found)


def in_context(points):
    """Each code point in `CONTEXT`, eight to a text."""
    characters = [chr(point) for point in points if not 0xD800 <= point < 0xE000]
    written = [CONTEXT.format(character) for character in characters]
    return ["".join(written[start : start + 8]) for start in range(0, len(written), 8)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["gpt2", "cl100k", "o200k"])
def test_code_points_at_the_edges_of_classes(name, engine):
    texts = in_context(boundaries()[:: 1 if FUZZED > 400 else 7])
    pattern = PATTERNS[name]
    assert differing(pattern, engine, pattern.for_engine(engine), texts) == []


@pytest.mark.slow
@pytest.mark.skipif("TOKKIT_EXHAUSTIVE" not in os.environ, reason="takes half an hour")
@pytest.mark.parametrize("engine", ENGINES)
def test_every_code_point_in_context(engine):
    for start in range(0, SIZE, 1 << 14):
        texts = in_context(range(start, start + (1 << 14)))
        for pattern in map(PATTERNS.__getitem__, DISTINCT):
            assert differing(pattern, engine, pattern.for_engine(engine), texts) == []


@pytest.mark.parametrize(
    ("request_", "digits", "message"),
    [
        ("cl100", "keep", "no pattern 'cl100'; known: gpt2"),
        ("gpt-2", "keep", "no pattern 'gpt-2'"),
        ("", "keep", "no pattern ''"),
        ("(a", "keep", "malformed"),
        (r"\p{Nope}+", "keep", "malformed"),
        (r"\w+|\W+", "r2l3", "needs a named pattern"),
    ],
)
def test_what_is_no_pattern_is_refused_with_a_reason(request_, digits, message):
    with pytest.raises(PatternError, match=regex.escape(message)):
        find_pattern(request_, digits)


def test_a_regular_expression_of_ones_own():
    pattern = find_pattern(r"\w+|\s+")
    assert (pattern.name, pattern.scanner) == (None, NO_SCANNER)
    assert {pattern.for_engine(engine) for engine in ENGINES} == {r"\w+|\s+"}


def test_a_known_regular_expression_takes_another_rule_for_numbers():
    expression = PUBLISHED["gpt2"].replace("|'d", "|'d").replace(r" ?\p{N}+", r"\p{N}{1,2}")
    pattern = find_pattern(expression, "r2l3")
    assert pattern.name is None or pattern == find_pattern("gpt2", "r2l3")
    assert scan(pattern, "regex", ["a 1234"]) == [["a", " ", "1", "234"]]
