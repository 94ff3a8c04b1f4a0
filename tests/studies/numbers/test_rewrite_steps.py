"""Rules for numbers inside pre-tokenizers, run by `tokenizers`."""

import json

import pytest

from tests.formats.families import DEEPSEEK, byte_level, metaspace, pre_sequence, split
from tokkit.normalize import foreign_component
from tokkit.studies.numbers.rewrite_pattern import parse_grouping
from tokkit.studies.numbers.rewrite_steps import regroup_steps

DIGITS = {"type": "Digits", "individual_digits": True}
FALCON = (
    {"type": "Punctuation", "behavior": "Contiguous"},
    byte_level(regex=True),
    {"type": "Digits", "individual_digits": False},
    split("[0-9][0-9][0-9]"),
)
TEXT = "It's 1234567,x89 12"
PIECES = {
    "gpt2": (byte_level(regex=True), "It|'s|Ġ1|234|567|,|x|89|Ġ12"),
    "roberta": (byte_level(prefix=True, regex=True), "ĠIt|'s|Ġ1|234|567|,|x|89|Ġ12"),
    "starcoder": (
        pre_sequence(DIGITS, byte_level(regex=True)),
        "It|'s|Ġ|1|234|567|,|x|89|Ġ|12",
    ),
    "digits behind": (
        pre_sequence(byte_level(regex=True), DIGITS),
        "It|'s|Ġ|1|234|567|,|x|89|Ġ|12",
    ),
    "falcon": (pre_sequence(*FALCON), "It|'|s|Ġ|1|234|567|,|x|89|Ġ|12"),
    "deepseek": (pre_sequence(*DEEPSEEK, byte_level()), "It|'s|Ġ|1|234|567|,x|89|Ġ|12"),
    "superbpe": (
        pre_sequence(
            {"type": "Digits", "individual_digits": False},
            split(r"(?=(\d{3})+(?!\d))"),
            byte_level(),
        ),
        "It'sĠ|1|234|567|,x|89|Ġ|12",
    ),
    "inverted": (
        pre_sequence(split(r"\p{N}{1,3}|[^\p{N}]+", "Removed", invert=True), byte_level()),
        "It'sĠ|1|234|567|,x|89|Ġ|12",
    ),
    "metaspace": (metaspace("always"), "▁It's|▁1|234|567|,x|89|▁12"),
    "bytes uncut": (byte_level(), "It's|Ġ1|234|567|,x|89|Ġ12"),
    "bytes first": (pre_sequence(byte_level(), split("x")), "It's|Ġ1|234|567|,|x|89|Ġ12"),
    "nothing": (None, "It's |1|234|567|,x|89| |12"),
}


def cut(settings, text):
    component = foreign_component(pre_tokenizer=settings).pre_tokenizer
    return [piece for piece, _ in component.pre_tokenize_str(text)]


def written(settings):
    """Write settings as the library does."""
    return json.loads(foreign_component(pre_tokenizer=settings).to_str())["pre_tokenizer"]


@pytest.mark.parametrize("name", PIECES)
def test_every_kind_of_step_is_changed_where_it_stands(name):
    settings, pieces = PIECES[name]
    space = {"metaspace": "▁", "nothing": ""}.get(name, " ")
    new, changes = regroup_steps(written(settings), parse_grouping("r2l3"), space)
    assert cut(new, TEXT) == pieces.split("|")
    assert all(change.after for change in changes)
    again, _ = regroup_steps(written(new), parse_grouping("r2l3"), space)
    assert cut(again, TEXT) == pieces.split("|")
    assert cut(new, "It's so, x!") == cut(settings or split("(?!)"), "It's so, x!")


def test_numbers_that_bytes_look_like_are_left_alone():
    r"""In the byte-level alphabet ``²`` is the byte B2, as in ``ò`` (C3 B2)."""
    settings = written(pre_sequence(byte_level(), split("x")))
    new, _ = regroup_steps(settings, parse_grouping("single"), " ")
    assert cut(new, "pò") == cut(settings, "pò")
    again, _ = regroup_steps(None, parse_grouping("single"), "", is_bytes=True)
    assert cut(again, "Ã²") == ["Ã²"]
