import json
import os
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from tokkit.errors import ModelError
from tokkit.weights import checkpoint as module
from tokkit.weights.checkpoint import INDEX, SINGLE, Checkpoint

CONFIG = {"model_type": "llama", "vocab_size": 8}
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def tensor(rows=8):
    return np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)


@pytest.fixture
def single(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    save_file({"embed": tensor(), "body": tensor(3)}, tmp_path / SINGLE)
    return tmp_path


@pytest.fixture
def sharded(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    save_file({"embed": tensor(), "body": tensor(3)}, tmp_path / FIRST)
    save_file({"head": tensor()}, tmp_path / SECOND)
    write_index(tmp_path, {"embed": FIRST, "body": FIRST, "head": SECOND})
    return tmp_path


def write_index(folder, places):
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))


def refuses(folder, says):
    with pytest.raises(ModelError, match=says) as caught:
        Checkpoint.open(folder)
    assert "\n" not in str(caught.value)


def test_one_file(single):
    found = Checkpoint.open(single)
    assert found.tensors.keys() == {"embed", "body"}
    assert found.index is None
    assert found.config == found.text_config == CONFIG
    assert found.size() == 11 * 2 * 4


def test_shards(sharded):
    found = Checkpoint.open(str(sharded))
    assert {name: each.path.name for name, each in found.tensors.items()} == {
        "embed": FIRST,
        "body": FIRST,
        "head": SECOND,
    }
    assert list(found.shards) == [FIRST, SECOND]


def test_one_file_goes_before_an_index(single):
    write_index(single, {"no": "such.safetensors"})
    assert Checkpoint.open(single).index is None


def test_links_as_in_the_cache_of_the_hub(sharded, tmp_path_factory):
    snapshot = tmp_path_factory.mktemp("snapshot")
    for path in sharded.iterdir():
        (snapshot / path.name).symlink_to(path)
    found = Checkpoint.open(snapshot)
    assert found.tensors.keys() == {"embed", "body", "head"}
    (sharded / SECOND).unlink()
    refuses(snapshot, "1 of 2 files of weights are missing, such as model-00002")


def test_a_nested_text_config(single):
    nested = {"model_type": "llava", "text_config": CONFIG}
    (single / "config.json").write_text(json.dumps(nested))
    assert Checkpoint.open(single).text_config == CONFIG


@pytest.mark.parametrize(
    ("places", "says"),
    [
        ({"embed": FIRST, "head": SECOND}, "does not name tensor 'body', which is in"),
        (
            {"embed": FIRST, "body": FIRST, "head": SECOND, "more": SECOND},
            "says that tensor 'more' is in model-00002",
        ),
        ({"embed": SECOND, "body": FIRST, "head": SECOND}, "says that tensor 'embed' is in"),
        ({"embed": "../x.safetensors"}, "names '../x.safetensors'"),
        ({"embed": "x.bin"}, "names 'x.bin'"),
        ({"embed": 3}, "names '3'"),
        (
            {"embed": "absent.safetensors"},
            "1 of 1 files of weights are missing, such as absent",
        ),
        ({}, "has no weight_map"),
    ],
)
def test_an_index_that_lies(sharded, places, says):
    write_index(sharded, places)
    refuses(sharded, says)


def test_the_same_tensor_twice(sharded):
    save_file({"head": tensor(), "body": tensor(3)}, sharded / SECOND)
    refuses(sharded, "'body' is both in model-00001-of-00002.safetensors and in model-00002")


def test_a_corrupt_shard(sharded):
    with (sharded / SECOND).open("r+b") as file:
        file.truncate(os.path.getsize(sharded / SECOND) - 1)
    refuses(sharded, "cut off within tensor 'head'")


@pytest.mark.parametrize("text", ["", "[1]", '{"a": 1, "a": 2}', "\x00", "{"])
@pytest.mark.parametrize("name", ["config.json", INDEX])
def test_json_that_is_none(sharded, name, text):
    (sharded / name).write_text(text)
    refuses(sharded, r"no proper JSON|no JSON object")


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("pytorch_model.bin", "the weights are a pickle .*save_pretrained"),
        ("consolidated.00.pth", "the weights are a pickle"),
        ("model.gguf", "a GGUF file"),
        ("tf_model.h5", "TensorFlow"),
        ("flax_model.msgpack", "Flax"),
        ("model-00001-of-00002.safetensors", "has model-00001.* but neither"),
        ("tokenizer.json", "no weights there"),
    ],
)
def test_other_weights(tmp_path, file, says):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / file).write_bytes(b"")
    refuses(tmp_path, says)


def test_no_model_at_all(tmp_path):
    refuses(tmp_path, "an empty folder")
    (tmp_path / "adapter_config.json").write_text("{}")
    refuses(tmp_path, "an adapter, not a model")
    (tmp_path / "adapter_config.json").rename(tmp_path / "x.json")
    refuses(tmp_path, "no config.json there")
    refuses(tmp_path / "x.json", "not a folder")
    refuses(tmp_path / "absent" / "or" / "so", "no such folder")


def test_a_file_without_tensors(single):
    save_file({}, single / SINGLE)
    refuses(single, "there are no tensors")


@pytest.mark.parametrize(
    "config",
    [
        {"quantization_config": {"quant_method": "gptq"}},
        {"text_config": {"vocab_size": 8, "quantization_config": {"quant_method": "awq"}}},
        {"compression_config": {"format": "int"}},
    ],
)
def test_quantised_by_its_config(single, config):
    (single / "config.json").write_text(json.dumps(config))
    refuses(single, "the model is quantised")


@pytest.mark.parametrize("name", ["a.qweight", "a.SCB", "a.weight_scale"])
def test_quantised_by_its_tensors(single, name):
    save_file({"embed": tensor(), name: tensor()}, single / SINGLE)
    refuses(single, "the model is quantised")


def test_quantised_by_its_dtype(single):
    entry = {"dtype": "F8_E4M3", "shape": [3], "data_offsets": [0, 3]}
    text = json.dumps({"w": entry}).encode()
    (single / SINGLE).write_bytes(len(text).to_bytes(8, "little") + text + bytes(3))
    refuses(single, "w is F8_E4M3")


def test_quantised_by_a_file(single):
    (single / "quantize_config.json").write_text("{}")
    refuses(single, "the model is quantised")


def test_a_model_of_the_hub(single, tmp_path_factory, monkeypatch):
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(module, "_answers", lambda address: False)
    refuses("owner/name", "no such folder, and not to be had from the Hub")
    place = cache / "models--owner--name"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0" * 40)
    shutil.copytree(single, place / "snapshots" / ("0" * 40))
    found = Checkpoint.open("owner/name")
    assert found.tensors.keys() == {"embed", "body"}
    assert found.folder == place / "snapshots" / ("0" * 40)
