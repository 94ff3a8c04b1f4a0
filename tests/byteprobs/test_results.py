"""What is found about bytes, as people see it."""

import numpy as np
import pytest

from tokkit.byteprobs.results import END, Leaks, NextByte
from tokkit.byteprobs.spelling import spell
from tokkit.visible import spell_bytes


@pytest.fixture
def after_cafe():
    """Of the byte after half an é: it is completed, or something else."""
    probs = np.zeros(END + 1)
    probs[[0xA9, 0xA8, END]] = 0.5, 0.3, 0.2
    with np.errstate(divide="ignore"):
        logprobs = np.log(probs)
    return NextByte(logprobs, -1.0, "renorm", "pairs", True, Leaks(), prefix=b"caf\xc3")


def test_a_frame_has_the_likeliest_outcomes_first(after_cafe):
    frame = after_cafe.frame(3)
    assert list(frame.columns) == ["outcome", "text", "probability", "logprob"]
    assert frame["outcome"].tolist() == [0xA9, 0xA8, END]
    assert frame["text"].tolist() == ["é", "è", "end of text"]
    assert frame["probability"].tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert len(after_cafe.frame()) == END + 1


def test_it_is_shown_in_a_line_and_in_a_notebook_as_a_table(after_cafe):
    assert repr(after_cafe).startswith("NextByte({'é': 0.5, 'è': 0.3, 'end of text': 0.2, ")
    assert len(repr(after_cafe)) < 120
    assert "<td>é</td>" in after_cafe._repr_html_()


@pytest.mark.parametrize(
    ("outcome", "prefix", "written"),
    [
        (ord("a"), b"", "a"),
        (ord(" "), b"", "␠"),
        (10, b"", "\\n"),
        (0xE2, b"", "<E2>"),
        (0xA9, b"", "<A9>"),
        (0xA9, b"caf\xc3", "é"),
        (7, b"", "\\x07"),
    ],
)
def test_every_outcome_can_be_seen(outcome, prefix, written):
    assert spell(outcome, prefix) == written


def test_tokens_can_be_seen():
    assert spell_bytes(b" the\n\xe2\x82") == "␠the\\n<E2><82>"
