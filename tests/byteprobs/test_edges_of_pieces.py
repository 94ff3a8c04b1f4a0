"""Tokens out of reach, and cuts that later text can still change."""

import pytest

from tests.byteprobs.builders import byte_bpe, longest
from tests.byteprobs.edges import ONLY_CANONICAL, after, require_all
from tests.byteprobs.families import FAMILIES
from tests.byteprobs.models import random_model
from tests.byteprobs.test_exact import SEGMENTATIONS, byte_lm, enumerated, require_next
from tests.formats.families import CL100K, GPT2, O200K, QWEN2, split

# ------------------------------------------------------------------ tokens out of reach


def test_a_token_that_no_merge_reaches_never_comes_first(tmp_path):
    family = FAMILIES["unreachable"](tmp_path, 0)
    assert b"aaa" in family.tokens
    assert b"aaa" not in after(family)
    assert after(family, b"aa") == {b"aa", b"a", b"b"}
    assert after(family, b"a") == {b"b"}, "two single a would have merged"
    require_all(family, ["aaa", "aaab", "baaa", "a"])


def test_ignored_merges_give_whole_pieces_their_token(tmp_path):
    family = byte_bpe(
        tmp_path,
        0,
        "ab ",
        merges=[(b"a", b"a"), (b"a", b"aa")],
        pre=split(GPT2),
        ignore_merges=True,
        reach=2,
    )
    assert b"aaa" in after(family)
    assert after(family, b"aaa") == {b" "}, "the piece ends with its token"
    assert after(family, b"aa", b"a") == {b"b"}, "aaa alone would have been one token"
    require_all(family, ["aaa", "aaab", "aaa a", "aaaa"])


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
def test_tokens_that_spell_the_same(segmentation, tmp_path):
    family = longest(tmp_path, 3, twice=True)
    double = {data for data in family.tokens if data and family.tokens.count(data) > 1}
    assert double
    lm = byte_lm(random_model(family), segmentation)
    oracle = enumerated(family, lm.model, segmentation)
    for data in double:
        require_next(lm, family, oracle, data[:1])
    counted = {token for token in oracle._step(())[0] if family.tokens[token] in double}
    assert len(counted) == (2 if segmentation == "all" else 1) * len(double)


# ------------------------------------------------------------------ cuts that wait for text


@pytest.mark.parametrize("pattern", [GPT2, CL100K, O200K, QWEN2])
def test_white_space(pattern, tmp_path):
    for alphabet, texts in (
        ("a \t", ["a  ", "  ", "a \t", "\t\ta", "   a", " \t "]),
        ("a \n", ["\n \n", "a \n", " \n \n", "\n\n", "a\n ", "  \n  a"]),
    ):
        for seed in range(2):
            family = byte_bpe(
                tmp_path, seed, alphabet, name="spaces", pre=split(pattern), reach=3, longest=3
            )
            require_all(family, texts)


def test_the_last_space_goes_with_the_word(tmp_path):
    family = byte_bpe(
        tmp_path, 0, "a ", merges=[(b" ", b" "), (b" ", b"a")], pre=split(GPT2), reach=3
    )
    # Before a word, of two spaces the first stands alone; two make a token at the end only.
    assert after(family, b"a", b" ") == {b" a"}
    # With three, two stand alone; with more, at the end of a text, tokens of two are cut.
    assert after(family, b"a", b"  ") == {b" a", b" ", b"  "}
    assert after(family, b"a", b"  ", b" ") == {b" a"}
    require_all(family, ["a  ", "a   ", "a  a"])


@pytest.mark.parametrize(
    ("pattern", "alphabet", "texts"),
    [
        (GPT2, "Iv'e", ["I'v", "I'", "I've", "I'vI"]),
        (GPT2, "dont'", ["don'", "don't", "n'", "''t"]),
        (GPT2, "a'Ss", ["'S", "a's", "a'S", "'s"]),
        (CL100K, "a'Ss", ["'S", "a's", "a'S", "'s"]),
        (CL100K, "l'La", ["a'l", "a'L", "'lL", "'la"]),
        (O200K, "aA'S", ["a'S", "A'", "'S", "aA'"]),
        (QWEN2, "Iv'e", ["I'v", "I'", "I've"]),
    ],
)
def test_contractions(pattern, alphabet, texts, tmp_path):
    for seed in range(2):
        family = byte_bpe(
            tmp_path, seed, alphabet, name="contractions", pre=split(pattern), reach=3
        )
        require_all(family, texts)


@pytest.mark.parametrize("name", ["llama3", "qwen2", "gpt2", "thousands", "r2l"])
def test_runs_of_digits(name, tmp_path):
    patterns = {"llama3": CL100K, "qwen2": QWEN2, "gpt2": GPT2}
    patterns["r2l"] = r"\d{1,3}(?=(?:\d{3})*(?!\d))|\D+"
    patterns["thousands"] = r"(?=(\d{3})+(?!\d))"
    merges = [(b"1", b"1"), (b"11", b"1"), (b"a", b"1")]
    family = byte_bpe(
        tmp_path, 0, "1a", name=name, merges=merges, pre=split(patterns[name]), reach=4
    )
    require_all(family, ["1" * count for count in range(1, 8)], ONLY_CANONICAL)
    require_all(family, ["1", "11", "111", "1111", "a1111"])


def test_groups_of_digits_from_the_right_wait_for_the_end(tmp_path):
    merges = [(b"1", b"1"), (b"11", b"1")]
    pre = split(r"(?=(\d{3})+(?!\d))")
    family = byte_bpe(tmp_path, 0, "1a", merges=merges, pre=pre, reach=4)
    # A group of one or two is only ever the first.
    assert after(family, b"1") == {b"111", b"a"}
    assert after(family, b"11") == {b"111", b"a"}
    assert after(family, b"111") == {b"111", b"a"}


def test_tokens_across_white_space(tmp_path):
    merges = [(b"a", b" "), (b"a ", b"b"), (b"b", b" ")]
    family = byte_bpe(tmp_path, 0, "ab ", merges=merges)
    assert b"a b" in after(family)
    assert after(family, b"a ").isdisjoint({b"b", b"b "})
    require_all(family, ["a", "a ", "a b", "b a ", " a"])
