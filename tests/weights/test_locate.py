import json
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.transplant import models
from tokkit.errors import ModelError
from tokkit.weights import architecture
from tokkit.weights import locate as module
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.locate import equal, head_name, locate
from tokkit.weights.tensors import read

NESTED = ("llava", "gemma3")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The folder and model of each architecture, made when asked for."""
    made = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            made[name] = folder, models.save(name, folder)
        return made[name]

    return get


def change(folder, *, config=None, tensors=None, drop=(), into):
    """Copy a model, with other weights or another configuration."""
    into.mkdir(exist_ok=True)
    found = {**load_file(folder / "model.safetensors"), **(tensors or {})}
    save_file(
        {name: each for name, each in found.items() if name not in drop},
        into / "model.safetensors",
        {"format": "pt"},
    )
    said = json.loads((folder / "config.json").read_text())
    for key, value in (config or {}).items():
        place = said
        *path, last = key.split("/")
        for part in path:
            place = place[part]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    (into / "config.json").write_text(json.dumps(said))
    return into


def content(checkpoint, name):
    return None if name is None else read(checkpoint.tensors[name])


@pytest.mark.parametrize("way", ["names", "architecture"])
@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_it_finds_what_the_model_uses(folders, name, way, monkeypatch):
    folder, model = folders(name)
    checkpoint = Checkpoint.open(folder)
    if way == "architecture":
        monkeypatch.setattr(module, "by_name", lambda checkpoint: None)
    else:
        monkeypatch.setattr(architecture, "by_architecture", pytest.fail)
    found = locate(checkpoint)
    table, head = model.get_input_embeddings(), model.get_output_embeddings()
    assert found.tied == (head.weight is table.weight)
    assert (found.output is None) == found.tied
    np.testing.assert_array_equal(content(checkpoint, found.input), table.weight.detach())
    if not found.tied:
        np.testing.assert_array_equal(content(checkpoint, found.output), head.weight.detach())
    if getattr(head, "bias", None) is None:
        assert found.bias is None
    else:
        np.testing.assert_array_equal(content(checkpoint, found.bias), head.bias.detach())
    assert not found.others
    assert not found.twins


CASES = [
    (name, flag, head)
    for name in ("llama", "gpt2")
    for flag in (True, False, None)
    for head in ("absent", "equal", "different")
]
CASES += [
    (name, (flag, nested), head)
    for name in NESTED
    for flag in (True, False, None)
    for nested in (True, False, None)
    for head in ("absent", "equal", "different")
]


@pytest.mark.parametrize(("name", "flag", "head"), CASES)
def test_tied_is_what_transformers_ties(folders, tmp_path, name, flag, head):
    folder, _ = folders(name)
    found = load_file(folder / "model.safetensors")
    table = next(each for each in found if each.endswith(("embed_tokens.weight", "wte.weight")))
    separate = "language_model.lm_head.weight" if name in NESTED else "lm_head.weight"
    if head != "absent":
        found = {separate: found[table] + (head == "different")}
    flags = {"tie_word_embeddings": flag}
    if name in NESTED:
        outer, nested = flag
        flags = {"tie_word_embeddings": outer, "text_config/tie_word_embeddings": nested}
    drop = [separate] if head == "absent" else ()
    made = change(folder, into=tmp_path, config=flags, drop=drop, tensors=found)
    model = models.load(made)
    table_of, head_of = model.get_input_embeddings(), model.get_output_embeddings()
    is_random = head == "absent" and head_of.weight is not table_of.weight
    checkpoint = Checkpoint.open(made)
    if is_random:
        with pytest.raises(ModelError, match="no output head in the weights"):
            locate(checkpoint)
        return
    embeddings = locate(checkpoint)
    assert embeddings.input == table
    assert embeddings.tied == (head_of.weight is table_of.weight)
    assert embeddings.output == (None if embeddings.tied else separate)
    assert embeddings.twins == (
        {separate: table} if embeddings.tied and head == "equal" else {}
    )


@pytest.mark.parametrize("way", ["names", "architecture"])
def test_a_tied_model_that_kept_its_head_alone(folders, tmp_path, way, monkeypatch):
    folder, _ = folders("gemma")
    table = load_file(folder / "model.safetensors")["model.embed_tokens.weight"]
    made = change(
        folder,
        into=tmp_path,
        tensors={"lm_head.weight": table},
        drop=["model.embed_tokens.weight"],
    )
    found = locate(Checkpoint.open(made))
    assert (found.input, found.output, found.tied) == ("lm_head.weight", None, True)


def test_names_without_the_prefix_of_the_base_model(folders, tmp_path):
    folder, _ = folders("gpt2")
    old = load_file(folder / "model.safetensors")
    made = change(
        folder,
        into=tmp_path,
        tensors={name.removeprefix("transformer."): each for name, each in old.items()},
        drop=old,
    )
    checkpoint = Checkpoint.open(made)
    assert locate(checkpoint).input == "wte.weight"
    assert architecture.by_architecture(checkpoint).input == "wte.weight"
    assert head_name(checkpoint, locate(checkpoint)) == "lm_head.weight"


def test_copies_of_the_bias_are_twins(folders, tmp_path):
    folder, _ = folders("bert")
    bias = load_file(folder / "model.safetensors")["cls.predictions.bias"]
    made = change(folder, into=tmp_path, tensors={"cls.predictions.decoder.bias": bias})
    found = locate(Checkpoint.open(made))
    assert found.bias == "cls.predictions.decoder.bias"
    assert found.twins == {"cls.predictions.bias": "cls.predictions.decoder.bias"}


@pytest.mark.parametrize(
    ("name", "kind"), [("bert", "BertModel"), ("llama", "LlamaModel"), ("gpt2", "GPT2Model")]
)
def test_models_without_a_head(tmp_path, name, kind):
    models.save(name, tmp_path, architecture=kind)
    found = locate(Checkpoint.open(tmp_path))
    assert found.output is None
    assert found.bias is None
    assert found.tied == (name != "llama")


def test_a_tensor_of_the_body_with_as_many_rows_is_left_alone(tmp_path, monkeypatch):
    models.save("llama", tmp_path, intermediate_size=models.VOCABULARY)
    checkpoint = Checkpoint.open(tmp_path)
    monkeypatch.setattr(architecture, "by_architecture", pytest.fail)
    found = locate(checkpoint)
    assert len(found.others) == 2 * 3  # layers times gate, up and down
    assert all(".mlp." in name for name in found.others)


def test_as_many_positions_as_tokens(tmp_path):
    models.save("gpt2", tmp_path, n_positions=models.VOCABULARY, n_embd=models.VOCABULARY)
    checkpoint = Checkpoint.open(tmp_path)
    found = locate(checkpoint)
    assert found.input == "transformer.wte.weight"
    assert found.tied
    wide = {name for name, each in checkpoint.tensors.items() if 96 in each.shape}
    assert set(found.others) == wide - {found.input}
    assert "transformer.wpe.weight" in found.others


@pytest.mark.parametrize(
    "extra", ["model.layers.2.embed_tokens.weight", "model.layers.2.shared_head.head.weight"]
)
def test_a_table_that_would_be_left_behind(folders, tmp_path, extra):
    folder, _ = folders("llama")
    table = load_file(folder / "model.safetensors")["model.embed_tokens.weight"]
    made = change(folder, into=tmp_path, tensors={extra: table})
    with pytest.raises(ModelError, match="depends on the vocabulary"):
        locate(Checkpoint.open(made))


def test_a_table_for_every_layer(folders, tmp_path):
    folder, _ = folders("llama")
    extra = {"model.embed_tokens_per_layer.weight": np.zeros((7, 3), np.float32)}
    made = change(folder, into=tmp_path, tensors=extra)
    with pytest.raises(ModelError, match="embed_tokens_per_layer"):
        locate(Checkpoint.open(made))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"is_encoder_decoder": True}, "an encoder-decoder"),
        ({"vocab_size": 95}, "vocab_size of 95, but model.embed_tokens.weight has 96 rows"),
    ],
)
def test_configurations_that_do_not_fit(folders, tmp_path, config, says):
    folder, _ = folders("llama")
    made = change(folder, into=tmp_path, config=config)
    with pytest.raises(ModelError, match=says):
        locate(Checkpoint.open(made))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"model_type": "no-such"}, "does not take its configuration"),
        ({}, "no table of token embeddings"),
    ],
)
def test_no_language_model(folders, tmp_path, config, says):
    folder, _ = folders("llama")
    made = change(
        folder,
        into=tmp_path,
        config=config,
        drop=["model.embed_tokens.weight", "lm_head.weight"],
    )
    with pytest.raises(ModelError, match=says):
        locate(Checkpoint.open(made))


def test_embeddings_of_integers(folders, tmp_path):
    folder, _ = folders("gpt2")
    table = np.zeros((models.VOCABULARY, 16), np.int8)
    made = change(folder, into=tmp_path, tensors={"transformer.wte.weight": table})
    with pytest.raises(ModelError, match="is I8, which is quantised"):
        locate(Checkpoint.open(made))


TIED = (
    "gpt2",
    "gemma",
    "gemma2",
    "gemma3_text",
    "bloom",
    "falcon",
    "opt",
    "mamba",
    "biogpt",
    "gemma3",
)
UNTIED_BY_DEFAULT = ("llama", "qwen2", "gpt_neox", "llava")


@pytest.mark.parametrize("way", ["names", "architecture"])
@pytest.mark.parametrize("name", [*TIED, *UNTIED_BY_DEFAULT])
def test_untied_models_use_the_head_of_that_name(tmp_path, name, way, monkeypatch):
    nested = name in NESTED
    flags = {} if nested else {"tie_word_embeddings": True}
    models.save(name, tmp_path / "tied", **flags)
    if name == "llava":
        change(
            tmp_path / "tied",
            into=tmp_path / "tied",
            config={"tie_word_embeddings": True},
            drop=["language_model.lm_head.weight"],
        )
    checkpoint = Checkpoint.open(tmp_path / "tied")
    embeddings = locate(checkpoint)
    assert embeddings.tied
    if way == "architecture":
        monkeypatch.setattr(module, "_UNTIED", {})
    head = head_name(checkpoint, embeddings)
    table = content(checkpoint, embeddings.input)
    flags = {"tie_word_embeddings": False}
    if nested:
        flags["text_config/tie_word_embeddings"] = False
    made = change(
        tmp_path / "tied", into=tmp_path / "untied", config=flags, tensors={head: table + 1}
    )
    model = models.load(made)
    np.testing.assert_array_equal(model.get_input_embeddings().weight.detach(), table)
    np.testing.assert_array_equal(model.get_output_embeddings().weight.detach(), table + 1)


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert"])
def test_encoders_are_not_untied(folders, name):
    checkpoint = Checkpoint.open(folders(name)[0])
    with pytest.raises(ModelError, match="cannot be untied"):
        head_name(checkpoint, locate(checkpoint))


def test_a_head_that_is_there_keeps_its_name(folders, tmp_path):
    checkpoint = Checkpoint.open(folders("llama")[0])
    assert head_name(checkpoint, locate(checkpoint)) == "lm_head.weight"
    folder, _ = folders("gemma")
    table = load_file(folder / "model.safetensors")["model.embed_tokens.weight"]
    checkpoint = Checkpoint.open(
        change(folder, into=tmp_path, tensors={"lm_head.weight": table})
    )
    assert head_name(checkpoint, locate(checkpoint)) == "lm_head.weight"


@pytest.mark.parametrize("place", [0, 50, -1])
def test_equality_looks_at_every_byte(tmp_path, place, monkeypatch):
    monkeypatch.setattr(module, "BUFFER", 64)
    one = np.arange(101, dtype=np.uint8)
    other = one.copy()
    other[place] += 1
    save_file(
        {"one": one, "same": one.copy(), "other": other, "flat": one[None]}, tmp_path / "m"
    )
    from tokkit.weights.headers import read_header

    tensors = read_header(tmp_path / "m").tensors
    assert equal(tensors["one"], tensors["same"])
    assert not equal(tensors["one"], tensors["other"])
    assert not equal(tensors["one"], tensors["flat"])


def test_known_names_need_no_torch(folders):
    import subprocess

    folder, _ = folders("llama")
    code = (
        "import sys\n"
        "from tokkit.weights.checkpoint import Checkpoint\n"
        "from tokkit.weights.locate import head_name, locate\n"
        f"checkpoint = Checkpoint.open({str(folder)!r})\n"
        "head_name(checkpoint, locate(checkpoint))\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
