import subprocess
import sys

import pytest

from tests.transplant.folders import (
    BERT,
    CHATML,
    GEMMA,
    LLAMA_2,
    LLAMA_3,
    PHI_3,
    PHI_3_PLAIN,
    XLM_R,
    byte_level,
    write,
)
from tokkit import load
from tokkit.transplant.settings.roles import (
    INPUT,
    STAND_INS,
    USUAL,
    find_roles,
    match_roles,
    match_texts,
    texts_of,
)


@pytest.fixture
def family(tmp_path):
    def make(specials, config=None, *, plain=(), name="tokenizer"):
        return load(write(tmp_path / name, byte_level(specials, plain=plain), config))

    return make


def named(tokenizer, *arguments):
    return texts_of(tokenizer, find_roles(tokenizer, *arguments))


def test_bare_llama_2_is_told_by_how_it_is_written(family):
    assert named(family(LLAMA_2)) == {
        "bos": "<s>",
        "eos": "</s>",
        "end_of_text": "</s>",
        "unk": "<unk>",
    }


def test_chat_llama_3_ends_turns_and_texts_with_different_tokens(family):
    roles = named(family(LLAMA_3, {"eos_token": "<|eot_id|>"}))
    assert roles["eos"] == roles["end_of_turn"] == "<|eot_id|>"
    assert roles["end_of_text"] == "<|end_of_text|>"
    assert roles["bos"] == "<|begin_of_text|>"
    assert roles["pad"] == "<|finetune_right_pad_id|>"
    assert roles["start_header"] == "<|start_header_id|>"
    assert roles["end_of_message"] == "<|eom_id|>"
    assert roles["tool_call"] == "<|python_tag|>"


def test_files_come_before_the_configuration_and_that_before_custom(family):
    tokenizer = family(CHATML, {"eos_token": {"content": "<|im_end|>"}})
    specials = tokenizer.vocab.specials
    config = {"eos_token_id": specials["<|endoftext|>"], "pad_token_id": 3}
    roles = named(tokenizer, None, config)
    assert roles["eos"] == "<|im_end|>"
    assert roles["pad"] == "<|fim_prefix|>"
    assert roles["bos"] == "<|endoftext|>"


def test_configured_ids_of_text_or_beyond_are_not_believed(family):
    tokenizer = family(LLAMA_3)
    for value in (50, 10_000, -1, True, None, "1", [50, 10_000]):
        assert named(tokenizer, None, {"bos_token_id": value})["bos"] == "<|begin_of_text|>"
    listed = {"text_config": {"eos_token_id": [50, 6, 1]}}
    assert named(tokenizer, None, listed)["eos"] == "<|eot_id|>"


def test_files_may_name_a_token_that_is_not_there(family):
    assert named(family(LLAMA_2, {"bos_token": "<|nobody|>"}))["bos"] == "<s>"


def test_markers_may_be_added_tokens_that_are_not_special(family):
    tokenizer = family(PHI_3, plain=PHI_3_PLAIN)
    roles = named(tokenizer)
    assert (roles["user"], roles["assistant"]) == ("<|user|>", "<|assistant|>")
    assert roles["end_of_turn"] == "<|end|>"
    assert tokenizer.vocab.tokens[find_roles(tokenizer)["user"]] == b"<|user|>"


def test_files_that_are_gone_say_nothing(family, tmp_path):
    tokenizer = family(LLAMA_2, {"eos_token": "<s>"})
    assert named(tokenizer)["eos"] == "<s>"
    assert named(tokenizer, str(tmp_path / "gone" / "tokenizer.json"))["eos"] == "</s>"
    assert named(tokenizer, "nobody/nothing")["eos"] == "</s>"


def test_a_token_of_text_plays_no_role_that_transformers_knows(family):
    tokenizer = family(("<unk>",), {"eos_token": "</s>"}, plain=("</s>",))
    assert "eos" not in find_roles(tokenizer)


@pytest.mark.parametrize(
    ("source", "target", "pairs"),
    [
        (LLAMA_2, LLAMA_3, {"<|begin_of_text|>": "<s>", "<|eot_id|>": "</s>"}),
        (LLAMA_2, LLAMA_3, {"<|end_of_text|>": "</s>", "<|finetune_right_pad_id|>": "</s>"}),
        (LLAMA_2, ("<|endoftext|>",), {"<|endoftext|>": "</s>"}),
        (("<|endoftext|>",), LLAMA_2, {"<s>": "<|endoftext|>", "</s>": "<|endoftext|>"}),
        (LLAMA_3, CHATML, {"<|im_end|>": "<|eot_id|>", "<|im_start|>": "<|start_header_id|>"}),
        (CHATML, GEMMA, {"<bos>": "<|endoftext|>", "<end_of_turn>": "<|im_end|>"}),
        (BERT, XLM_R, {"<s>": "[CLS]", "</s>": "[SEP]", "<mask>": "[MASK]", "<pad>": "[PAD]"}),
        (XLM_R, BERT, {"[CLS]": "<s>", "[SEP]": "</s>", "[UNK]": "<unk>"}),
    ],
)
def test_families_match(family, source, target, pairs):
    old, new = family(source, name="old"), family(target, name="new")
    matches = match_roles(find_roles(old), find_roles(new))
    for wanted, found in pairs.items():
        assert matches[new.vocab.specials[wanted]] == old.vocab.specials[found]


def test_what_begins_and_ends_texts_can_be_either(family):
    old, new = family(LLAMA_2, name="old"), family(("<|endoftext|>",), name="new")
    matches = match_roles(find_roles(old), find_roles(new), prefer=INPUT)
    assert matches == {0: old.vocab.specials["<s>"]}


def test_no_marker_stands_in_for_a_speaker(family):
    old, new = family(LLAMA_3, name="old"), family(PHI_3, plain=PHI_3_PLAIN, name="new")
    roles = find_roles(new)
    matches = match_roles(find_roles(old), roles)
    assert roles["user"] not in matches
    assert matches[roles["end_of_turn"]] == old.vocab.specials["<|eot_id|>"]


def test_stand_ins_are_roles():
    for role, others in STAND_INS.items():
        assert {role, *others} <= set(USUAL)


def test_equal_texts_match(family):
    old, new = family(LLAMA_2, name="old"), family(XLM_R, name="new")
    assert match_texts(old, new) == {
        new.vocab.specials[text]: old.vocab.specials[text] for text in LLAMA_2
    }


def test_real_tokenizers(real):
    assert find_roles(real("llama2")) == {"bos": 1, "eos": 2, "end_of_text": 2, "unk": 0}
    assert named(real("llama3"))["end_of_turn"] == "<|eot_id|>"
    assert find_roles(real("cl100k"))["prefix"] == 100257
    assert named(real("gpt2"))["bos"] == "<|endoftext|>"


def test_roles_need_no_torch():
    code = "import tokkit.transplant.settings.roles, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
