"""Checking what was written: differences are found, and traps of AutoTokenizer named."""

import json
from dataclasses import replace

import pytest

from tests.formats.families import FAMILIES
from tokkit.errors import CheckError
from tokkit.formats import load
from tokkit.formats.check import AWKWARD, awkward_texts, check_hf, compare
from tokkit.pretokenize import Whole


@pytest.fixture(params=["llama3", "superbpe", "llama2", "xlm-r", "bert"])
def folder(request, tmp_path):
    (tmp_path / "tokenizer.json").write_text(json.dumps(FAMILIES[request.param]()))
    config = {"tokenizer_class": "PreTrainedTokenizerFast"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    return tmp_path


def test_a_right_folder_passes(folder):
    check_hf(folder, load(folder))


def test_a_difference_is_told_with_text_and_both_ids(folder):
    tokenizer = load(folder)
    tokens = tokenizer.vocab.tokens
    other = replace(
        tokenizer,
        segmenter=Shifted(tokenizer.segmenter, len(tokens)),
    )
    with pytest.raises(CheckError, match=r"to tokkit '.*' is \[.*\] and not \[.*\].*from_file"):
        check_hf(folder, other)


class Shifted:
    """A segmenter whose every id is one too high."""

    def __init__(self, inner, size):
        self.inner = inner
        self.size = size

    def segment(self, pieces):
        ids, ends = self.inner.segment(pieces)
        return (ids + 1) % self.size, ends


@pytest.mark.parametrize("model_type", ["qwen2", "llama"])
def test_auto_tokenizers_trap_is_named_with_the_way_out(tmp_path, model_type):
    content = FAMILIES["superbpe"]()
    content["added_tokens"] = []
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"})
    )
    tokenizer = load(tmp_path)
    if model_type == "llama":
        check_hf(tmp_path, tokenizer)
        return
    transformers = pytest.importorskip("transformers")
    auto = transformers.AutoTokenizer.from_pretrained(tmp_path)
    fast = transformers.PreTrainedTokenizerFast.from_pretrained(tmp_path)
    text = "a 1234567"
    if auto.encode(text) == fast.encode(text):
        pytest.skip("this version of transformers has no such trap")
    with pytest.raises(CheckError, match=r"AutoTokenizer.*load the tokenizer with PreTrained"):
        check_hf(tmp_path, tokenizer)


def test_comparing_stops_at_the_first_difference():
    tokenizer = FamilyTokenizer.make()
    seen = []

    def encode(text):
        seen.append(text)
        return [] if text == "b" else tokenizer.encode(text).tolist()

    mismatch = compare(tokenizer, encode, ["a", "b", "c"])
    assert mismatch is not None
    assert (mismatch.text, list(mismatch.theirs), seen) == ("b", [], ["a", "b"])
    assert compare(tokenizer, lambda text: tokenizer.encode(text), ["a", "c"]) is None


class FamilyTokenizer:
    @staticmethod
    def make():
        from tokkit.formats.huggingface import build

        return build(FAMILIES["gpt2"]())


def test_texts_are_the_same_every_time_and_hold_the_specials():
    tokenizer = FamilyTokenizer.make()
    texts = awkward_texts(tokenizer)
    assert texts == awkward_texts(tokenizer)
    assert set(AWKWARD) <= set(texts)
    assert "a<|end|>b" in texts
    assert len(texts) == len(set(texts))


def test_a_tokenizer_of_one_piece_is_different_on_awkward_text(folder):
    tokenizer = load(folder)
    if isinstance(tokenizer.pretokenizer, Whole) or tokenizer.first_pretokenizer:
        pytest.skip("it does not cut text anyway")
    with pytest.raises(CheckError):
        check_hf(folder, replace(tokenizer, pretokenizer=Whole()))
