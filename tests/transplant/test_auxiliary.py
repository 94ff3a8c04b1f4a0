"""Encoders from folders: pooling, batches, and vectors that are kept."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, BertTokenizerFast, T5Config, T5EncoderModel

from tokkit.errors import ModelError
from tokkit.transplant.methods.auxiliary import default_folder, load_auxiliary
from tokkit.transplant.methods.encoder import Encoder
from tokkit.transplant.methods.vector_cache import VectorCache

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefgh", *(f"##{c}" for c in "abcdefgh")]
TEXTS = ["a", " a", "A", "abc", "hello", "ab cd ef", "", "h" * 30, "日", *"bcdefg"]


def write_tokenizer(folder, length=64):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(folder / "vocab.txt"), model_max_length=length)
    tokenizer.save_pretrained(folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A tiny encoder with random weights, as transformers saves it."""
    folder = tmp_path_factory.mktemp("encoder")
    write_tokenizer(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(plain, tmp_path):
    """A copy to change."""
    return shutil.copytree(plain, tmp_path / "copy")


def padded(folder, texts, pool, length=64):
    """Vectors by the formulas of TokenAdapt's code: one padded batch, with a mask."""
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    model = BertModel.from_pretrained(folder).eval()
    batch = tokenizer(
        list(texts), padding=True, truncation=True, max_length=length, return_tensors="pt"
    )
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    return pool(states, batch["attention_mask"].unsqueeze(-1).float())


def mean(states, mask):
    return (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)


def modules(folder, *kinds, pooling=None, **dense):
    """Write what sentence-transformers adds to an encoder."""
    listed = [{"type": "sentence_transformers.models.Transformer", "path": ""}]
    for number, kind in enumerate(kinds, 1):
        path = f"{number}_{kind}"
        listed.append({"type": f"sentence_transformers.models.{kind}", "path": path})
        (folder / path).mkdir(exist_ok=True)
        content = pooling if kind == "Pooling" else dense
        (folder / path / "config.json").write_text(json.dumps(content or {}))
    (folder / "modules.json").write_text(json.dumps(listed))


def close(found, right, rtol=0):
    np.testing.assert_allclose(found, np.asarray(right), atol=2e-6, rtol=rtol)


def test_a_plain_encoder_gets_the_mean_of_its_tokens(plain):
    found = load_auxiliary(plain).embed(TEXTS)
    assert found.dtype == np.float32
    close(found, padded(plain, TEXTS, mean))
    assert not np.allclose(np.linalg.norm(found, axis=1), 1)


def test_vectors_hardly_depend_on_what_is_encoded_beside_them(plain):
    encoder = load_auxiliary(plain)
    together = encoder.embed(TEXTS)
    close(together, np.concatenate([encoder.embed([text]) for text in TEXTS]))
    order = np.random.default_rng(0).permutation(len(TEXTS))
    close(together[order], encoder.embed([TEXTS[place] for place in order]))
    assert encoder.embed([]).shape == (0, 16)


def test_batches_are_bounded(plain, monkeypatch):
    encoder = load_auxiliary(plain)
    together = encoder.embed(TEXTS)
    monkeypatch.setattr("tokkit.transplant.methods.encoder._BATCH", 2)
    monkeypatch.setattr("tokkit.transplant.methods.encoder._TOKENS", 8)
    close(together, encoder.embed(TEXTS))


@pytest.mark.parametrize(
    ("config", "pool"),
    [
        ({"pooling_mode_mean_tokens": True}, mean),
        ({"pooling_mode": "mean"}, mean),
        ({"pooling_mode_cls_token": True}, lambda states, mask: states[:, 0]),
        (
            {"pooling_mode_max_tokens": True},
            lambda states, mask: states.masked_fill(mask == 0, -1e9).amax(1),
        ),
        (
            {"pooling_mode_mean_sqrt_len_tokens": True},
            lambda states, mask: (states * mask).sum(1) / mask.sum(1).sqrt(),
        ),
        (
            {"pooling_mode_weightedmean_tokens": True},
            lambda states, mask: mean(
                states, mask * torch.arange(1, mask.shape[1] + 1)[None, :, None]
            ),
        ),
        (
            {"pooling_mode_lasttoken": True},
            lambda states, mask: torch.stack(
                [row[int(part.sum()) - 1] for row, part in zip(states, mask, strict=True)]
            ),
        ),
        (
            {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
            lambda states, mask: torch.cat([states[:, 0], mean(states, mask)], 1),
        ),
    ],
)
def test_pooling(folder, config, pool):
    modules(folder, "Pooling", "Normalize", pooling=config)
    close(load_auxiliary(folder).embed(TEXTS), padded(folder, TEXTS, pool), rtol=1e-5)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_dense_layer_behind_a_normalization(folder, name):
    modules(
        folder,
        "Pooling",
        "Normalize",
        "Dense",
        pooling={"pooling_mode": "mean"},
        activation_function="torch.nn.modules.activation.Tanh",
    )
    weights = {"linear.weight": torch.randn(5, 16), "linear.bias": torch.randn(5)}
    write = save_file if name == "model.safetensors" else torch.save
    write(weights, folder / "3_Dense" / name)
    vectors = torch.nn.functional.normalize(padded(folder, TEXTS, mean), dim=-1)
    right = torch.tanh(vectors @ weights["linear.weight"].T + weights["linear.bias"])
    close(load_auxiliary(folder).embed(TEXTS), right)


def test_long_texts_are_cut_and_texts_put_in_lower_case(folder):
    (folder / "sentence_bert_config.json").write_text(
        json.dumps({"max_seq_length": 6, "do_lower_case": True})
    )
    found = load_auxiliary(folder).embed(["hhhhhhhh", "hhhh", "HHHH"])
    assert (found == found[0]).all()
    close(found[:1], padded(folder, ["hhhhhhhh"], mean, 6))


def test_the_tokenizer_says_where_texts_are_cut_if_nothing_else_does(folder):
    write_tokenizer(folder, length=5)
    found = load_auxiliary(folder).embed(["aaaaaaaa", "aaa"])
    assert (found[0] == found[1]).all()


def test_half_of_a_translation_model_is_an_encoder(tmp_path):
    write_tokenizer(tmp_path)
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}
    T5EncoderModel(T5Config(vocab_size=len(WORDS), **sizes)).save_pretrained(tmp_path)
    assert load_auxiliary(tmp_path).embed(["abc", "d"]).shape == (2, 8)


def test_progress_counts_different_texts(plain):
    calls = []
    encoder = load_auxiliary(plain, progress=lambda *call: calls.append(call))
    encoder.embed(["a", "A", "b", "abc"])
    assert calls == [("encoding tokens", 2, 3), ("encoding tokens", 3, 3)]


# What is kept.


@pytest.fixture
def forbidden(monkeypatch):
    """Let no encoder run any more, once the test says so."""

    def forbid():
        def run(self, contents):
            assert len(contents) == 1
            return np.zeros((1, 16), dtype=np.float32)

        monkeypatch.setattr(Encoder, "_run", run)

    return forbid


def test_vectors_are_taken_from_the_cache(plain, tmp_path, forbidden):
    encoder = load_auxiliary(plain, cache=tmp_path / "kept")
    first = encoder.embed(TEXTS)
    forbidden()
    again = load_auxiliary(plain, cache=tmp_path / "kept").embed(TEXTS)
    assert first.tobytes() == again.tobytes() == encoder.embed(TEXTS).tobytes()
    (file,) = (tmp_path / "kept").iterdir()
    different = len({tuple(row) for row in first.tolist()})
    assert file.stat().st_size == 24 + different * (16 + 4 + 4 * 16)


def test_a_run_that_was_killed_keeps_what_it_had(plain, tmp_path, monkeypatch):
    cache = tmp_path / "kept"
    encoder = load_auxiliary(plain, cache=cache)
    calls = []
    run = Encoder._run

    def stop(self, contents):
        calls.append(len(contents))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run(self, contents)

    with monkeypatch.context() as patch:
        patch.setattr(Encoder, "_run", stop)
        with pytest.raises(KeyboardInterrupt):
            encoder.embed(TEXTS)
    done = sum(calls[:2])
    calls.clear()
    monkeypatch.setattr(
        Encoder,
        "_run",
        lambda self, contents: calls.append(len(contents)) or run(self, contents),
    )
    found = load_auxiliary(plain, cache=cache).embed(TEXTS)
    close(found, padded(plain, TEXTS, mean))
    different = len({tuple(row) for row in found.tolist()})
    assert sum(calls[1:]) == different - done


def test_another_encoder_has_another_file(folder, tmp_path):
    cache = tmp_path / "kept"
    load_auxiliary(folder, cache=cache).embed(["a"])
    modules(folder, "Pooling", pooling={"pooling_mode": "cls"})
    found = load_auxiliary(folder, cache=cache).embed(["a"])
    close(found, padded(folder, ["a"], lambda states, mask: states[:, 0]))
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("cut", [1, 20, 83])
def test_a_record_that_was_cut_short_is_made_again(plain, tmp_path, cut):
    cache = tmp_path / "kept"
    load_auxiliary(plain, cache=cache).embed(["a", "b", "c"])
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:-cut])
    for _ in range(2):
        close(load_auxiliary(plain, cache=cache).embed(TEXTS), padded(plain, TEXTS, mean))
    assert VectorCache(file, 16).path == file
    assert (file.stat().st_size - 24) % 84 == 0


def test_damaged_vectors_are_not_taken(plain, tmp_path):
    cache = tmp_path / "kept"
    load_auxiliary(plain, cache=cache).embed(["a", "b"])
    (file,) = cache.iterdir()
    content = bytearray(file.read_bytes())
    content[24 + 30] ^= 1
    file.write_bytes(content)
    close(load_auxiliary(plain, cache=cache).embed(["a", "b"]), padded(plain, ["a", "b"], mean))


def test_another_file_of_that_name_is_replaced(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"something else, longer than a header")
    cache = VectorCache(path, 2)
    cache.add([b"one"], np.ones((1, 2), np.float32))
    found, vectors = VectorCache(path, 2).read([b"one", b"two"])
    assert found.tolist() == [True, False]
    assert vectors.tolist() == [[1, 1], [0, 0]]


def test_two_runs_add_to_one_file(tmp_path):
    first, second = (VectorCache(tmp_path / "x", 1) for _ in range(2))
    for number in range(5):
        first.add([b"a%d" % number], np.array([[number]], np.float32))
        second.add([b"b%d" % number], np.array([[-number]], np.float32))
    assert first.read([b"a3", b"b3"])[0].tolist() == [True, False]
    names = [b"%c%d" % (letter, number) for letter in b"ab" for number in range(5)]
    found, vectors = VectorCache(tmp_path / "x", 1).read(names)
    assert found.all()
    assert vectors.ravel().tolist() == [0, 1, 2, 3, 4, 0, -1, -2, -3, -4]


def test_a_cache_that_cannot_be_written_is_no_error(plain, tmp_path):
    (tmp_path / "file").write_text("no folder")
    found = load_auxiliary(plain, cache=tmp_path / "file").embed(["a"])
    close(found, padded(plain, ["a"], mean))


def test_a_cache_that_goes_away_is_no_error(plain, tmp_path):
    encoder = load_auxiliary(plain, cache=tmp_path / "kept")
    encoder.embed(["a"])
    again = load_auxiliary(plain, cache=tmp_path / "kept")
    shutil.rmtree(tmp_path / "kept")
    close(again.embed(["a", "b"]), padded(plain, ["a", "b"], mean))


def test_where_vectors_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "tokkit"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder().parts[-2:] == (".cache", "tokkit")


# What cannot be loaded.


def test_ready_vectors(tmp_path):
    path = tmp_path / "ready.npz"
    np.savez(path, strings=np.array(["a", " b", "\0"]), vectors=np.eye(3, 2))
    vectors = load_auxiliary(path)
    assert vectors.embed([" b", "a", "\0", "a"]).tolist() == [[0, 1], [1, 0], [0, 0], [1, 0]]
    with pytest.raises(ModelError, match=r"ready\.npz: no vector for 'c'"):
        vectors.embed(["a", "c"])


@pytest.mark.parametrize(
    "content", [{"strings": ["a"]}, {"strings": ["a"], "vectors": np.zeros((2, 2))}]
)
def test_files_without_vectors(tmp_path, content):
    np.savez(tmp_path / "x.npz", **content)
    with pytest.raises(ModelError, match=r"x\.npz"):
        load_auxiliary(tmp_path / "x.npz")
    with pytest.raises(ModelError, match=r"y\.npz"):
        load_auxiliary(tmp_path / "y.npz")


def test_code_of_the_encoder_is_not_run(folder):
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "unheard-of", "auto_map": {"AutoModel": "modeling.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modeling.py").write_text("raise SystemExit('was run')")
    with pytest.raises(ModelError, match="needs code of its own"):
        load_auxiliary(folder)


def test_modules_and_poolings_that_are_unknown(folder):
    modules(folder, "Pooling", "CNN")
    with pytest.raises(ModelError, match="names a CNN"):
        load_auxiliary(folder)
    modules(folder, "Pooling", pooling={"pooling_mode": "median"})
    with pytest.raises(ModelError, match="no pooling 'median'"):
        load_auxiliary(folder)
    modules(folder, "Pooling", "Dense", activation_function="torch.nn.Softmin")
    with pytest.raises(ModelError, match="no activation 'Softmin'"):
        load_auxiliary(folder)
    (folder / "modules.json").write_text("{")
    with pytest.raises(ModelError, match="not JSON"):
        load_auxiliary(folder)


def test_no_encoder(folder, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match=r"no config\.json"):
        load_auxiliary(tmp_path)
    (folder / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelError, match="no encoder can be loaded"):
        load_auxiliary(folder)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="no encoder there"):
        load_auxiliary("no such/place/anywhere")


def test_weights_that_are_missing(folder):
    weights = BertModel.from_pretrained(folder).state_dict()
    kept = {name: value for name, value in weights.items() if "layer.1" not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="are missing"):
        load_auxiliary(folder)
