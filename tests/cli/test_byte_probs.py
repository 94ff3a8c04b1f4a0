"""``tokkit byte-probs``: what it prints, and what it refuses."""

import csv
import json
import math
import shutil

import numpy as np
import pytest
import torch
import transformers

import tokkit as library

COMMANDS = ("next", "score", "sample", "fill")
DOCUMENTS = ["It was the best of times", "", "été 東京", "the worst"]
CONTEXT = 64


def make_model(folder, tokenizer, **changes):
    """Write a small random model beside a tokenizer's files."""
    size = len(library.load(tokenizer))
    end = library.load(tokenizer).vocab.specials["<|end|>"]
    torch.manual_seed(0)
    settings = {
        "vocab_size": size,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": CONTEXT,
        "bos_token_id": end,
        "eos_token_id": end,
        "initializer_range": 0.4,
    }
    config = transformers.LlamaConfig(**(settings | changes))
    model = transformers.LlamaForCausalLM(config)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    return model


@pytest.fixture(scope="session")
def tiny(trained, tmp_path_factory):
    """A folder with a random model; its text is random, its probabilities are not."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    make_model(folder, trained)
    return folder


@pytest.fixture
def stories(shared):
    return shared / "models" / "stories260k"


@pytest.fixture
def documents(tmp_path):
    path = tmp_path / "documents.txt"
    path.write_text("".join(f"{text}\n" for text in DOCUMENTS), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def ask(invoke):
    """Run a command under ``tokkit byte-probs`` that works, and read the JSON it prints."""

    def run(*arguments, **options):
        result = invoke("byte-probs", *arguments, "-q", "--json", **options)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


# -- next


def test_next_is_a_distribution_of_257_outcomes(ask, tiny):
    found = ask("next", tiny, "--prefix", "It was t")
    assert list(found["probs"]) == [str(byte) for byte in range(256)]
    assert math.fsum(found["probs"].values()) + found["eos"] == pytest.approx(1, abs=1e-9)
    assert (found["segmentation"], found["exact"]) == ("renorm", True)
    assert found["logp_prefix"] < 0 < found["leaked"]["noncanonical"]


def test_probabilities_multiply_to_those_of_texts(ask, tiny):
    """One byte after the other says the same as all of them at once."""
    text = "It é"
    before = ask("next", tiny, "--prefix", "")
    total = 0.0
    for end, byte in enumerate(text.encode(), 1):
        total += math.log(before["probs"][str(byte)])
        before = ask("next", tiny, "--prefix-hex", text.encode()[:end].hex())
        assert before["logp_prefix"] == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("segmentation", ["renorm", "mask", "all"])
def test_a_prefix_is_the_same_as_text_as_hex_and_as_a_file(ask, tiny, tmp_path, segmentation):
    (tmp_path / "prefix").write_bytes("é w".encode())
    given = [("--prefix", "é w"), ("--prefix-hex", "c3 a9 2077"), ("--prefix-file", "prefix")]
    given[2] = ("--prefix-file", tmp_path / "prefix")
    found = [ask("next", tiny, *each, "--segmentation", segmentation) for each in given]
    assert found[0]["segmentation"] == segmentation
    assert found[0] == found[1] == found[2]


def test_compare_shows_what_the_torch_model_says_of_tokens(ask, tiny, trained):
    found = ask("next", tiny, "--prefix", "It was t", "--compare", "--top", "5")["tokens"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained)
    ids = tokenizer.encode("It was t")
    assert [each["id"] for each in found["prompt"]] == ids
    model = transformers.LlamaForCausalLM.from_pretrained(tiny)
    end = model.config.eos_token_id
    logits = model(torch.tensor([[end, *ids]])).logits[0, -1].double()
    probs = torch.softmax(logits, -1).tolist()
    expected = sorted(range(len(probs)), key=lambda token: -probs[token])[:5]
    assert [each["id"] for each in found["next"]] == expected
    assert found["next"][0]["p"] == pytest.approx(probs[expected[0]], abs=1e-6)
    begins = [token for token, text in enumerate(library.load(trained).vocab.tokens) if text]
    first = {token: library.load(trained).vocab.tokens[token][0] for token in begins[:]}
    with_h = sum(probs[token] for token, byte in first.items() if byte == ord("h"))
    assert found["probs"][str(ord("h"))] == pytest.approx(with_h, abs=1e-6)
    assert found["eos"] == pytest.approx(probs[end], abs=1e-6)


def test_an_ensemble_of_a_model_with_itself_is_that_model(ask, tiny):
    alone = ask("next", tiny, "--prefix", "the wo")
    for mix in ("mixture", "product"):
        both = ask("next", tiny, "--prefix", "the wo", "--ensemble", tiny, "--mix", mix)
        assert (both["mix"], both["models"]) == (mix, [str(tiny), str(tiny)])
        assert both["eos"] == pytest.approx(alone["eos"], rel=1e-6)
        assert both["probs"] == pytest.approx(alone["probs"], rel=1e-6)
        assert both["logp_prefix"] == pytest.approx(alone["logp_prefix"], abs=1e-5)


def test_the_table_shows_bytes_as_text_where_they_are_text(invoke, tiny):
    result = invoke("byte-probs", "next", tiny, "--prefix", "It was", "--top", 257, "-q")
    rows = [line.split() for line in result.stdout.splitlines()]
    codes = {f"{byte:02X}" for byte in range(256)}
    shown = {row[0]: row[1] for row in rows if row and row[0] in codes}
    assert len(shown) == 256
    assert [shown[code] for code in ("61", "20", "0A", "E2", "07")] == [
        "a",
        "␠",
        "\\n",
        "<E2>",
        "\\x07",
    ]
    assert "end of text" in result.stdout
    assert "others" not in result.stdout


def test_a_byte_that_completes_a_character_is_shown_as_that(invoke, tiny):
    arguments = ("--prefix-hex", "c3", "--top", 80, "--compare")
    result = invoke("byte-probs", "next", tiny, *arguments, "-q")
    assert result.exit_code == 0, result.stderr
    assert any(line.split()[:2] == ["A9", "é"] for line in result.stdout.splitlines())
    assert "after <C3>" in result.stdout


@pytest.mark.parametrize("segmentation", ["renorm", "all"])
def test_of_a_prefix_past_the_context_the_end_is_read(ask, tiny, segmentation):
    arguments = ("--prefix", "the worst " * 30, "--segmentation", segmentation, "--beam", 2)
    long = ask("next", tiny, *arguments)
    assert math.fsum(long["probs"].values()) + long["eos"] == pytest.approx(1, abs=1e-9)
    assert long["logp_prefix"] < -100


def test_what_it_cost_is_said_on_request(invoke, ask, tiny):
    stats = ask("next", tiny, "--prefix", "the", "--stats")["stats"]
    assert 1 <= stats["forward_calls"] <= stats["forward_tokens"]
    result = invoke("byte-probs", "next", tiny, "--prefix", "the", "--stats")
    assert "forward passes" in result.stderr
    assert "forward passes" not in result.stdout


# -- score


def test_score_adds_up(ask, tiny, documents):
    found = ask("score", tiny, documents, "--per-byte", "--end")
    rows, total = found["documents"], found["total"]
    assert [row["document"] for row in rows] == [0, 1, 2, 3]
    assert [row["bytes"] for row in rows] == [len(text.encode()) for text in DOCUMENTS]
    for row in rows:
        assert len(row["byte_logprobs"]) == row["bytes"]
        assert math.fsum(row["byte_logprobs"]) == pytest.approx(row["logprob"], abs=1e-6)
        assert row["logprob_end"] < 0
    assert rows[1]["bits_per_byte"] is None
    bits = [-row["logprob"] / math.log(2) for row in rows]
    sizes = [row["bytes"] for row in rows]
    assert total["bits_per_byte"] == pytest.approx(sum(bits) / sum(sizes))
    means = [bit / size for bit, size in zip(bits, sizes, strict=True) if size]
    assert total["mean_bits_per_byte"] == pytest.approx(sum(means) / 3)
    assert (total["documents"], total["refused"], total["bytes"]) == (4, 0, sum(sizes))


def test_score_of_tokens_is_that_of_the_torch_model(ask, tiny, trained):
    row = ask("score", tiny, input=DOCUMENTS[0])["documents"][0]
    model = transformers.LlamaForCausalLM.from_pretrained(tiny)
    ids = library.load(trained).encode(DOCUMENTS[0]).tolist()
    logits = model(torch.tensor([[model.config.eos_token_id, *ids]])).logits[0].double()
    logprobs = torch.log_softmax(logits, -1)
    expected = sum(logprobs[place, token].item() for place, token in enumerate(ids))
    assert row["tokens"] == len(ids)
    assert row["token_logprob"] == pytest.approx(expected, abs=1e-4)
    assert row["logprob"] > row["token_logprob"]


def test_the_end_is_what_next_says(ask, tiny):
    row = ask("score", tiny, "--end", input="the wo")["documents"][0]
    found = ask("next", tiny, "--prefix", "the wo")
    assert row["logprob_end"] == pytest.approx(math.log(found["eos"]), abs=1e-5)
    assert row["logprob"] == pytest.approx(found["logp_prefix"], abs=1e-5)


def test_the_total_alone_is_the_same_and_costs_less(ask, tiny):
    text = " ".join(DOCUMENTS)
    every = ask("score", tiny, "--per-byte", "--stats", input=text)
    total = ask("score", tiny, "--total-only", "--stats", input=text)
    assert total["total"]["logprob"] == pytest.approx(every["total"]["logprob"], abs=1e-5)
    spent = [found["stats"]["forward_tokens"] for found in (total, every)]
    assert spent[0] < spent[1]


def test_every_format_has_the_same_numbers(invoke, ask, tiny, documents, tmp_path):
    expected = ask("score", tiny, documents)
    for suffix in ("json", "jsonl", "csv"):
        output = tmp_path / f"scores.{suffix}"
        result = invoke("byte-probs", "score", tiny, documents, "-o", output, "-q", "--json")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["total"] == expected["total"]
    assert json.loads((tmp_path / "scores.json").read_text()) == expected
    lines = (tmp_path / "scores.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == expected["documents"]
    with (tmp_path / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["logprob"]) for row in rows] == [
        row["logprob"] for row in expected["documents"]
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "documents.txt",
        "scores.csv",
        "scores.json",
        "scores.jsonl",
    ]


def test_a_killed_job_is_gone_on_with(invoke, ask, tiny, documents, tmp_path):
    output = tmp_path / "scores.jsonl"
    arguments = ("byte-probs", "score", tiny, documents, "-o", output, "-q")
    assert invoke(*arguments).exit_code == 0
    complete = output.read_text().splitlines()
    request = make_partial(invoke, arguments, output)
    done = json.loads(complete[0]) | {"tokens": 12345}  # to be recognised by
    torn = '{"document": 1, "by'
    partial = tmp_path / "scores.jsonl.partial"
    partial.write_text("\n".join([request, json.dumps(done), torn]))
    output.unlink()
    assert invoke(*arguments, "--end", "--resume").exit_code == 2
    assert invoke(*arguments, "--resume").exit_code == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert rows == [done, *map(json.loads, complete[1:])]
    assert not partial.exists()


def make_partial(invoke, arguments, output):
    """The first line of what a killed job leaves: what it was asked for."""
    partial = output.with_name(f"{output.name}.partial")
    kept = []
    path = output.with_name("second.txt")
    path.write_bytes(b"ok\n" * 40 + b"\xff\n")
    from tokkit.byteprobs import table_io

    original = table_io.Table.write
    try:
        table_io.Table.write = lambda table, row: (original(table, row), kept.append(row))[0]
        assert invoke(*arguments, "--force").exit_code == 0
    finally:
        table_io.Table.write = original
    path.unlink()
    assert not partial.exists()
    return json.dumps(kept[0])


def test_records_are_documents(ask, tiny, tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text("\n".join(json.dumps({"body": text}) for text in DOCUMENTS))
    found = ask("score", tiny, path, "--text-column", "body")
    assert [row["bytes"] for row in found["documents"]] == [
        len(text.encode()) for text in DOCUMENTS
    ]


def test_an_impossible_document_is_named_or_left_out(invoke, ask, tiny, tmp_path):
    path = tmp_path / "bad.txt"
    path.write_bytes(b"good\nbad \xff\nok\n")
    output = tmp_path / "scores.csv"
    result = invoke("byte-probs", "score", tiny, path, "-o", output, "-q")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "document 1" in result.stderr
    assert [left.name for left in tmp_path.iterdir()] == ["bad.txt"]
    found = ask("score", tiny, path, "--on-error", "skip")
    assert [row["logprob"] is None for row in found["documents"]] == [False, True, False]
    assert (found["total"]["documents"], found["total"]["refused"]) == (2, 1)


def test_a_text_past_the_context_is_read_in_windows(ask, tiny, prose):
    text = prose.read_bytes()[:1500]
    found = ask("score", tiny, "--whole", input=text)["documents"][0]
    assert found["windows"] > 1
    assert found["tokens"] > CONTEXT
    assert 0 < found["bits_per_byte"] < 16


def test_an_ensemble_scores_documents(invoke, ask, tiny, documents):
    alone = ask("score", tiny, documents, "--per-byte", "--end")["documents"]
    both = ask("score", tiny, documents, "--per-byte", "--end", "--ensemble", tiny)["documents"]
    for one, two in zip(alone, both, strict=True):
        assert two["logprob"] == pytest.approx(one["logprob"], abs=1e-4)
        assert two["byte_logprobs"] == pytest.approx(one["byte_logprobs"], abs=1e-4)
        assert two["logprob_end"] == pytest.approx(one["logprob_end"], abs=1e-4)
    table = invoke("byte-probs", "score", tiny, documents, "--ensemble", tiny, "-q")
    assert (table.exit_code, len(table.stdout.splitlines())) == (0, 9), table.stderr


def test_the_table_of_scores(invoke, tiny, documents):
    result = invoke("byte-probs", "score", tiny, documents, "--per-byte", "--end", "-q")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        *["document", "bytes", "log", "p", "then", "end", "bits/byte", "by", "tokens"]
    ]
    assert lines[-3].startswith("4 documents, ")
    assert "<E6>" in result.stdout  # the first byte of 東 …
    assert "東" in result.stdout  # … and the last one


# -- sample


def test_greedy_takes_the_likeliest_byte_each_time(ask, tiny):
    found = ask("sample", tiny, "--prompt", "It", "--greedy", "--max-bytes", 8)
    text = b"It"
    for byte in bytes.fromhex(found["hex"]):
        probs = ask("next", tiny, "--prefix-hex", text.hex())["probs"]
        best = max(probs.values())
        assert probs[str(byte)] == pytest.approx(best)
        text += bytes([byte])
    assert found["finish"] in ("end", "stop", "length")


def test_samples_are_utf8_and_depend_on_the_seed_alone(invoke, ask, tiny):
    arguments = ("--prompt", "It", "--max-bytes", 40)
    texts = ask("sample", tiny, *arguments, "-n", 3, "--seed", 5)["samples"]
    assert len({each["text"] for each in texts}) == 3
    assert ask("sample", tiny, *arguments, "--seed", 6) == pytest.approx(texts[1], abs=99)
    for each in texts:
        assert bytes.fromhex(each["hex"]).decode() == each["text"]
    result = invoke("byte-probs", "sample", tiny, *arguments, "-n", 2, "--seed", 5, "-q")
    assert result.stdout_bytes.decode() == f"{texts[0]['text']}\n{texts[1]['text']}\n"


def test_a_stop_string_ends_the_text(ask, tiny):
    text = ask("sample", tiny, "--greedy", "--max-bytes", 30)["text"]
    stop = text[5:7]
    found = ask("sample", tiny, "--greedy", "--max-bytes", 30, "--stop", stop)
    assert (found["text"], found["finish"]) == (text[: text.index(stop)], "stop")


def test_top_k_of_one_is_greedy(ask, tiny):
    arguments = ("sample", tiny, "--prompt", "the", "--max-bytes", 12)
    greedy = ask(*arguments, "--greedy")
    assert ask(*arguments, "--top-k", 1, "--seed", 9)["hex"] == greedy["hex"]
    assert ask(*arguments, "--top-p", 1e-9)["hex"] == greedy["hex"]
    assert ask(*arguments, "--temperature", 0, "--ensemble", tiny)["hex"] == greedy["hex"]


# -- fill


@pytest.fixture(scope="session")
def filling(invoke, tmp_path_factory):
    """A model whose tokenizer has tokens for filling gaps."""
    folder = tmp_path_factory.mktemp("filling")
    (folder / "prose.txt").write_text("It was the best of times. def f(x): return x\n" * 40)
    names = ("<|end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
    specials = [each for name in names for each in ("--special", name)]
    arguments = ("-o", folder / "bpe", "--vocab-size", 300, *specials)
    assert invoke("train-vocab", folder / "prose.txt", *arguments).exit_code == 0
    make_model(folder / "model", folder / "bpe", max_position_embeddings=512)
    return folder / "model"


@pytest.mark.parametrize("order", ["auto", "psm", "psm-line", "spm", "plain"])
def test_fill_writes_what_the_model_says_belongs_there(invoke, ask, filling, order):
    arguments = ("--prefix", "It was t", "--suffix", "of times", "--order", order)
    found = ask("fill", filling, *arguments, "--max-bytes", 20)
    assert bytes.fromhex(found["hex"]).decode() == found["text"]
    assert 0 < found["n_bytes"] <= 20 or found["finish"] == "end"
    printed = invoke("byte-probs", "fill", filling, *arguments, "--max-bytes", 20, "-q")
    assert printed.stdout_bytes.decode() == f"{found['text']}\n"


def test_filling_plainly_is_greedy_sampling(ask, filling):
    sampled = ask("sample", filling, "--prompt", "It was t", "--greedy", "--max-bytes", 20)
    arguments = ("--prefix", "It was t", "--order", "plain", "--max-bytes", 20)
    filled = ask("fill", filling, *arguments)
    assert filled["hex"] == sampled["hex"]


def test_sentinels_can_be_named(ask, invoke, filling):
    arguments = ("fill", filling, "--prefix", "a", "--suffix", "b", "--max-bytes", 10)
    named = ("--sentinels", "<|fim_prefix|>,<|fim_suffix|>,<|fim_middle|>")
    assert ask(*arguments, *named)["hex"] == ask(*arguments)["hex"]
    result = invoke("byte-probs", *arguments, "--sentinels", "<a>,<b>,<c>", "-q")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'<a>'" in result.stderr


@pytest.mark.parametrize("baseline", ["plain", "token-healing"])
def test_baselines_write_tokens(ask, filling, baseline):
    arguments = ("--prefix", "It was t", "--suffix", "s", "--baseline", baseline)
    assert ask("fill", filling, *arguments, "--max-bytes", 20)["n_bytes"] <= 20


PROBLEM = {
    "task_id": "RandomSpanInfilling/HumanEval/0/1",
    "prompt": "def f(x):\n    ret",
    "suffix": " x\n",
    "canonical_solution": "urn",
    "test": "def check(candidate):\n    assert candidate(1) == 1\n",
    "entry_point": "f",
}


def test_a_benchmark_is_measured_and_resumed(ask, filling, tmp_path):
    path, output = tmp_path / "problems.jsonl", tmp_path / "filled.jsonl"
    problems = [PROBLEM | {"task_id": f"{PROBLEM['task_id']}{place}"} for place in range(3)]
    path.write_text("\n".join(map(json.dumps, problems)))
    arguments = ("fill", filling, "--benchmark", path, "-o", output, "--max-bytes", 8)
    first = ask(*arguments, "--limit", 2)
    assert first["problems"] == 2
    assert first["pass@1"] is None
    assert first["exact_match"]["of"] == 2
    before = output.read_text()
    found = ask(*arguments, "--stats")
    assert found["problems"] == 3
    assert output.read_text().startswith(before)
    assert found["stats"]["bytes"] <= 8  # only one of them was left to do
    run = ask(*arguments, "--limit", 1, "--execute", "--timeout", 5)
    assert run["pass@1"]["of"] == 1


# -- real text


def test_a_real_model_knows_what_comes_after_half_a_word(ask, stories):
    found = ask("next", stories, "--prefix", "Once upon a ti", "--compare")
    assert found["probs"][str(ord("m"))] > 0.99
    assert found["tokens"]["probs"][str(ord("m"))] < 1e-4
    score = ask("score", stories, input="Once upon a time, there was a little girl.")
    assert score["total"]["bits_per_byte"] < 0.3
    sampled = ask("sample", stories, "--prompt", "Once upon a ti", "--greedy", "--stats")
    assert sampled["text"].startswith("me, there was a little girl named Lily.")
    assert sampled["stats"]["calls_per_byte"] < 0.5


def test_models_with_different_vocabularies_join(ask, tiny, stories):
    arguments = ("--prefix", "Once upon a ti", "--ensemble", tiny, "--weight", 3)
    both = ask("next", stories, *arguments, "--weight", 1)
    alone = [ask("next", each, "--prefix", "Once upon a ti") for each in (stories, tiny)]
    mixed = {
        byte: 0.75 * p + 0.25 * alone[1]["probs"][byte] for byte, p in alone[0]["probs"].items()
    }
    assert both["probs"] == pytest.approx(mixed, rel=1e-6, abs=1e-12)


# -- refusals

BAD_REQUESTS = [
    (["next", "MODEL"], "exactly one of --prefix, --prefix-hex, --prefix-file"),
    (["next", "MODEL", "--prefix", "a", "--prefix-hex", "61"], "--prefix and --prefix-hex are"),
    (["next", "MODEL", "--prefix-hex", "6"], "not hexadecimal"),
    (["next", "MODEL", "--prefix-hex", "ff"], "impossible from byte 0"),
    (["next", "MODEL", "--prefix-file", "no-such-file"], "no-such-file"),
    (["next", "MODEL", "--prefix", "a", "--weight", "1"], "--ensemble"),
    (["next", "MODEL", "--prefix", "a", "--ensemble", "MODEL", "--weight", "1"], "each"),
    (["next", "MODEL", "--prefix", "a", "--ensemble", "MODEL", "--compare"], "--ensemble"),
    (["next", "MODEL", "--prefix", "a", "--start", ""], "start"),
    (["next", "MODEL", "--prefix", "a", "--device", "toaster"], "toaster"),
    (["next", "TOKENIZER", "--prefix", "a"], "config.json"),
    (["next", "./no-such-model", "--prefix", "a"], "no-such-model"),
    (["next", "NAN", "--prefix", "a"], "not numbers"),
    (["next", "REFUSED", "--prefix", "a"], "REFUSED"),
    (["next", "MODEL", "--prefix", "a", "--tokenizer", "LARGE"], "id"),
    (["score", "MODEL", "no-such-file"], "no-such-file"),
    (["score", "MODEL", "DOCUMENTS", "-o", "out.txt"], ".csv"),
    (["score", "MODEL", "DOCUMENTS", "-o", "DOCUMENTS"], "end in"),
    (["score", "MODEL", "DOCUMENTS", "-o", "out.csv", "--per-byte"], "--per-byte"),
    (["score", "MODEL", "DOCUMENTS", "--resume"], "--output"),
    (["score", "NAN", "DOCUMENTS", "-o", "out.json"], "not numbers"),
    (["sample", "MODEL", "--top-k", "0"], "--top-k"),
    (["sample", "MODEL", "--stop", ""], "stop"),
    (["sample", "MODEL", "--prompt-hex", "80"], "impossible from byte 0"),
    (["fill", "MODEL", "--prefix", "a"], "--suffix"),
    (["fill", "MODEL", "--prefix", "a", "--suffix", "b"], "fill-in-the-middle"),
    (["fill", "MODEL", "--prefix", "a", "--suffix", "b", "--execute"], "--benchmark"),
    (["fill", "MODEL", "--prefix", "a", "--suffix", "b", "--sentinels", "a,b"], "three"),
    (["fill", "MODEL", "--benchmark", "DOCUMENTS"], "line 1"),
]


@pytest.fixture(scope="session")
def bad_models(invoke, trained, tiny, tmp_path_factory):
    """Folders with something wrong, by the name that stands for them."""
    folder = tmp_path_factory.mktemp("bad")
    model = make_model(folder / "NAN", trained)
    with torch.no_grad():
        model.lm_head.weight[7] = float("nan")
    model.save_pretrained(folder / "NAN")
    shutil.copytree(tiny, folder / "REFUSED")
    settings = json.loads((tiny / "tokenizer.json").read_text(encoding="utf-8"))
    settings["model"]["dropout"] = 0.5
    (folder / "REFUSED" / "tokenizer.json").write_text(json.dumps(settings))
    large = tmp_path_factory.mktemp("large")
    (large / "prose.txt").write_text("".join(map(str, np.arange(4000))))
    arguments = ("-o", folder / "LARGE", "--vocab-size", 400, "--pattern", "gpt2")
    result = invoke("train-vocab", large / "prose.txt", *arguments)
    assert result.exit_code == 0, result.stderr
    return {path.name: path for path in folder.iterdir()}


@pytest.mark.parametrize(("arguments", "said"), BAD_REQUESTS)
def test_a_bad_request_is_one_line(
    invoke, tiny, trained, bad_models, documents, tmp_path, monkeypatch, arguments, said
):
    names = {"MODEL": tiny, "TOKENIZER": trained, "DOCUMENTS": documents, **bad_models}
    arguments = [names.get(each, each) for each in arguments]
    monkeypatch.chdir(tmp_path)
    result = invoke("byte-probs", *arguments, "-q")
    assert (result.exit_code, result.stdout) == (2, ""), result.stderr
    assert str(names.get(said, said)) in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert [left.name for left in tmp_path.iterdir()] == ["documents.txt"]


# -- help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_how_it_is_run(invoke, command):
    result = invoke("byte-probs", command, "-h", env={"TERMINAL_WIDTH": "200"})
    assert result.exit_code == 0
    assert (
        f"tokkit byte-probs {command}" in result.stdout.split("Usage", 1)[1].split("\n", 1)[1]
    )
    for option in ("--json", "--quiet", "-q", "--verbose", "-v", "--stats", "--segmentation"):
        assert option in result.stdout


def test_no_command_shows_the_help_and_exits_2(invoke):
    result = invoke("byte-probs")
    assert result.exit_code == 2
    assert "score" in result.stdout
