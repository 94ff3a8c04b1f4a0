"""``tokkit byte-probs sample`` and ``fill``: texts that are written."""

import json

import pytest


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


@pytest.mark.parametrize("order", ["auto", "psm", "psm-line", "spm", "plain"])
def test_fill_writes_what_the_model_says_belongs_there(invoke, ask, filling, order):
    arguments = ("--prefix", "It was t", "--suffix", "of times", "--order", order)
    found = ask("fill", filling, *arguments, "--max-bytes", 20)
    assert bytes.fromhex(found["hex"]).decode() == found["text"]
    assert 0 < found["n_bytes"] <= 20 or found["finish"] == "end"
    printed = invoke("byte-probs", "fill", filling, *arguments, "--max-bytes", 20, "-q")
    assert printed.stdout_bytes.decode() == found["text"]


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
