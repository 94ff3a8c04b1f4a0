"""``tokkit byte-probs score``: documents, in and out."""

import csv
import json
import math

import pytest
import torch
import transformers

import tokkit as library
from tests.cli.byte_models import CONTEXT, DOCUMENTS


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
    assert "document 1: the text is impossible from byte 4 (0xFF)" in result.stderr
    both = invoke("byte-probs", "score", tiny, path, "--ensemble", tiny, "-q")
    assert "document 1: the text is impossible from byte 4 (0xFF)" in both.stderr
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
