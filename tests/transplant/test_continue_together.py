"""Continued training by several processes."""

import json
import os
import sys

import numpy as np
import pytest

from tests.lm.test_processes import start_together
from tests.transplant.continued import TEXT, move, tensors, write_model

pytest.importorskip("accelerate")

from tokkit.transplant.continuing import Request, continue_training


@pytest.mark.slow
def test_two_processes_do_what_one_does(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    moved = move(write_model(tmp_path / "source", tie_word_embeddings=True), tmp_path / "moved")

    texts = [str(tmp_path / "text.txt")]
    request = Request(corpus=texts, steps=3, rate=1e-3, length=16, batch=3, accumulate=2)
    alone = continue_training(moved, tmp_path / "alone", request)
    asked = ("--corpus", *texts, "--steps", 3, "--rate", 1e-3, "--length", 16, "--batch", 3)
    rest = ("--accumulate", 2, "--device", "cpu", "--json")
    command = ("-m", "tokkit_cli", "transplant", "continue", moved, "-o", tmp_path / "together")
    first, second = start_together(2, sys.executable, *map(str, (*command, *asked, *rest)))
    assert second == ""
    said = json.loads(first)
    assert (said["processes"], alone.content["processes"]) == (2, 1)
    assert said["losses"] == pytest.approx(alone.content["losses"], abs=2e-4)
    expected = tensors(tmp_path / "alone")
    began = tensors(moved)
    for name, values in tensors(tmp_path / "together").items():
        np.testing.assert_allclose(values, expected[name], rtol=0, atol=2e-5)
        assert np.abs(values - began[name]).max() > 5e-4
    assert sorted(os.listdir(tmp_path / "alone")) == sorted(os.listdir(tmp_path / "together"))
