"""``tokkit byte-probs next``: distributions of the next byte."""

import json
import math
import re

import pytest
import torch
import transformers

import tokkit as library


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


@pytest.mark.parametrize("way", [("renorm",), ("all", "--beam", 2)])
def test_of_a_prefix_past_the_context_the_end_is_read(invoke, tiny, way):
    arguments = ("--prefix", "xyzzy " * 25, "--segmentation", *way, "--json")
    result = invoke("byte-probs", "next", tiny, *arguments)
    long = json.loads(result.stdout)
    assert math.fsum(long["probs"].values()) + long["eos"] == pytest.approx(1, abs=1e-9)
    assert 0 < long["bytes_read"] < long["prefix_bytes"] == 150
    assert long["logp_prefix"] < 0
    # With all sequences the prefix is weighed on the way, and all of it counts.
    is_cut = way == ("renorm",)
    assert (f"only the last {long['bytes_read']} bytes" in result.stderr) == is_cut


def test_what_it_cost_is_said_on_request(invoke, ask, tiny):
    stats = ask("next", tiny, "--prefix", "the", "--stats")["stats"]
    assert 1 <= stats["forward_calls"] <= stats["forward_tokens"]
    result = invoke("byte-probs", "next", tiny, "--prefix", "the", "--stats")
    assert re.search(r"1 forward pass, \d+ tokens? in them; .* s to set up", result.stderr)
    assert "forward pass" not in result.stdout


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
