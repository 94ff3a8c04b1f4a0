"""Audits of real vocabularies against published counts; rules against their definition."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokkit
from tests.formats.families import FAMILIES
from tokkit.formats.huggingface import build
from tokkit.studies.numbers.audit import audit_numbers, draw_numbers
from tokkit.studies.numbers.audit_cuts import Reader, judge, show_cut, spell, spell_short

SOURCES = {
    "gpt2": "hf/gpt2",
    "cl100k": "hf/cl100k",
    "superbpe": "superbpe_180k_200k",
    "llama2": "llama2/tokenizer.model",
    "xlmr": "focus_de_xlmr-unigram-50k",
}


@pytest.fixture(scope="session")
def audit(shared):
    loaded = {name: tokkit.load(shared / "tokenizers" / path) for name, path in SOURCES.items()}
    return audit_numbers(loaded, widths=9, samples=200)


@pytest.fixture(scope="session")
def said(audit):
    """What the audit says in JSON, by tokenizer."""
    document = json.loads(json.dumps(audit.as_json()))
    return {each["tokenizer"]: each for each in document["tokenizers"]}


def width(said, name, digits, form="alone"):
    return next(
        row for row in said[name]["widths"] if (row["width"], row["form"]) == (digits, form)
    )


def test_published_counts_of_gpt2(said):
    """What is known of r50k_base: splits of 000-999 and 1000-9999, digits that are tokens."""
    assert width(said, "gpt2", 3)["patterns"] == {"3": 777, "1+2": 173, "2+1": 50}
    four = width(said, "gpt2", 4)["integers"]
    assert four == {"2+2": 5807, "1+3": 2538, "3+1": 538, "4": 88, "1+2+1": 29}
    assert list(said["gpt2"]["digit_tokens"]["alone"].values()) == [
        *(10, 100, 777, 94, 6, 2, 1, 3, 1),
    ]
    assert sum(said["gpt2"]["digit_tokens"]["after a space"].values()) == 697
    assert said["gpt2"]["examples"]["1234567"] == "123|45|67"
    assert said["gpt2"]["formats"]["commas"]["tokens"] == ["1", ",", "234", ",", "5", "67"]


def test_published_counts_of_cl100k(said):
    assert width(said, "cl100k", 3)["patterns"] == {"3": 1000}
    assert width(said, "cl100k", 4)["integers"] == {"3+1": 9000}
    assert said["cl100k"]["digit_tokens"]["alone"] == {"1": 10, "2": 100, "3": 1000}
    assert said["cl100k"]["formats"]["commas"]["tokens"] == ["1", ",", "234", ",", "567"]


@pytest.mark.parametrize(
    ("name", "verdict", "size"),
    [
        ("gpt2", "mixed", 9),
        ("cl100k", "left-to-right", 3),
        ("superbpe", "right-to-left", 3),
        ("llama2", "single", 1),
        ("xlmr", "mixed", 4),
    ],
)
def test_each_kind_of_tokenizer_is_told(said, name, verdict, size):
    rule = said[name]["rules"]["alone"]
    assert rule["verdict"] == verdict
    assert name == "gpt2" or rule["size"] == size
    assert name == "gpt2" or said[name]["rules"]["after a space"] == rule


def test_widths_of_whole_groups_fit_both_rules(said):
    rules = {row["width"]: row for row in said["cl100k"]["widths"] if row["form"] == "alone"}
    assert [rules[n]["verdict"] for n in (2, 3, 4, 6, 7)] == [
        *("whole", "whole", "left-to-right", "either", "left-to-right"),
    ]
    assert (rules[7]["from_left"], rules[7]["from_right"]) == (1.0, 0.0)
    assert rules[6]["from_left"] == rules[6]["from_right"] == 1.0
    assert (rules[7]["mean_tokens"], rules[7]["n"], rules[7]["exhaustive"]) == (3.0, 200, False)
    assert (rules[4]["n"], rules[4]["exhaustive"]) == (10_000, True)


def test_numbers_whose_digits_are_lost_do_not_count_as_no_tokens(tmp_path):
    vocab = {"[UNK]": 0, **{str(number): number + 1 for number in range(10)}, "12": 11}
    content = {
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"},
        "pre_tokenizer": {"type": "Whitespace"},
    }
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content))
    audit = audit_numbers({"words": tokkit.load(path)}, widths=3)
    means = [row.mean_tokens for row in audit.tokenizers[0].widths if row.form == "alone"]
    assert means == [1.0, 1.0, None]


def test_contexts_tell_whether_a_space_is_part_of_a_number(said):
    assert said["cl100k"]["contexts"]["after a space"]["same"] == 300
    there = said["gpt2"]["contexts"]["after a space"]
    assert there["n"] == 300
    assert 0 < there["same"] < 300
    assert there["example"]
    assert said["gpt2"]["contexts"]["after a comma"]["same"] == 300


def test_integers_and_problems_are_counted_by_brute_force(shared, said):
    tokenizer = tokkit.load(shared / "tokenizers" / SOURCES["gpt2"])
    # Digits in one token after a space, with the space or without: one or two tokens.
    single = [
        tokenizer.encode(f" {number}").size == 1
        or tokenizer.vocab.tokens[tokenizer.encode(f" {number}")[-1]] == b"%d" % number
        for number in range(199)
    ]
    pairs = [(a, b) for a in range(100) for b in range(100)]
    problems = {
        (row["form"], row["operation"], row["width"]): row for row in said["gpt2"]["problems"]
    }
    sums = sum(single[a] and single[b] and single[a + b] for a, b in pairs)
    assert problems["after a space", "+", 2]["tokens"] == sums
    differences = [single[a] and single[b] and single[a - b] for a, b in pairs if a >= b]
    row = problems["after a space", "-", 2]
    assert (row["tokens"], row["of"]) == (sum(differences), len(differences))
    integers = {(row["form"], row["width"]): row for row in said["gpt2"]["integers"]}
    assert (integers["alone", 3]["tokens"], integers["alone", 3]["of"]) == (719, 900)


def test_frames_hold_what_the_json_does(audit, said):
    frames = audit.frames
    patterns = frames["patterns"].query(
        "tokenizer == 'gpt2' and form == 'alone' and width == 4"
    )
    assert dict(zip(patterns["pattern"], patterns["integers"], strict=True))["2+2"] == 5807
    assert patterns["share"].sum() == pytest.approx(1)
    assert len(frames["widths"]) == 5 * 2 * 9
    dates = frames["formats"].query("tokenizer == 'cl100k' and name == 'date'")
    assert dates["tokens"].tolist() == ["202|4|-|01|-|31"]
    assert set(frames) == {
        *("widths", "patterns", "contexts", "formats", "digit_tokens", "integers", "problems"),
    }


def test_the_same_numbers_are_drawn_again(audit):
    assert draw_numbers(6, 50, 3) == draw_numbers(6, 50, 3)
    assert draw_numbers(6, 50, 3)[6] != draw_numbers(6, 50, 4)[6]
    assert draw_numbers(2, 50, 0)[2] == [f"{number:02}" for number in range(100)]


cuts = st.lists(st.integers(1, 4), min_size=1, max_size=6).map(tuple)


@given(st.lists(cuts, min_size=1, max_size=5), st.integers(2, 5))
def test_a_rule_is_judged_as_it_is_defined(found, size):
    def respects(cut, offset):
        """Every place with a multiple of `size` digits up to it, or from it on, is cut."""
        width, places = sum(cut), set(np.cumsum(cut).tolist())
        return all(
            place in places for place in range(1, width) if (place - offset(width)) % size == 0
        )

    left = all(respects(cut, lambda width: 0) for cut in found)
    right = all(respects(cut, lambda width: width) for cut in found)
    verdict, _ = judge(found, size)
    if not all(len(cut) == 1 for cut in found):
        both = "either" if any(sum(cut) > size for cut in found) else "mixed"
        names = {(1, 1): both, (1, 0): "left-to-right", (0, 1): "right-to-left"}
        assert verdict == names.get((left, right), "mixed")


def test_groups_that_are_cut_further_still_are_groups():
    assert judge([(1, 3, 3), (1, 2, 1, 3), (3,), (2, 1)]) == ("right-to-left", 3)
    assert judge([(3, 1), (1, 2, 1)]) == ("left-to-right", 3)
    assert judge([(1, 2), (3,), (2, 1)])[0] == "mixed"


def test_other_verdicts():
    assert judge([(1, 1), (1,)]) == ("single", 1)
    assert judge([(7,), (2,)]) == ("whole", 7)
    assert judge([(1,), ()])[0] == judge([])[0] == "unknown"


def test_cuts_as_people_read_them():
    assert spell((1, 3, 3)) == "1+3+3"
    assert spell_short((1, 3, 3, 3, 3, 2)) == "1+4×3+2"
    assert show_cut("12345", (2, 3)) == "12|345"
    assert spell(()) == show_cut("1", ()) == "?"


@cache
def reader():
    """Reads a small tokenizer that cuts no text, so that tokens reach beyond numbers."""
    return Reader.of(build(FAMILIES["no cut"]()))


runs = st.text("0123456789", min_size=1, max_size=12)


@given(runs, st.sampled_from(["1{}", "{}.5", "a{}b7"]))
def test_digits_around_a_number_are_not_its_own(number, context):
    tokenizer = reader().tokenizer
    (cut,) = reader().cuts([number], context)
    assert sum(cut) == len(number)
    text = context.replace("{}", number)
    start = context.index("{}")
    ends = set(np.array(tokenizer.spans(text))[:, 1].tolist())
    inside = {start + end for end in np.cumsum(cut)[:-1].tolist()}
    assert inside == {end for end in ends if start < end < start + len(number)}
