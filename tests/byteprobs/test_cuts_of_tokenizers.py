"""Where pieces can begin in the texts of whole tokenizers, real ones among them."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings

from tests.byteprobs.cutting import (
    accepted,
)
from tests.formats.families import FAMILIES
from tests.strategies import texts
from tokkit.added import AddedTokens
from tokkit.canonical.cuts import build_cuts, find_lead
from tokkit.errors import PatternError
from tokkit.formats import load
from tokkit.pretokenize import Pieces

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
