import json
import shutil

import numpy as np
import pytest
import torch

from tests.transplant.folders import LLAMA_2, LLAMA_3, byte_level, write
from tests.transplant.models import build
from tokkit import load
from tokkit.errors import CheckError
from tokkit.transplant.checks.verify import verify
from tokkit.transplant.settings.chat import choose_chat
from tokkit.transplant.settings.files import new_config, new_generation_config
from tokkit.transplant.settings.roles import find_roles, match_roles
from tokkit.transplant.settings.tokenizer_files import write_tokenizer
from tokkit.transplant.settings.translation import Translation
from tokkit.weights.checkpoint import Checkpoint

SOURCE_MERGES = [("t", "h"), ("th", "e"), ("Ġ", "a")]
TARGET_MERGES = [("i", "n"), ("t", "h"), ("a", "n"), ("Ġ", "a")]
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>"
    "{{ m.content }}<|eot_id|>{% endfor %}"
)


class Moved:
    """A model that an independent loop of Python moved onto another tokenizer."""

    def __init__(self, folder, kind="llama", *, tied=False, untie=False, pad=8, **changes):
        self.before, self.folder = folder / "source", folder / "moved"
        self.tied = tied and not untie
        old = write(self.before, byte_level(LLAMA_2, SOURCE_MERGES))
        config = {"eos_token": "<|eot_id|>", "chat_template": TEMPLATE}
        new = write(folder / "target", byte_level(LLAMA_3, TARGET_MERGES), config)
        self.source, self.target = load(old), load(new)
        self.roles = find_roles(self.target)
        self.rows = len(self.target.vocab) + pad
        ids = {"bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": tied}
        size = len(self.source.vocab) + 3
        model = build(kind, vocab_size=size, **{**ids, **changes})
        model.save_pretrained(self.before)
        self._move(model, kind, self.rows)
        self._write(new)

    def _move(self, model, kind, rows):
        from safetensors.torch import load_file, save_file

        tensors = load_file(self.before / "model.safetensors")
        old, new = self.source.vocab.tokens, self.target.vocab.tokens
        by_role = match_roles(find_roles(self.source), self.roles)
        names = [name for name in tensors if tensors[name].shape[0] == len(old) + 3]
        for name in names:
            made = [tensors[name].float().mean(0).to(tensors[name].dtype)] * rows
            for i, token in enumerate(new):
                if token in old and token:
                    made[i] = tensors[name][old.index(token)]
                elif i in by_role:
                    made[i] = tensors[name][by_role[i]]
            tensors[name] = torch.stack(made)
        if not self.tied and "lm_head.weight" not in tensors and kind == "llama":
            tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
        self.folder.mkdir()
        save_file(tensors, self.folder / "model.safetensors", {"format": "pt"})

    def _write(self, target):
        translation = Translation(self.source, self.target, find_roles(self.source), self.roles)
        config = json.loads((self.before / "config.json").read_text())
        config = new_config(config, self.rows, translation, tied=self.tied).content
        (self.folder / "config.json").write_text(json.dumps(config))
        generation = new_generation_config({"eos_token_id": 2}, translation).content
        (self.folder / "generation_config.json").write_text(json.dumps(generation))
        chat = choose_chat("target", self.before, target, self.source, self.target, self.roles)
        write_tokenizer(target, self.target, self.folder, self.roles, chat, config)

    def verify(self, **changes):
        told = {"tied": self.tied, "rows": self.rows, **changes}
        return verify(self.before, self.folder, self.source, self.target, self.roles, **told)

    def change(self, name, row, value):
        """Overwrite a row of a tensor, or one number of it."""
        stored = Checkpoint.open(self.folder).tensors[name]
        width = stored.size // stored.shape[0]
        with (self.folder / "model.safetensors").open("r+b") as file:
            file.seek(stored.start + row * width)
            file.write(np.full(width // 4, value, dtype="<f4").tobytes())

    def edit(self, name, **changes):
        path = self.folder / name
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, **changes}))


def statuses(verification):
    return {check.name: check.status for check in verification.checks}


def failed(verification):
    return {name for name, status in statuses(verification).items() if status == "failed"}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return Moved(tmp_path_factory.mktemp("original"))


@pytest.fixture
def moved(original, tmp_path):
    """A copy to be spoiled."""
    copy = object.__new__(Moved)
    copy.__dict__.update(vars(original))
    copy.folder = tmp_path / "copy"
    shutil.copytree(original.folder, copy.folder)
    return copy


def test_a_model_that_is_right_passes(original):
    found = original.verify()
    assert set(statuses(found).values()) == {"ok"}, found
    assert len(found.checks) == 12
    found.require()
    assert found.as_json()["ok"] is True
    json.dumps(found.as_json())
    assert "8 rows" in found.checks[-1].detail


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("llama", {"tied": True}),
        ("llama", {"tied": True, "untie": True}),
        ("gpt2", {"tied": True}),
        ("bert", {"tied": True, "pad_token_id": 0}),
    ],
)
def test_other_kinds_pass(tmp_path, kind, options):
    found = Moved(tmp_path, kind, **options).verify()
    assert not failed(found), found


def test_a_row_that_should_be_the_source_s(moved):
    row = moved.target.vocab.ids[b"th"]
    moved.change("model.embed_tokens.weight", row, 0.25)
    found = moved.verify()
    assert failed(found) == {"shared rows"}
    assert f"input row of 'th' ({row})" in found.checks[0].detail
    with pytest.raises(CheckError, match="input row of 'th'"):
        found.require()
    assert not failed(moved.verify(made=[row]))


def test_a_row_of_the_output(moved):
    moved.change("lm_head.weight", moved.target.vocab.ids[b"a"], 0.25)
    assert failed(moved.verify()) == {"shared rows"}


def test_another_tensor(moved):
    moved.change("model.layers.1.mlp.down_proj.weight", 2, 0.25)
    found = moved.verify()
    assert failed(found) == {"other weights"}
    assert "model.layers.1.mlp.down_proj.weight" in found.checks[1].detail


def test_a_missing_tensor(moved):
    from safetensors.torch import load_file, save_file

    tensors = load_file(moved.folder / "model.safetensors")
    del tensors["model.norm.weight"]
    save_file(tensors, moved.folder / "model.safetensors", {"format": "pt"})
    assert failed(moved.verify()) == {"other weights", "model"}


def test_numbers_that_are_none_and_zero_rows(moved):
    new = moved.target.vocab.ids[b"in"]
    moved.change("model.embed_tokens.weight", new, float("nan"))
    assert failed(moved.verify()) >= {"finite rows", "rows of text"}
    moved.change("model.embed_tokens.weight", new, 0)
    assert failed(moved.verify()) == {"rows of text"}


def test_a_new_row_that_is_far_off_is_a_warning(moved):
    moved.change("model.embed_tokens.weight", moved.target.vocab.ids[b"in"], 40.0)
    found = moved.verify()
    assert statuses(found)["norms of new rows"] == "warning"
    assert found.ok


def test_padding_that_wins(moved):
    moved.change("lm_head.weight", moved.rows - 2, 1e4)
    moved.change("lm_head.weight", moved.rows - 1, -1e4)
    found = moved.verify()
    assert failed(found) == {"padding rows"}


@pytest.mark.parametrize(
    ("name", "changes", "where"),
    [
        ("config.json", {"eos_token_id": 5}, {"config.json"}),
        ("config.json", {"pad_token_id": 100_000}, {"config.json", "model"}),
        ("config.json", {"vocab_size": 270}, {"weights", "config.json", "model"}),
        ("config.json", {"tie_word_embeddings": True}, set()),
        ("generation_config.json", {"eos_token_id": 2}, {"generation_config.json"}),
        ("generation_config.json", {"suppress_tokens": [9999]}, {"generation_config.json"}),
        ("tokenizer_config.json", {"eos_token": "<|eom_id|>"}, {"tokenizer"}),
    ],
)
def test_settings(moved, name, changes, where):
    moved.edit(name, **changes)
    assert failed(moved.verify()) == where


def test_a_head_that_is_not_tied_as_said(moved):
    assert "model" in failed(moved.verify(tied=True))


def test_files_of_another_tokenizer(moved):
    other = byte_level(LLAMA_3, TARGET_MERGES[::-1])
    other.save(str(moved.folder / "tokenizer.json"))
    found = moved.verify()
    assert failed(found) == {"tokenizer"}
    (moved.folder / "tokenizer.json").write_text("{")
    assert failed(moved.verify()) == {"tokenizer"}


def test_a_token_without_a_row(moved):
    config = {"pad_token": "<|nobody|>", "extra_special_tokens": [f"<{i}>" for i in range(9)]}
    moved.edit("tokenizer_config.json", **config)
    assert failed(moved.verify()) == {"tokenizer"}


def test_a_template_with_unknown_markers_is_a_warning(moved):
    moved.edit("tokenizer_config.json", chat_template=TEMPLATE.replace("<|eot_id|>", "<|x|>"))
    found = moved.verify()
    assert statuses(found)["chat template"] == "warning"
    assert found.ok


def test_a_model_that_replaces_the_pre_tokenizer_is_a_warning(tmp_path):
    found = Moved(tmp_path, "qwen2").verify()
    assert statuses(found)["tokenizer"] == "warning"
    (detail,) = (check.detail for check in found.checks if check.name == "tokenizer")
    assert "PreTrainedTokenizerFast.from_pretrained" in detail
    assert found.ok


def test_converted_rows_are_compared_as_converted(moved):
    from safetensors.torch import load_file, save_file

    tensors = load_file(moved.folder / "model.safetensors")
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        tensors[name] = tensors[name].bfloat16()
    save_file(tensors, moved.folder / "model.safetensors", {"format": "pt"})
    assert "shared rows" not in failed(moved.verify())
    stored = Checkpoint.open(moved.folder).tensors["lm_head.weight"]
    with (moved.folder / "model.safetensors").open("r+b") as file:
        place = stored.start + moved.target.vocab.ids[b"a"] * 32
        file.seek(place)
        number = file.read(1)[0]
        file.seek(place)
        file.write(bytes([number ^ 1]))
    assert "shared rows" in failed(moved.verify())
