import pytest
from tokenizers import Regex, pre_tokenizers

from tests.transplant.folders import byte_level, write
from tokkit import load
from tokkit.transplant.settings.numbers import compare_digits, describe_digits

TWO = [(a, b) for a in "0123456789" for b in "0123456789"]
LEFT = [("".join(pair), digit) for pair in TWO for digit in "0123456789"]
THREE = [*LEFT, *((digit, "".join(pair)) for pair in TWO for digit in "0123456789")]


@pytest.fixture
def make(tmp_path):
    def cut(pattern, merges=()):
        tokenizer = byte_level(("<s>",), merges)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pattern), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        return describe_digits(load(write(tmp_path / "tokenizer", tokenizer)))

    return cut


def test_single_digits(make):
    assert make(r"\p{N}") == {
        "scheme": "single digits",
        "longest": 1,
        "three_digits": 0.0,
        "example": "1|2|3|4|5|6|7",
    }


def test_groups_from_the_left(make):
    found = make(r"\p{N}{1,3}", [*TWO, *THREE])
    assert found["scheme"] == "groups of 3 from the left"
    assert (found["three_digits"], found["example"]) == (1.0, "123|456|7")


def test_groups_from_the_right(make):
    found = make(r"(?=(\d{3})+(?!\d))", [*TWO, *THREE])
    assert found["scheme"] == "groups of 3 from the right"
    assert found["example"] == "1|234|567"


def test_some_tokens_of_two_digits_are_mixed(make):
    found = make(r"\p{N}+", TWO[::3])
    assert found["scheme"] == "mixed"
    assert found["longest"] == 2


def test_other_cutting_is_warned_of(make):
    single, triple = make(r"\p{N}"), make(r"\p{N}{1,3}", [*TWO, *THREE])
    assert compare_digits(single, single) is None
    warning = compare_digits(single, triple)
    assert "single digits before (1|2|3|4|5|6|7), groups of 3 from the left now" in warning


def test_real_tokenizers(real):
    def told(name):
        found = describe_digits(real(name))
        return found["scheme"], found["longest"], found["three_digits"]

    assert told("llama2") == ("single digits", 1, 0.0)
    assert told("llama3") == ("groups of 3 from the left", 3, 1.0)
    scheme, longest, share = told("gpt2")
    assert (scheme, longest) == ("mixed", 16)
    assert 0.4 < share < 1
