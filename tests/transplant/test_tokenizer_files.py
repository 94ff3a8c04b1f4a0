import json
from pathlib import Path

import pytest
import transformers

from tests.transplant.folders import CHATML, LLAMA_2, LLAMA_3, byte_level, write
from tests.transplant.models import configure
from tokkit import load
from tokkit.formats.check import awkward_texts, compare
from tokkit.transplant.settings.chat import Chat
from tokkit.transplant.settings.roles import find_roles
from tokkit.transplant.settings.tokenizer_files import is_tokenizer_file, write_tokenizer

OWN = Chat("target")


def written(target_path, folder, chat=OWN, model="llama", **changes):
    """Write a tokenizer beside the configuration of a model, and load it."""
    target = load(target_path)
    folder.mkdir(exist_ok=True)
    config = json.loads(configure(model, **changes).to_json_string())
    (folder / "config.json").write_text(json.dumps(config))
    warnings = write_tokenizer(target_path, target, folder, find_roles(target), chat, config)
    assert not list(folder.glob(".*"))
    return target, warnings


def auto(folder):
    return transformers.AutoTokenizer.from_pretrained(folder)


def agrees(target, loaded):
    return None is compare(
        target,
        lambda text: loaded.encode(text, add_special_tokens=False),
        awkward_texts(target, 20),
        parse_specials=True,
    )


def config_of(folder):
    return json.loads((folder / "tokenizer_config.json").read_text())


def test_files_are_copied_and_the_class_is_one_that_reads_them(tmp_path):
    config = {
        "tokenizer_class": "LlamaTokenizer",
        "eos_token": {"content": "<|eot_id|>", "special": True},
        "pad_token": "<|nobody|>",
        "auto_map": {"AutoTokenizer": ["x.Y", None]},
        "name_or_path": "/home/somebody",
        "model_max_length": 77,
        "chat_template": "{{ bos_token }}",
    }
    special = {"bos_token": {"content": "<|begin_of_text|>"}, "unk_token": "<|nowhere|>"}
    target = byte_level(LLAMA_3, [("t", "h")])
    origin = write(
        tmp_path / "target", target, config, special_tokens_map=special, unrelated={}
    )
    tokenizer, warnings = written(origin, tmp_path / "new")
    assert warnings == []
    same = [(each / "tokenizer.json").read_bytes() for each in (origin, tmp_path / "new")]
    assert same[0] == same[1]
    assert config_of(tmp_path / "new") == {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": {"__type": "AddedToken", "content": "<|eot_id|>", "special": True},
        "model_max_length": 77,
        "chat_template": "{{ bos_token }}",
        "padding_side": "left",
        "bos_token": "<|begin_of_text|>",
        "model_input_names": ["input_ids", "attention_mask"],
    }
    map_file = tmp_path / "new" / "special_tokens_map.json"
    assert json.loads(map_file.read_text()) == {"bos_token": special["bos_token"]}
    assert not (tmp_path / "new" / "unrelated.json").exists()
    loaded = auto(tmp_path / "new")
    assert agrees(tokenizer, loaded)
    assert len(loaded) == len(tokenizer.vocab)
    assert (loaded.bos_token, loaded.eos_token) == ("<|begin_of_text|>", "<|eot_id|>")
    assert loaded.padding_side == "left"


def test_bare_tokenizers_get_roles(tmp_path):
    origin = write(tmp_path / "target", byte_level(LLAMA_3)) / "tokenizer.json"
    written(origin, tmp_path / "new")
    loaded = auto(tmp_path / "new")
    assert loaded.eos_token == "<|end_of_text|>"
    assert loaded.pad_token == "<|finetune_right_pad_id|>"


@pytest.mark.parametrize("name", ["target.json", "ranks"])
def test_other_formats_are_converted(tmp_path, name):
    origin = write(tmp_path / "target", byte_level(LLAMA_2)) / "tokenizer.json"
    if name == "ranks":
        lines = (f"{text.decode()}" for text in _ranks())
        origin = tmp_path / "ranks.tiktoken"
        origin.write_text("\n".join(lines))
        target = load(origin, pattern="cl100k")
        folder = tmp_path / "new"
        roles = find_roles(target)
        write_tokenizer(origin, target, folder, roles, OWN, {"model_type": "llama"})
    else:
        origin = origin.rename(tmp_path / name)
        target, _ = written(origin, tmp_path / "new")
    assert agrees(target, auto(tmp_path / "new"))
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names >= {"tokenizer.json", "tokenizer_config.json"}


def _ranks():
    import base64

    for rank in range(256):
        yield base64.b64encode(bytes([rank])) + f" {rank}".encode()


def test_templates_follow_the_choice(tmp_path):
    origin = write(tmp_path / "target", byte_level(CHATML), {"chat_template": "own"})
    (origin / "chat_template.jinja").write_text("own file")
    (origin / "additional_chat_templates").mkdir()
    (origin / "additional_chat_templates" / "rag.jinja").write_text("extra")
    written(origin, tmp_path / "own")
    assert auto(tmp_path / "own").chat_template == {"default": "own file", "rag": "extra"}
    written(origin, tmp_path / "none", Chat("none"))
    assert auto(tmp_path / "none").chat_template is None
    written(origin, tmp_path / "one", Chat("source", {"default": "theirs"}))
    assert auto(tmp_path / "one").chat_template == "theirs"
    both = {"default": "theirs", "tool_use": "tools"}
    written(origin, tmp_path / "two", Chat("source", both))
    assert auto(tmp_path / "two").chat_template == both


def test_what_lies_beside_another_format_is_kept(tmp_path):
    vocabulary = json.loads(byte_level(CHATML, [("t", "h")]).to_str())["model"]["vocab"]
    origin = tmp_path / "target"
    config = {
        "tokenizer_class": "GemmaTokenizer",
        "eos_token": "<|im_end|>",
        "model_max_length": 99,
        "sp_model_kwargs": {},
    }
    write(origin, byte_level(CHATML), config)
    (origin / "tokenizer.json").unlink()
    (origin / "vocab.json").write_text(json.dumps(vocabulary))
    (origin / "merges.txt").write_text("#version: 0.2\nt h\n")
    added = {text: token_id for token_id, text in enumerate(CHATML)}
    (origin / "added_tokens.json").write_text(json.dumps(added))
    target, _ = written(origin, tmp_path / "new", Chat("target", {"default": "own"}))
    loaded = auto(tmp_path / "new")
    assert agrees(target, loaded)
    assert (loaded.eos_token, loaded.padding_side) == ("<|im_end|>", "left")
    assert (loaded.model_max_length, loaded.chat_template) == (99, "own")
    assert "sp_model_kwargs" not in config_of(tmp_path / "new")
    assert not (tmp_path / "new" / "merges.txt").exists()


def test_encoders_that_know_segments_are_given_them(tmp_path):
    origin = write(tmp_path / "target", byte_level(LLAMA_2))
    written(origin, tmp_path / "bert", model="bert")
    assert "token_type_ids" in config_of(tmp_path / "bert")["model_input_names"]
    written(origin, tmp_path / "roberta", model="roberta", type_vocab_size=1)
    assert "token_type_ids" not in config_of(tmp_path / "roberta")["model_input_names"]


def test_a_model_that_replaces_the_pre_tokenizer_is_warned_of(tmp_path):
    origin = write(tmp_path / "target", byte_level(LLAMA_3, [("t", "h"), ("1", "2")]))
    target, warnings = written(origin, tmp_path / "new", model="qwen2")
    assert "PreTrainedTokenizerFast" in warnings[0]
    fast = transformers.PreTrainedTokenizerFast.from_pretrained(tmp_path / "new")
    assert agrees(target, fast)


def test_files_of_tokenizers_are_known_by_name():
    names = ["tokenizer.json", "tokenizer_config.json", "vocab.txt", "qwen.tiktoken"]
    assert all(map(is_tokenizer_file, [*names, "tokenization_x.py", "chat_template.jinja"]))
    assert not any(map(is_tokenizer_file, ["config.json", "README.md", "modeling_x.py"]))


@pytest.mark.slow
def test_real_tokenizers(shared, tmp_path):
    target, _ = written(shared / "tokenizers" / "llama2" / "tokenizer.model", tmp_path / "new")
    loaded = auto(tmp_path / "new")
    assert agrees(target, loaded)
    assert (loaded.bos_token_id, loaded.eos_token_id, loaded.unk_token_id) == (1, 2, 0)
    assert Path(tmp_path / "new" / "tokenizer.json").is_file()
