"""Whole transplantations of small models, as transformers sees them."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import tokkit
from tests.transplant import models
from tokkit.errors import JobError, ModelError, TokkitError, UsageError
from tokkit.transplant import Options, Plan, prepare, transplant
from tokkit.transplant.account import ACCOUNT
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.tensors import read

torch = pytest.importorskip("torch")

SPECIALS = ("<s>", "</s>", "<pad>")


def write_tokenizer(folder, words, specials=SPECIALS, gap=0):
    """Write a byte-level tokenizer of all bytes, some merges of letters, and special tokens."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers import models as kinds

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens, merges = list(alphabet), []
    for word in words:
        whole = word[0]
        for letter in word[1:]:
            if whole + letter not in tokens:
                tokens.append(whole + letter)
                merges.append((whole, letter))
            whole += letter
    vocab = {token: i for i, token in enumerate(tokens)}
    vocab |= {text: len(tokens) + gap + i for i, text in enumerate(specials)}
    tokenizer = Tokenizer(kinds.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(specials))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast"}
    roles = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    config |= {role: text for role, text in roles.items() if text in specials}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_tokenizer(tmp_path_factory.mktemp("source"), ["the", "ing", "Ġa", "Ġth"])


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    words = ["Ġthe", "thing", "ing", "Ġand", "é"]
    return write_tokenizer(tmp_path_factory.mktemp("target"), words)


@pytest.fixture(scope="module")
def make(source, tmp_path_factory):
    """Write a random model with the source tokenizer, such as ``make("gpt2")``."""

    def write(name="llama", extra=0, **changes):
        size = len(tokkit.load(source)) + extra
        folder = tmp_path_factory.mktemp(name)
        if "text_config" in models.ARCHITECTURES[name][1]:
            text = models.ARCHITECTURES[name][1]["text_config"]
            changes = {"text_config": {**text, "vocab_size": size}} | changes
        models.save(name, folder, vocab_size=size, **changes)
        for path in source.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        return folder

    return write


def rows_of(folder):
    """Input rows, output rows and bias of a model, as transformers has them."""
    model = models.load(folder)
    head = model.get_output_embeddings()
    return (
        model.get_input_embeddings().weight.detach().float().numpy(),
        head.weight.detach().float().numpy(),
        None if head.bias is None else head.bias.detach().float().numpy(),
    )


def contents(folder, without=()):
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.name not in without
    }


# Of each kind one; which tensors are the embeddings of others is tested by itself.
ARCHITECTURES = ("llama", "gpt2", "gpt_neox", "phi", "mamba", "bert", "modernbert")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_any_architecture_is_moved(name, make, target, tmp_path):
    model = make(name)
    transplant(model, target, tmp_path / "out", Options(pad_to=16))
    before, after = rows_of(model), rows_of(tmp_path / "out")
    ours, theirs = tokkit.load(model).vocab, tokkit.load(target).vocab
    assert len(after[0]) % 16 == 0
    for old, new in zip(before, after, strict=True):
        assert (old is None) == (new is None)
        if old is None:
            continue
        # An oracle which knows the two vocabularies alone.
        for token, text in enumerate(theirs.tokens):
            if text in ours.ids:
                np.testing.assert_array_equal(new[token], old[ours.ids[text]])
        for text in SPECIALS:
            np.testing.assert_array_equal(new[theirs.specials[text]], old[ours.specials[text]])
        assert np.isfinite(new).all()
    check_body(model, tmp_path / "out")
    model = models.load(tmp_path / "out")
    ids = torch.tensor([tokkit.load(target).encode("the thing and").tolist()])
    logits = model(input_ids=ids).logits
    assert logits.shape[-1] == len(after[0])
    assert (logits.argmax(dim=-1) < len(theirs)).all()


def check_body(before, after):
    """All tensors but those of tokens are the same bytes."""
    old, new = Checkpoint.open(before).tensors, Checkpoint.open(after).tensors
    hashes = json.loads((after / ACCOUNT).read_text())["tensor_hashes"]
    assert hashes.keys() == new.keys()
    same = [name for name in new if hashes[name]["copied"]]
    assert same
    for name in same:
        assert read(new[name]).tobytes() == read(old[name]).tobytes()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_same_tokenizer_changes_no_byte(tied, dtype, make, source, tmp_path):
    model = make(tie_word_embeddings=tied, dtype=dtype, extra=7)
    transplant(model, source, tmp_path / "out", Options(verify=True))
    files = contents(tmp_path / "out")
    assert files["model.safetensors"] == (model / "model.safetensors").read_bytes()


def test_weights_in_several_files_stay_in_several_files(make, target, tmp_path):
    model = make(tie_word_embeddings=False, shard_size="20KB")
    assert len(list(model.glob("*.safetensors"))) > 2
    transplant(model, target, tmp_path / "out", Options(verify=True))
    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    sizes = [tensor.size for tensor in Checkpoint.open(tmp_path / "out").tensors.values()]
    assert index["metadata"]["total_size"] == sum(sizes)


def test_a_tied_head_gets_rows_of_its_own(make, target, tmp_path):
    model = make(tie_word_embeddings=True)
    options = Options(method_in="last", method_out="front", untie=True, verify=True)
    transplant(model, target, tmp_path / "out", options)
    assert not json.loads((tmp_path / "out" / "config.json").read_text())["tie_word_embeddings"]
    old = rows_of(model)[0]
    first, second, _ = rows_of(tmp_path / "out")
    ours, theirs = tokkit.load(model).vocab, tokkit.load(target).vocab
    token = theirs.ids[b" the"]
    parts = [ours.ids[b" "], ours.ids[b"the"]]
    np.testing.assert_allclose(first[token], old[parts[1]], atol=1e-6)
    np.testing.assert_allclose(second[token], old[parts].T @ [2 / 3, 1 / 3], atol=1e-6)


def test_a_tied_head_is_not_made_in_two_ways(make, target, tmp_path):
    model = make(tie_word_embeddings=True)
    options = Options(method_in="last", method_out="front")
    with pytest.raises(UsageError, match="--untie"):
        transplant(model, target, tmp_path / "out", options)
    with pytest.raises(UsageError, match="own already"):
        transplant(make(tie_word_embeddings=False), target, tmp_path / "o", Options(untie=True))


def test_the_same_request_gives_the_same_bytes(make, target, tmp_path):
    model = make()
    options = Options(method_in="random", method_out="random", seed=5)
    for name in ("one", "two"):
        transplant(model, target, tmp_path / name, options)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    transplant(model, target, tmp_path / "three", Options(**{**vars(options), "seed": 6}))
    first = contents(tmp_path / "one")["model.safetensors"]
    assert contents(tmp_path / "three")["model.safetensors"] != first


@pytest.mark.parametrize("tied", [False, True])
def test_a_donor_is_asked_for_the_side_that_matters(tied, make, target, tmp_path):
    model = make(tie_word_embeddings=tied)
    size = len(tokkit.load(target))
    donor = tmp_path / "donor"
    models.save("llama", donor, vocab_size=size, tie_word_embeddings=False, seed=7)
    for path in target.iterdir():
        (donor / path.name).write_bytes(path.read_bytes())
    options = Options(method_in="knn", method_out="knn", donor=donor, verify=True)
    transplant(model, target, tmp_path / "out", options)
    plan = Plan.load(tmp_path / "out")
    shared = [i for i, origin in enumerate(plan.halves["input"].origins) if origin == 0]
    token = plan.find("thing")
    theirs = rows_of(donor)
    for side, rows in (("input", theirs[1 if tied else 0]), ("output", theirs[1])):
        distances = np.linalg.norm(rows[shared] - rows[token], axis=1)
        nearest = {plan.target.tokens[shared[i]] for i in np.argsort(distances)[:10]}
        parts = plan.halves[side].rows.row(token)
        assert {plan.source.tokens[number] for number, _ in parts} == nearest


def test_a_tokenizer_of_the_hub_comes_with_roles_and_template(
    make, target, tmp_path, monkeypatch
):
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    for path in target.iterdir():
        (snapshot / path.name).write_bytes(path.read_bytes())
    template = "{% for m in messages %}<s>{{ m.content }}</s>{% endfor %}"
    (snapshot / "chat_template.jinja").write_text(template)
    asked = []

    def download(name, *, allow_patterns, local_files_only):
        asked.append(name)
        assert "*.jinja" in allow_patterns
        return str(snapshot)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.setattr("tokkit.weights.checkpoint._answers", lambda _: True)
    transplant(make(), "someone/tokenizer", tmp_path / "out")
    assert asked == ["someone/tokenizer"]
    assert (tmp_path / "out" / "chat_template.jinja").read_text() == template
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["eos_token_id"] == tokkit.load(target).vocab.specials["</s>"]


def test_a_plan_serves_another_model_of_the_family(make, target, tmp_path):
    small, large = make(), make(hidden_size=32, seed=3)
    transplant(small, target, tmp_path / "small", save_plan=tmp_path / "family.plan")
    options = Options(plan=tmp_path / "family.plan")
    transplant(large, target, tmp_path / "planned", options)
    transplant(large, target, tmp_path / "direct")
    written = [contents(tmp_path / each)["model.safetensors"] for each in ("planned", "direct")]
    assert written[0] == written[1]
    with pytest.raises(UsageError, match="another target"):
        transplant(small, small, tmp_path / "no", options)


def test_gaps_between_ids_are_padding(make, tmp_path):
    gaps = write_tokenizer(tmp_path / "gaps", ["Ġthe"], gap=6)
    transplant(make(), gaps, tmp_path / "out", Options(verify=True))
    plan = Plan.load(tmp_path / "out")
    assert plan.counts("input")["unused"] == 6
    assert len(rows_of(tmp_path / "out")[0]) == len(tokkit.load(gaps))


def test_generation_ends_with_the_new_end(make, target, tmp_path):
    model = make()
    ends = tokkit.load(model).vocab.specials["</s>"]
    settings = {"eos_token_id": [ends], "suppress_tokens": [5, ends], "temperature": 0.5}
    (model / "generation_config.json").write_text(json.dumps(settings))
    transplant(model, target, tmp_path / "out")
    said = json.loads((tmp_path / "out" / "generation_config.json").read_text())
    new = tokkit.load(target).vocab
    assert said["eos_token_id"] in (new.specials["</s>"], [new.specials["</s>"]])
    suppressed = [new.ids[tokkit.load(model).vocab.tokens[5]], new.specials["</s>"]]
    assert said["suppress_tokens"] == suppressed
    assert said["temperature"] == 0.5


def test_a_special_token_without_a_role_is_told_of(make, tmp_path):
    target = write_tokenizer(tmp_path / "target", [], ("<s>", "</s>", "<|tool|>"))
    report = transplant(make(), target, tmp_path / "out")
    assert any("<|tool|>" in warning for warning in report.content["warnings"])
    [tool] = [each for each in report.content["special_tokens"] if each["token"] == "<|tool|>"]
    assert tool["origin"] == "mean"
    options = Options(overrides=["<|tool|>=</s>"])
    report = transplant(make(), target, tmp_path / "other", options)
    assert not any("<|tool|>" in warning for warning in report.content["warnings"])


def spoil(kind, folder):
    """Damage a model in some way."""
    weights = folder / "model.safetensors"
    config = json.loads((folder / "config.json").read_text())
    match kind:
        case "no tokenizer":
            (folder / "tokenizer.json").unlink()
        case "no weights":
            weights.unlink()
        case "a pickle":
            weights.rename(folder / "pytorch_model.bin")
        case "cut off":
            weights.write_bytes(weights.read_bytes()[:-100])
        case "not weights":
            weights.write_bytes(b"nothing of the kind")
        case "no config":
            (folder / "config.json").unlink()
        case "quantised":
            config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
            (folder / "config.json").write_text(json.dumps(config))
        case "unknown":
            config |= {"model_type": "whatever", "architectures": ["WhateverForCausalLM"]}
            (folder / "config.json").write_text(json.dumps(config))
            tensors = weights.read_bytes().replace(b"embed_tokens", b"embed_tokenz")
            weights.write_bytes(tensors)


KINDS = [
    *("no tokenizer", "no weights", "a pickle", "cut off", "not weights", "no config"),
    *("quantised", "unknown"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_spoilt_model_is_refused_in_a_line_and_nothing_is_written(
    kind, make, target, tmp_path
):
    model = make()
    spoil(kind, model)
    with pytest.raises(ModelError) as caught:
        transplant(model, target, tmp_path / "out")
    assert len(str(caught.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_ids_beyond_the_rows_are_refused(make, target, tmp_path):
    model = make(extra=-4)
    with pytest.raises(ModelError, match="rows"):
        transplant(model, target, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_what_is_there_stays_unless_it_may_be_replaced(make, target, tmp_path):
    model = make()
    (tmp_path / "photo.jpg").write_bytes(b"beach")
    for force in (False, True):
        with pytest.raises(UsageError):
            transplant(model, target, tmp_path, force=force)
    with pytest.raises(UsageError):
        transplant(model, target, model, force=True)
    transplant(model, target, tmp_path / "out")
    with pytest.raises(UsageError):
        transplant(model, target, tmp_path / "out")
    transplant(model, target, tmp_path / "out", force=True)
    assert (tmp_path / "photo.jpg").read_bytes() == b"beach"


def test_a_full_disk_leaves_nothing(make, target, tmp_path, monkeypatch):
    from tokkit.weights import writing

    model = make()
    before = contents(model)
    real, left = os.write, [30_000]

    def write(file, data):
        left[0] -= len(data)
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return real(file, data)

    monkeypatch.setattr(writing.os, "write", write)
    with pytest.raises(JobError, match="disk is full"):
        transplant(model, target, tmp_path / "out")
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())
    assert contents(model) == before
    transplant(model, target, tmp_path / "out")


def test_a_killed_job_leaves_no_half_model_and_runs_again(make, target, tmp_path):
    model = make()
    before = contents(model)
    slow = (
        "import sys, time\n"
        "from tokkit.transplant import run\n"
        "real = run.write_metadata\n"
        "run.write_metadata = lambda *a: (print('now', flush=True), time.sleep(60))\n"
        "run.transplant(*sys.argv[1:])\n"
    )
    arguments = [sys.executable, "-c", slow, model, target, tmp_path / "out"]
    with subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"now\n"
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "out").exists()
    assert contents(model) == before
    start = time.monotonic()
    transplant(model, target, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert time.monotonic() - start < 60


def test_nothing_is_written_to_see_what_would_be_done(make, target, tmp_path):
    prepared = prepare(make(), target, Options(untie=False))
    said = prepared.as_json()
    assert said["plan"]["input"]["rows"]["copied"] > 250
    assert not list(tmp_path.iterdir())
    json.dumps(said)


@pytest.mark.parametrize(
    "wrong",
    [
        {"method_in": "nothing"},
        {"method_in": "tokenadapt"},
        {"dtype": "int8"},
        {"tune": 5},
        {"overrides": ["nothing"]},
    ],
)
def test_a_request_that_cannot_work_is_refused(wrong, make, target, tmp_path):
    with pytest.raises(TokkitError):
        transplant(make(), target, tmp_path / "out", Options(**wrong))
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Text for what runs models."""
    lines = [
        f"the thing number {number} and the other thing are singing, said {number % 7} of them"
        for number in range(600)
    ]
    path = tmp_path_factory.mktemp("text") / "text.jsonl"
    path.write_text("\n".join(json.dumps({"text": line}) for line in lines))
    return path


def costs(folder, text):
    """Bits per byte of the text, each document by itself, through transformers alone."""
    from transformers import AutoTokenizer

    model, tokenizer = models.load(folder), AutoTokenizer.from_pretrained(folder)
    nats = size = 0
    for line in text.read_text().split("\n")[:40]:
        document = json.loads(line)["text"]
        ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer.encode(document)]])
        with torch.inference_mode():
            logprobs = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        nats -= logprobs.gather(1, ids[0, 1:, None]).sum().item()
        size += len(document.encode())
    return nats / np.log(2) / size


@pytest.mark.slow
@pytest.mark.parametrize("tied", [False, True])
def test_new_rows_are_calibrated_and_tuned_and_nothing_else_is(
    tied, make, target, text, tmp_path
):
    model = make(tie_word_embeddings=tied)
    ways = {
        "plain": {},
        "calibrated": {"calibrate": [str(text)]},
        "tuned": {"tune": 30, "tune_corpus": [str(text)], "verify": True},
    }
    rows = {}
    for name, way in ways.items():
        transplant(model, target, tmp_path / name, Options(**way))
        check_body(model, tmp_path / name)
        rows[name] = rows_of(tmp_path / name)[:2]
    guesses = Plan.load(tmp_path / "plain").halves["input"].guesses
    for name in ("calibrated", "tuned"):
        for before, after in zip(rows["plain"], rows[name], strict=True):
            np.testing.assert_array_equal(before[: len(guesses)][~guesses], after[~guesses])
    changed = [(rows["plain"][i] != rows["calibrated"][i]).any() for i in (0, 1)]
    assert changed == [tied, True]
    plain, tuned = (costs(tmp_path / name, text) for name in ("plain", "tuned"))
    assert tuned < plain


@pytest.mark.parametrize("untie", [False, True])
def test_a_tied_head_that_was_saved_all_the_same_is_kept_up(
    untie, make, target, text, tmp_path
):
    from safetensors.torch import load_file, save_file

    model = make(tie_word_embeddings=True)
    weights = load_file(model / "model.safetensors")
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()
    save_file(weights, model / "model.safetensors", {"format": "pt"})
    options = Options(tune=5, tune_corpus=[str(text)], untie=untie, verify=True)
    transplant(model, target, tmp_path / "out", options)
    tensors = Checkpoint.open(tmp_path / "out").tensors
    first, second = (read(tensors[f"{n}.weight"]) for n in ("model.embed_tokens", "lm_head"))
    assert (first == second).all() != untie
    loaded = rows_of(tmp_path / "out")
    np.testing.assert_array_equal(loaded[0], first)
    np.testing.assert_array_equal(loaded[1], second)


def test_bits_per_byte_are_those_of_transformers(make, target, text, tmp_path):
    model = make(tie_word_embeddings=False)
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(text.read_text().split("\n")[:40]))
    report = transplant(model, target, tmp_path / "out", Options(evaluate=[few]))
    [found] = [
        each
        for each in report.as_json()["evaluation"]["slices"]
        if each["slice"] == "few.jsonl"
    ]
    assert found["bits_per_byte_before"] == pytest.approx(costs(model, text), rel=1e-4)
    assert found["bits_per_byte_after"] == pytest.approx(
        costs(tmp_path / "out", text), rel=1e-4
    )
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"{found['bits_per_byte_after']:.3f}" in card


@pytest.mark.slow
def test_a_killed_tuning_goes_on_where_it_was(make, target, text, tmp_path):
    model = make()
    options = {"tune": 60, "tune_corpus": [str(text)]}
    transplant(model, target, tmp_path / "whole", Options(**options))
    kill = (
        "import os, sys, json\n"
        "from pathlib import Path\n"
        "from tokkit.transplant import Options, transplant\n"
        "def watch(stage, done, total):\n"
        "    if stage == 'tuning' and done >= 55:\n"
        "        os.kill(os.getpid(), 9)\n"
        "transplant(*sys.argv[1:4], Options(**json.loads(sys.argv[4])), progress=watch)\n"
    )
    output = tmp_path / "killed"
    arguments = [sys.executable, "-c", kill, model, target, output, json.dumps(options)]
    done = subprocess.run(list(map(str, arguments)), check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not output.exists()
    steps = []
    transplant(
        model,
        target,
        output,
        Options(**options),
        progress=lambda stage, done, _: steps.append(done) if stage == "tuning" else None,
    )
    assert contents(output) == contents(tmp_path / "whole")
    assert min(steps) > 0
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_a_file_that_the_library_reads_otherwise_is_a_target_all_the_same(make, tmp_path):
    """What is written is what the model is moved onto, and the difference is told."""
    import sentencepiece
    import transformers

    path = tmp_path / "own.model"
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["the cat sat on the mat", "nothing is the thing"] * 9),
            model_writer=file,
            vocab_size=300,
            hard_vocab_limit=False,
            byte_fallback=True,
            minloglevel=2,
            num_threads=1,
        )
    transplant(make(), path, tmp_path / "new", Options(verify=True))
    said = json.loads((tmp_path / "new" / ACCOUNT).read_text())
    assert "than in the original file" in said["warnings"][0]
    assert said["verification"]["ok"]
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path / "new")
    reader = sentencepiece.SentencePieceProcessor(model_file=str(path))
    for text in ("the cat sat", "nothing new: é 東"):
        assert loaded.encode(text, add_special_tokens=False) == reader.encode(text)
    assert len(loaded) == reader.get_piece_size()
