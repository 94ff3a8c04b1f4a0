"""Cutting pieces further: scanners, regular expressions, and one after the other."""

import gzip
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from tokenizers import Regex as Expression
from tokenizers import pre_tokenizers

from tests.reference.patterns import random_texts
from tests.strategies import byte_strings
from tokkit.alphabet import from_byte_level
from tokkit.errors import PatternError
from tokkit.kernels import codes
from tokkit.patterns import PATTERNS, Pattern, find_pattern, recognise
from tokkit.pretokenize import (
    Pieces,
    Regex,
    Scanner,
    Sequence,
    Whole,
    for_pattern,
    isolate_numeric,
)
from tokkit.vocab import flatten


def cut(pretokenizer, *pieces):
    return pretokenizer.split(Pieces(*flatten(pieces))).as_bytes()


def cut_by_hugging_face(step, texts):
    return [piece.encode() for text in texts for piece, _ in step.pre_tokenize_str(text)]


def test_pieces_of_a_text():
    assert Pieces.of(b"ab").as_bytes() == [b"ab"]
    assert Pieces.of(b"").as_bytes() == []
    assert Pieces.of(b"").ends.dtype == np.int64


def test_nothing_is_cut_without_a_pattern():
    assert cut(Whole(), b"a b", b"", b"c") == [b"a b", b"c"]
    assert for_pattern(PATTERNS["none"]) == Whole()


def test_every_piece_is_cut_as_if_it_were_a_text_of_its_own():
    scanner = Scanner(PATTERNS["gpt2"])
    assert cut(scanner, b"a  ", b"b") == [b"a", b"  ", b"b"]
    assert cut(scanner, b"a  b") == [b"a", b" ", b" b"]
    assert cut(Regex(PATTERNS["gpt2"]), b"a  ", b"", b"b") == [b"a", b"  ", b"b"]


def test_a_sequence_cuts_what_its_first_part_has_cut():
    parts = (Regex(find_pattern("(?<=b)(?=a)")), Regex(find_pattern("^a|c$")))
    assert cut(Sequence(parts), b"abab", b"", b"cac") == [b"a", b"b", b"a", b"b", b"ca", b"c"]


def test_what_lies_between_matches_is_a_piece():
    assert cut(Regex(find_pattern(r"\d+")), b"ab12c3") == [b"ab", b"12", b"c", b"3"]


def test_an_empty_match_cuts():
    assert cut(Regex(find_pattern(r"(?=x)")), "éxßx".encode()) == [
        "é".encode(),
        "xß".encode(),
        b"x",
    ]


def test_offsets_count_bytes_and_not_characters():
    text = "aé日😀b"
    assert cut(Regex(find_pattern(r"(?s:.)")), text.encode()) == [c.encode() for c in text]


def test_each_malformed_byte_is_a_symbol_of_its_own():
    data = b"a\xe2\x82 \xff\xffb1\xf0\x9f"
    expected = [b"a", b"\xe2\x82", b" \xff\xff", b"b", b"1", b"\xf0\x9f"]
    assert cut(Scanner(PATTERNS["gpt2"]), data) == expected
    assert cut(Regex(PATTERNS["gpt2"]), data) == expected
    assert cut(Regex(find_pattern(r"(?s:.)")), b"\xe2\x82") == [b"\xe2", b"\x82"]


def test_a_malformed_expression_is_refused():
    with pytest.raises(PatternError, match="malformed"):
        cut(Regex(Pattern(None, "keep", "(")), b"a")


def test_an_expression_without_a_scanner_goes_to_the_library():
    pattern = find_pattern(r"\w+|\W")
    assert for_pattern(pattern) == Regex(pattern)
    with pytest.raises(PatternError, match="no scanner"):
        Scanner(pattern)


@pytest.mark.parametrize("name", PATTERNS)
@given(data=byte_strings())
def test_nothing_is_lost_and_scanner_and_library_agree(name, data):
    scanned = cut(for_pattern(PATTERNS[name], "regex"), data)
    assert b"".join(scanned) == data
    assert b"" not in scanned
    assert scanned == cut(Regex(PATTERNS[name]), data)


@pytest.mark.parametrize("part", [Scanner(PATTERNS["gpt2"]), Regex(PATTERNS["gpt2"]), Whole()])
def test_pretokenizers_travel_to_other_processes(part):
    cut(part, b"a b")
    assert pickle.loads(pickle.dumps(part)) == part


@pytest.mark.parametrize("individual", [False, True])
def test_numeric_characters_are_isolated_as_hugging_face_does(individual):
    texts = [*random_texts(400, seed=1), "①², ४𐄇 1½", "\U00010eff𖭐9"]
    step = pre_tokenizers.Digits(individual_digits=individual)
    found = cut(isolate_numeric(individual), *(text.encode() for text in texts))
    assert found == cut_by_hugging_face(step, texts)


def test_byte_level_cuts_as_gpt2_does():
    texts = random_texts(400, seed=2)
    step = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    expected = [from_byte_level(p) for text in texts for p, _ in step.pre_tokenize_str(text)]
    assert cut(Scanner(PATTERNS["gpt2"]), *(text.encode() for text in texts)) == expected


BASELINE = r"(?=(\d{3})+(?!\d))| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


@pytest.mark.parametrize("expression", [r"(?=(\d{3})+(?!\d))", BASELINE])
def test_the_steps_of_superbpes_published_tokenizers(expression):
    texts = [*random_texts(400, seed=3), "1234567 ²²²², ½12345", "a123456b", "٣٤٥٦"]
    step = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=False),
            pre_tokenizers.Split(Expression(expression), "isolated"),
        ]
    )
    ours = Sequence((isolate_numeric(False), Scanner(recognise(expression, "oniguruma"))))
    found = cut(ours, *(text.encode() for text in texts))
    assert found == cut_by_hugging_face(step, texts)


def test_superbpe_in_one_go_is_its_two_steps():
    texts = [text.encode() for text in random_texts(400, seed=4)]
    step = codes.NUMBERS | codes.THOUSANDS << codes.NUMBER_SHIFT
    runs = Scanner(find_pattern(r"\p{N}+"))
    two = Sequence((runs, Scanner(Pattern(None, "keep", "", step))))
    assert cut(Scanner(PATTERNS["superbpe"]), *texts) == cut(two, *texts)


@pytest.mark.parametrize("name", ["gpt2", "cl100k", "o200k", "superbpe-stage2"])
def test_real_text_in_many_languages(shared, name):
    with gzip.open(shared / "corpora" / "parallel_fastapi.jsonl.gz", "rt", "utf-8") as file:
        texts = [text for line in list(file)[:6] for text in json.loads(line)["text"].values()]
    step = pre_tokenizers.Split(Expression(PATTERNS[name].for_engine("oniguruma")), "isolated")
    found = cut(Scanner(PATTERNS[name]), *(text.encode() for text in texts))
    assert found == cut_by_hugging_face(step, texts)
