"""Rows of trees against the torch model asked for each sequence on its own."""

import json
import logging
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lm.conftest import write_tokenizer
from tokkit.errors import ModelError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tokkit.lm import HFModel, hf_cache, hf_run  # noqa: E402

SIZE = 40
COMMON = {
    "vocab_size": SIZE,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": None,
}


def config(kind):
    small = {key: COMMON[key] for key in ("vocab_size", "bos_token_id", "eos_token_id")}
    heads = {key: value for key, value in COMMON.items() if key != "num_key_value_heads"}
    gpt2 = {**small, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 64}
    made = {
        "llama": lambda: transformers.LlamaConfig(**COMMON),
        "gpt2": lambda: transformers.GPT2Config(**gpt2),
        "gpt_neox": lambda: transformers.GPTNeoXConfig(**heads),
        "qwen2": lambda: transformers.Qwen2Config(**COMMON),
        "mistral": lambda: transformers.MistralConfig(**COMMON, sliding_window=4),
        "gemma2": lambda: transformers.Gemma2Config(**COMMON, head_dim=4, sliding_window=4),
        "opt": lambda: transformers.OPTConfig(
            **small,
            hidden_size=16,
            ffn_dim=24,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=64,
            word_embed_proj_dim=16,
            pad_token_id=2,
        ),
        "bloom": lambda: transformers.BloomConfig(**small, hidden_size=16, n_layer=2, n_head=4),
        "mamba": lambda: transformers.MambaConfig(
            **small, hidden_size=16, num_hidden_layers=2, state_size=4
        ),
    }
    return made[kind]()


def torch_model(kind, attention="sdpa", dtype=torch.float32):
    torch.manual_seed(0)
    made = transformers.AutoModelForCausalLM.from_config(
        config(kind), attn_implementation=attention
    )
    # As they are initialised these models say much the same whatever came before.
    for weights in made.parameters():
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, std=0.3)
    return made.to(dtype).eval()


def plain_row(model, sequence):
    with torch.inference_mode():
        ids = torch.tensor([sequence])
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, -1]
    return torch.log_softmax(logits, -1).numpy()


MODELS = {}


def cached(tokenizer, kind, attention, dtype):
    key = (kind, attention, dtype)
    if key not in MODELS:
        MODELS[key] = HFModel(torch_model(*key), tokenizer)
    return MODELS[key]


CASES = [
    ("llama", "sdpa", torch.float64),
    ("llama", "eager", torch.float32),
    ("gpt2", "sdpa", torch.float64),
    ("gpt2", "eager", torch.float64),
    ("gpt_neox", "sdpa", torch.float64),
    ("qwen2", "sdpa", torch.float32),
    ("mistral", "sdpa", torch.float64),
    ("mistral", "eager", torch.float32),
    ("gemma2", "eager", torch.float32),
    ("opt", "sdpa", torch.float64),
    ("bloom", "eager", torch.float64),
    ("mamba", "eager", torch.float32),
]
RERUN = ("bloom", "mamba")


def grow(data, tree, allowed):
    """Add up to three nodes below the ones allowed, which the new ones join."""
    for token in data.draw(st.lists(st.integers(0, SIZE - 1), max_size=3)):
        allowed.append(tree.add(data.draw(st.sampled_from(allowed)), token))


@pytest.mark.parametrize(("kind", "attention", "dtype"), CASES)
@settings(max_examples=6)
@given(data=st.data())
def test_rows_of_random_trees(tokenizer, kind, attention, dtype, data):
    model = cached(tokenizer, kind, attention, dtype)
    spare, hf_cache.SPARE = hf_cache.SPARE, 1
    contexts = st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=6)
    trees = [
        model.tree(context) for context in data.draw(st.lists(contexts, min_size=1, max_size=3))
    ]
    allowed = [[0] for _ in trees]
    rows = [[] for _ in trees]
    for _ in range(data.draw(st.integers(1, 5))):
        chosen = data.draw(st.permutations(range(len(trees))))
        chosen = chosen[: data.draw(st.integers(1, len(trees)))]
        for number in chosen:
            grow(data, trees[number], allowed[number])
        for number, found in zip(
            chosen, model.evaluate([trees[n] for n in chosen]), strict=True
        ):
            rows[number].append(found)
            if data.draw(st.booleans()):
                allowed[number] = allowed[number][-data.draw(st.integers(1, 4)) :]
                trees[number].keep(allowed[number])
    hf_cache.SPARE = spare
    tolerance = 1e-10 if dtype == torch.float64 else 2e-5
    for tree, found in zip(trees, rows, strict=True):
        for node, row in enumerate(row for part in found for row in part):
            expected = plain_row(model.model, tree.sequence(node))
            assert row.dtype == expected.dtype
            assert np.abs(row - expected).max() <= tolerance
    assert model.method == ("prefixes rerun" if kind in RERUN else "tree attention")


def test_one_forward_pass_for_all_trees(tokenizer):
    model = HFModel(torch_model("llama"), tokenizer)
    trees = [model.tree([0, 5, 6]), model.tree([0])]
    for token in (4, 5):
        trees[0].add(0, token)
    trees[1].add(trees[1].add(0, 7), 8)
    model.evaluate(trees)
    assert (model.usage.calls, model.usage.tokens) == (1, 10)
    assert model.check_usage.calls == 0
    trees[1].add(2, 9)
    assert [len(rows) for rows in model.evaluate(trees)] == [0, 1]
    assert (model.usage.calls, model.usage.tokens) == (2, 11)


def test_next_logprobs_asks_for_all_prefixes_at_once(tokenizer):
    model = HFModel(torch_model("gpt2"), tokenizer)
    prefixes = [[], [5, 6, 7], [9]]
    rows = model.next_logprobs(prefixes)
    assert model.usage.calls == 1
    for prefix, row in zip(prefixes, rows, strict=True):
        assert np.abs(row - plain_row(model.model, [0, *prefix])).max() <= 2e-5


@pytest.mark.parametrize("kind", ["llama", "mamba"])
def test_too_many_logits_are_split(tokenizer, monkeypatch, kind):
    model = HFModel(torch_model(kind, "eager"), tokenizer)
    assert model.method
    monkeypatch.setattr(hf_run, "BUDGET", 6 * SIZE)
    tree = model.tree()
    for token in range(12):
        tree.add(token // 2, token)
    [rows] = model.evaluate([tree])
    assert model.usage.calls > 1
    for node, row in enumerate(rows):
        assert np.abs(row - plain_row(model.model, tree.sequence(node))).max() <= 2e-5


def test_half_precision_gives_float32(tokenizer):
    model = HFModel(torch_model("llama", dtype=torch.bfloat16), tokenizer)
    rows = model.next_logprobs([[5, 6]])
    assert rows.dtype == np.float32
    assert abs(np.exp(rows.astype(np.float64)).sum() - 1) < 1e-5


def test_forgotten_nodes_cannot_be_added_to(tokenizer, monkeypatch):
    monkeypatch.setattr(hf_cache, "SPARE", 0)
    model = HFModel(torch_model("llama"), tokenizer)
    tree = model.tree()
    kept, lost = tree.add(0, 5), tree.add(0, 6)
    model.evaluate([tree])
    tree.keep([kept])
    for token in range(4):
        kept = tree.add(kept, token)
        model.evaluate([tree])
    tree.add(lost, 3)
    with pytest.raises(ValueError, match="not to be kept"):
        model.evaluate([tree])


def test_fallback_is_said_once(tokenizer, caplog):
    model = HFModel(torch_model("bloom", "eager"), tokenizer)
    with caplog.at_level(logging.WARNING, logger="tokkit"):
        model.next_logprobs([[5]])
        model.next_logprobs([[6]])
    assert len(caplog.records) == 1
    assert 0 < model.check_usage.calls <= 5
    assert model.usage.calls == 2


def test_a_model_that_looks_ahead_is_refused(tokenizer):
    bert = transformers.BertConfig(
        vocab_size=SIZE,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=24,
    )
    torch.manual_seed(0)
    made = transformers.AutoModelForCausalLM.from_config(bert)
    for weights in made.parameters():
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, std=0.3)
    with pytest.raises(ModelError, match="not a causal language model"):
        HFModel(made, tokenizer).next_logprobs([[5]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = write_tokenizer(tmp_path_factory.mktemp("model"))
    torch_model("llama").save_pretrained(place)
    return place


def test_loads_a_folder_without_a_word(folder):
    program = f"from tokkit.lm import HFModel; print(HFModel.load({str(folder)!r}).context)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("64\n", "")


def test_start_and_ends_come_from_the_files(folder, tmp_path):
    model = HFModel.load(folder, dtype="float64")
    assert (model.start, model.ends, model.name) == ((0,), {1}, folder.name)
    assert model.next_logprobs([[]]).dtype == np.float64
    other = write_tokenizer(tmp_path, specials=("<pad>", "<|eot|>"))
    settings_file = {"bos_token": None, "eos_token": {"content": "<|eot|>"}}
    (other / "tokenizer_config.json").write_text(json.dumps(settings_file))
    assert HFModel.load(folder, tokenizer=other).ends == {1}
    assert HFModel.load(folder, start="</s>the").start[:1] == (1,)
    assert HFModel.load(folder, start=[7]).start == (7,)


def test_the_end_stands_for_a_missing_start(tmp_path):
    from tokkit import load

    only_end = load(write_tokenizer(tmp_path, specials=("</s>",)))
    model = HFModel(torch_model("llama"), only_end)
    assert (model.start, model.ends) == ((0,), {0})


def test_bad_folders(folder, tmp_path):
    write_tokenizer(tmp_path / "tokenizer")
    with pytest.raises(ModelError, match=r"no config\.json"):
        HFModel.load(tmp_path / "tokenizer")
    torch_model("llama").save_pretrained(tmp_path / "model")
    with pytest.raises(ModelError, match="--tokenizer"):
        HFModel.load(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no language model can be loaded"):
        HFModel.load(tmp_path / "model", tokenizer=folder)
    with pytest.raises(ModelError, match="no dtype 'float7'"):
        HFModel.load(folder, dtype="float7")


def test_a_masked_model_is_refused_when_loaded(tmp_path):
    write_tokenizer(tmp_path)
    sizes = {"vocab_size": SIZE, "hidden_size": 16, "intermediate_size": 24}
    bert = transformers.BertConfig(**sizes, num_hidden_layers=1, num_attention_heads=2)
    transformers.BertForMaskedLM(bert).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="is a masked language model"):
        HFModel.load(tmp_path)


def test_missing_weights_are_not_made_up(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    write_tokenizer(tmp_path)
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    weights = load_file(folder / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"model\.norm\.weight .* missing"):
        HFModel.load(tmp_path)


def test_bad_requests(tokenizer, bare_tokenizer):
    made = torch_model("llama")
    model = HFModel(made, tokenizer)
    with pytest.raises(ModelError, match="id 40 is outside"):
        model.next_logprobs([[SIZE]])
    with pytest.raises(ModelError, match="65 tokens is longer than the context of 64"):
        model.next_logprobs([[5] * 64])
    with pytest.raises(ModelError, match="at least one token"):
        model.tree([])
    with pytest.raises(ModelError, match="--start"):
        HFModel(made, bare_tokenizer)
    assert HFModel(made, bare_tokenizer, start=[3]).ends == frozenset()
    with torch.no_grad():
        made.lm_head.weight[3, 2] = float("nan")
    with pytest.raises(ModelError, match="not numbers"):
        model.next_logprobs([[5]])


def test_text_ids_beyond_the_model(tokenizer):
    made = torch_model("llama")
    made.resize_token_embeddings(len(tokenizer) - 1)
    with pytest.raises(ModelError, match="only 32 rows"):
        HFModel(made, tokenizer)


def test_importing_tokkit_lm_leaves_torch_alone():
    program = "import sys, tokkit.lm; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_torch_missing_is_said():
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from tokkit.errors import MissingExtraError\n"
        "try:\n    from tokkit.lm import HFModel\n"
        "except MissingExtraError as error:\n    print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "tokkit-toolkit[torch]" in ran.stdout


def test_known_text_of_stories260k(shared):
    model = HFModel.load(shared / "models" / "stories260k")
    ids = model.tokenizer.encode("Once upon a time").tolist()
    tree = model.tree([*model.start, *ids])
    node, text = 0, []
    [rows] = model.evaluate([tree])
    for _ in range(40):
        text.append(int(rows[-1].argmax()))
        node = tree.add(node, text[-1])
        tree.keep([node])
        [rows] = model.evaluate([tree])
    known = (
        ", there was a little girl named Lily. She loved to play outside in the park. "
        "One day, she saw a big, red ball."
    )
    assert model.tokenizer.decode([*ids, *text]).decode().startswith("Once upon a time" + known)
    assert model.usage.calls == 41
