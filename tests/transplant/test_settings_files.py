import json

import pytest
import torch
from transformers import GenerationConfig

from tests.transplant.folders import (
    CHATML,
    GEMMA,
    LLAMA_2,
    LLAMA_3,
    XLM_R,
    byte_level,
    write,
)
from tests.transplant.models import build, configure
from tokkit import load
from tokkit.transplant.settings.files import new_config, new_generation_config
from tokkit.transplant.settings.roles import find_roles
from tokkit.transplant.settings.translation import Translation

MERGES = (("t", "h"), ("th", "e"))


@pytest.fixture
def translate(tmp_path):
    """Make a translation from one family to another, with how files name their eos."""

    def make(source, target, source_eos=None, target_eos=None, target_merges=()):
        tokenizers = []
        for name, specials, eos, merges in (
            ("source", source, source_eos, MERGES),
            ("target", target, target_eos, target_merges),
        ):
            config = None if eos is None else {"eos_token": eos}
            folder = write(tmp_path / name, byte_level(specials, merges), config)
            tokenizers.append(load(folder))
        return Translation(*tokenizers, *map(find_roles, tokenizers))

    return make


def source_id(translation, text):
    return translation.source.encode(text).tolist()[0]


def target_id(translation, text):
    return translation.target.encode(text).tolist()[0]


def test_tokens_translate_by_bytes_and_by_role(translate):
    translation = translate(LLAMA_2, LLAMA_3)
    assert translation.token(source_id(translation, "a")) == target_id(translation, "a")
    assert translation.token(source_id(translation, "</s>")) == target_id(
        translation, "<|end_of_text|>"
    )
    the = source_id(translation, "the")
    assert translation.token(the) is None
    assert translation.sequence([the]) == translation.target.encode("the").tolist()
    assert translation.token(-1) is None
    assert translation.token(9999) is None
    assert translation.sequence([9999]) is None
    assert translation.sequence([source_id(translation, "<unk>")]) is None


def test_only_what_has_to_do_with_the_tokenizer_changes(translate):
    translation = translate(LLAMA_2, LLAMA_3)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 64,
        "vocab_size": 300,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": None,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "tokenizer_class": "LlamaTokenizer",
        "auto_map": {"AutoTokenizer": "x.Y", "AutoModel": "x.Z"},
    }
    before = json.dumps(config)
    new = new_config(config, 320, translation, tied=False)
    assert json.dumps(config) == before
    assert new.changes == {
        "vocab_size": (300, 320),
        "bos_token_id": (1, 0),
        "eos_token_id": (2, 1),
        "pad_token_id": (None, 2),
        "tokenizer_class": ("LlamaTokenizer", None),
        "auto_map.AutoTokenizer": ("x.Y", None),
    }
    assert new.warnings == ()
    assert new.content["torch_dtype"] == "bfloat16"


def test_untied_and_converted_are_written(translate):
    translation = translate(LLAMA_2, LLAMA_3)
    config = {"vocab_size": 300, "tie_word_embeddings": True, "torch_dtype": "float32"}
    new = new_config(config, 320, translation, tied=False, dtype="bfloat16").content
    assert new["tie_word_embeddings"] is False
    assert new["torch_dtype"] == "bfloat16"
    assert "dtype" not in new
    assert new_config({}, 320, translation, tied=True, dtype="float16").content == {
        "vocab_size": 320,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
        "tie_word_embeddings": True,
        "dtype": "float16",
    }


def test_nested_configurations(translate):
    translation = translate(CHATML, GEMMA)
    config = {
        "model_type": "gemma3",
        "text_config": {"vocab_size": 300, "eos_token_id": 0, "tie_word_embeddings": True},
        "vision_config": {"vocab_size": 300, "bos_token_id": 7, "image_token_id": 6},
        "audio_tower": {"num_layers": 2},
        "eos_token_id": [0, 2],
        "image_token_index": 6,
    }
    new = new_config(config, 263, translation, tied=True)
    assert new.content["text_config"] == {
        "vocab_size": 263,
        "bos_token_id": 2,
        "eos_token_id": 1,
        "pad_token_id": 0,
        "tie_word_embeddings": True,
    }
    assert new.content["vision_config"] == config["vision_config"]
    assert new.content["eos_token_id"] == [1, 6]
    assert new.content["image_token_index"] == -1
    assert "vocab_size" not in new.content
    assert len(new.warnings) == 1
    assert "'<|image_pad|>' (6)" in new.warnings[0]


def test_real_configurations_still_load(translate):
    translation = translate(LLAMA_2, LLAMA_3)
    for name in ("llama", "gemma3", "llava", "bert", "gpt2", "mamba", "opt"):
        config = json.loads(configure(name, tie_word_embeddings=False).to_json_string())
        rows = len(translation.target.vocab)
        new = new_config(config, rows, translation, tied=True).content
        loaded = type(configure(name)).from_dict(new)
        assert loaded.get_text_config().vocab_size == rows
        assert loaded.get_text_config().eos_token_id == 1


def test_positions_that_start_at_the_padding_stay(translate):
    translation = translate(XLM_R, LLAMA_3)
    config = {"model_type": "xlm-roberta", "vocab_size": 300, "pad_token_id": 1}
    new = new_config(config, 320, translation, tied=True)
    assert new.content["pad_token_id"] == 1
    assert "<|end_of_text|>" in new.warnings[0]
    config["model_type"] = "bert"
    assert new_config(config, 320, translation, tied=True).content["pad_token_id"] == 2


def test_generation_settings_stay_and_ids_are_translated(translate):
    translation = translate(CHATML, LLAMA_3, source_eos="<|im_end|>", target_eos="<|eot_id|>")
    ids = {text: translation.source.encode(text).tolist() for text in ("a", "the", "x")}
    content = {
        "_from_model_config": True,
        "do_sample": True,
        "temperature": 0.6,
        "num_beams": 0,
        "bos_token_id": 0,
        "pad_token_id": 0,
        "eos_token_id": [2, 0],
        "suppress_tokens": [*ids["a"], *ids["the"]],
        "begin_suppress_tokens": [ids["the"][0]],
        "bad_words_ids": [ids["the"], [1]],
        "force_words_ids": [[ids["a"], ids["the"]]],
        "sequence_bias": [[ids["the"], -5.0], [[6], 1.0]],
        "forced_decoder_ids": [[1, ids["a"][0]], [2, ids["the"][0]]],
        "forced_eos_token_id": 2,
        "decoder_start_token_id": 6,
        "lang_to_id": {"<|en|>": ids["a"][0], "<|de|>": 6},
    }
    new = new_generation_config(content, translation)
    target = {text: translation.target.encode(text).tolist() for text in ("a", "the")}
    assert new.content == {
        "do_sample": True,
        "temperature": 0.6,
        "num_beams": 0,
        "bos_token_id": 0,
        "pad_token_id": 2,
        "eos_token_id": [6, 1],
        "suppress_tokens": target["a"],
        "bad_words_ids": [target["the"], [3]],
        "force_words_ids": [[target["a"], target["the"]]],
        "sequence_bias": [[target["the"], -5.0]],
        "forced_decoder_ids": [[1, target["a"][0]]],
        "forced_eos_token_id": 6,
        "lang_to_id": {"<|en|>": target["a"][0]},
    }
    assert len(new.warnings) == 6
    assert "'the' (" in new.warnings[0]
    assert "suppress_tokens" in new.warnings[0]
    assert new.changes["begin_suppress_tokens"] == ([ids["the"][0]], None)


def test_a_single_end_becomes_a_list_where_the_target_needs_two(translate):
    translation = translate(CHATML, LLAMA_3, source_eos="<|im_end|>")
    new = new_generation_config({"eos_token_id": 2}, translation).content
    assert new["eos_token_id"] == [1, 6]


def test_a_list_stays_a_list(translate):
    translation = translate(LLAMA_3, ("<|endoftext|>",))
    new = new_generation_config({"eos_token_id": [1, 5, 6], "pad_token_id": 2}, translation)
    assert new.content == {"eos_token_id": [0], "bos_token_id": 0, "pad_token_id": 0}
    assert new.warnings == ()


def test_without_a_file_the_roles_are_written(translate):
    translation = translate(LLAMA_2, LLAMA_3)
    new = new_generation_config(None, translation)
    assert new.content == {"bos_token_id": 0, "pad_token_id": 2, "eos_token_id": 1}


def test_a_target_without_an_end_is_warned_of(translate):
    new = new_generation_config({"eos_token_id": 2}, translate(LLAMA_2, ("<unk>",)))
    assert "eos_token_id" not in new.content
    assert len(new.warnings) == 2
    assert "longest length" in new.warnings[1]


def test_an_identical_tokenizer_changes_nothing(translate):
    content = {"bos_token_id": 1, "eos_token_id": [2], "suppress_tokens": [0, 5, 260]}
    translation = translate(LLAMA_2, LLAMA_2, target_merges=MERGES)
    new = new_generation_config(content, translation)
    assert (new.content, new.changes, new.warnings) == (content, {}, ())


def test_generation_stops_at_the_end_of_the_target(translate, tmp_path):
    translation = translate(LLAMA_2, LLAMA_3, target_eos="<|eot_id|>")
    rows = len(translation.target.vocab)
    config = json.loads(configure("llama", vocab_size=300).to_json_string())
    new = new_config(config, rows, translation, tied=False).content
    model = build("llama", **{key: new[key] for key in ("vocab_size", "eos_token_id")})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.model.embed_tokens.weight.fill_(1)
        model.model.norm.weight.fill_(1)
        model.lm_head.weight[translation.target_roles["end_of_turn"]] = 1
    generation = new_generation_config({"eos_token_id": 2, "top_k": 3}, translation).content
    (tmp_path / "generation_config.json").write_text(json.dumps(generation))
    loaded = GenerationConfig.from_pretrained(tmp_path)
    assert loaded.top_k == 3
    ids = model.generate(
        torch.tensor([[20, 21]]), generation_config=loaded, max_new_tokens=5, do_sample=False
    )
    assert ids.tolist() == [[20, 21, translation.target_roles["eos"]]]
