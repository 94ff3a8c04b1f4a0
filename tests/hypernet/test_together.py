"""Training a hypernetwork by several processes."""

import json
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.lm.test_processes import start_together  # noqa: E402
from tokkit.hypernet.hypernet import Hypernet  # noqa: E402


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, documents):
    """One long document, so that every text fills its length, and one to judge by."""
    file = tmp_path_factory.mktemp("text") / "text.jsonl"
    texts = [b" ".join(each.strip() for each in documents).decode(), "the ants in the den"]
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return file


@pytest.mark.slow
def test_two_processes_do_what_one_does(make_model, corpus, tmp_path):
    options = {
        "--steps": 3,
        "--batch": 6,
        "--length": 8,
        "--vocab-size": 700,
        "--across-words": 0,
        "--layers": 1,
        "--width": 16,
        "--precision": "float32",
        "--device": "cpu",
        "--corpus": corpus,
    }
    model = str(make_model("llama"))
    given = [str(part) for pair in options.items() for part in pair]
    command = [sys.executable, "-m", "tokkit_cli", "transplant", "train-hypernet", model]
    said = start_together(2, *command, *given, "-o", str(tmp_path / "two"))
    assert [bool(each) for each in said] == [True, False]
    start_together(1, *command, *given, "-o", str(tmp_path / "one"))
    tokens = [b"thing", b" and then", b"zz"]
    one, two = (Hypernet.load(tmp_path / name).predict(tokens) for name in ("one", "two"))
    np.testing.assert_allclose(one.input, two.input, atol=2e-5)
    base = Hypernet.load(tmp_path / "one")
    with torch.no_grad():
        for head in base.network.heads:
            head.weight.zero_()
            head.bias.zero_()
    assert abs(base.predict(tokens).input - one.input).max() > 1e-3
