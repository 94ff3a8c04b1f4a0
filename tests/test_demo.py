"""The demo: what it learns from, what it measures, what it leaves."""

import json
import math
from io import StringIO

import pytest
import torch
from rich.console import Console
from tokkit_cli.app import app
from typer.testing import CliRunner

import tokkit
from tokkit.demo import Demo, Row, moving, text
from tokkit.demo.prompts import PROMPTS, Next
from tokkit.demo.run import ALGORITHMS
from tokkit.lm.hf import HFModel
from tokkit.lm.score import fitting_segments
from tokkit.progress import silent
from tokkit.resources import resource
from tokkit.transplant.running.drawing import draw

runner = CliRunner()


def test_docstrings_are_taken_out_of_code():
    source = '"""Top."""\nx = 1\n\ndef f():\n    """Do\n\n    it.\n    """\n    return "kept"\n'
    docstrings, code = text.split_source(source)
    assert docstrings == ["Top.", "Do\n\nit."]
    assert "Top" not in code
    assert "Do" not in code
    assert 'return "kept"' in code
    assert code.count("\n") == source.count("\n")


def test_documents_are_distinct_and_of_every_kind():
    documents = list(text.read_documents())
    assert len(set(documents)) == len(documents)
    for kind, share in text.HELD_OUT.items():
        of_kind = [document for document in documents if document.kind == kind]
        held_out = sum(document.is_held_out for document in of_kind)
        assert 0 < held_out < 3 * len(of_kind) / share


def test_the_sample_has_many_languages():
    lines = resource("sample.jsonl").read_text(encoding="utf-8").splitlines()
    languages = {json.loads(line)["language"] for line in lines}
    assert len(languages) >= 20


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    output = tmp_path_factory.mktemp("demo") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "MOST_CODE", 500_000)
        patch.setattr(moving, "BYTES", 5_000)
        arguments = ["demo", "-o", str(output), "--vocab-size", "1000", "--json", "-q"]
        result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    return output, json.loads(result.stdout)


def test_the_demo_goes_on_inside_words(demo):
    output, said = demo
    assert [each["prompt"] for each in said["prompts"]] == list(PROMPTS)
    tokenizer = tokkit.load(output / "bpe")
    for each in said["prompts"]:
        assert "".join(each["cut"]) == each["prompt"]
        assert len(each["cut"]) == len(tokenizer.encode(each["prompt"]))
        assert 0 < each["by_bytes_prob"] <= 1
    # Everybody imports sys; no token that begins with s comes after the tokens s and y.
    assert said["prompts"][0]["by_bytes"] == "s"
    assert said["prompts"][0]["by_bytes_prob"] > 0.5


def test_the_demo_compares_what_it_learned(demo):
    output, said = demo
    rows = {row["name"]: row for row in said["rows"]}
    assert rows["bytes"]["bytes_per_token"]["all"] == 1
    for algorithm in ALGORITHMS:
        assert rows[algorithm]["vocab_size"] == 1000
        assert rows[algorithm]["bytes_per_token"]["all"] > 1
        assert "".join(said["cuts"][algorithm]) == "".join(said["cuts"]["bpe"])
    assert json.loads((output / "demo.json").read_text()) == said


def test_its_figures_are_those_of_the_tokenizers_it_leaves(demo):
    output, said = demo
    lines = (output / "held-out.jsonl").read_text(encoding="utf-8").split("\n")
    texts = [json.loads(line)["text"] for line in lines if line]
    for row in said["rows"]:
        if row["name"] in ALGORITHMS:
            tokenizer = tokkit.load(output / row["name"])
            tokens = sum(map(len, tokenizer.encode_batch(texts)))
            size = sum(len(each.encode()) for each in texts)
            assert row["bytes_per_token"]["all"] == pytest.approx(size / tokens)


def test_the_demo_moves_a_model_onto_what_it_learned(demo):
    _, said = demo
    before, random, composed, calibrated = said["moved"]
    assert before["vocab_size"] == len(tokkit.load(resource("demo-model")))
    assert {each["vocab_size"] for each in said["moved"][1:]} == {1000}
    bits = [each["bits_per_byte"] for each in (before, calibrated, composed, random)]
    assert 0 < bits[0] < bits[2] < bits[3] < 8
    assert bits[0] < bits[1] < bits[2] + 0.05  # calibrating helps, or does next to nothing


def test_the_figures_of_the_models_are_those_of_what_it_leaves(demo):
    output, said = demo
    lines = (output / "held-out.jsonl").read_text(encoding="utf-8").split("\n")
    texts = [json.loads(line)["text"].encode() for line in lines if line]
    drawn = draw(texts, 5_000)
    assert 5_000 <= sum(map(len, drawn.segments)) < 6_100
    models = [HFModel.load(resource("demo-model")), HFModel.load(output / "moved")]
    parts = fitting_segments(drawn.segments, models)
    for model, told in zip(models, (said["moved"][0], said["moved"][-1]), strict=True):
        bits = sum(bits_of(model, part) for part in parts)
        size = sum(map(len, parts))
        assert told["bits_per_byte"] == pytest.approx(bits / size, rel=2e-3)
        tokens = sum(len(model.tokenizer.encode(part)) for part in parts)
        assert told["bytes_per_token"] == pytest.approx(size / tokens)


def bits_of(model, part):
    """What a text costs, one token after the other."""
    ids = [*model.start, *model.tokenizer.encode(part).tolist()]
    with torch.inference_mode():
        logits = model.model(torch.tensor([ids[:-1]])).logits[0].double()
    costs = torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none")
    return float(costs[len(model.start) - 1 :].sum()) / math.log(2)


def page(said):
    """What people read, 80 columns wide."""
    parts = {"rows": lambda each: Row(**each), "prompts": lambda each: Next(**each)}
    parts["moved"] = lambda each: moving.Moved(**each)
    made = {name: [make(each) for each in said[name]] for name, make in parts.items()}
    shown = Console(width=80, file=StringIO())
    shown.print(Demo(**{**said, **made}))
    return shown.file.getvalue()


def test_without_torch_the_demo_says_how_to_get_it(demo, monkeypatch):
    output, said = demo
    monkeypatch.setattr(moving, "find_spec", lambda name: None)
    assert moving.move_model(output, [], silent) == []
    assert "pip install 'tokkit-toolkit[torch]'" not in page(said)
    assert "pip install 'tokkit-toolkit[torch]'" in page({**said, "moved": []})


def test_people_read_the_figures_of_the_models(demo):
    _, said = demo
    lines = [line.split() for line in page(said).splitlines()]
    for each in said["moved"]:
        figures = [f"{each['bytes_per_token']:.2f}", f"{each['bits_per_byte']:.3f}"]
        assert [*each["name"].split(), f"{each['vocab_size']:,}", *figures] in lines


def test_the_demo_replaces_only_what_it_wrote(demo, tmp_path):
    output, _ = demo
    again = runner.invoke(app, ["demo", "-o", str(output)])
    assert (again.exit_code, again.stdout) == (2, "")
    (tmp_path / "photo.jpg").write_bytes(b"beach")
    other = runner.invoke(app, ["demo", "-o", str(tmp_path), "--force"])
    assert other.exit_code == 2
    assert (tmp_path / "photo.jpg").exists()
