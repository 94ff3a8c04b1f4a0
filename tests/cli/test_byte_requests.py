"""``tokkit byte-probs``: what it refuses, and its help."""

import json
import shutil

import numpy as np
import pytest
import torch

from tests.cli.byte_models import make_model

COMMANDS = ("next", "score", "sample", "fill")

BAD_REQUESTS = [
    (["next", "MODEL"], "exactly one of --prefix, --prefix-hex, --prefix-file"),
    (["next", "MODEL", "--prefix", "a", "--prefix-hex", "61"], "--prefix and --prefix-hex are"),
    (["next", "MODEL", "--prefix-hex", "6"], "not hexadecimal"),
    (["next", "MODEL", "--prefix-hex", "ff"], "impossible from byte 0"),
    (["next", "MODEL", "--prefix-file", "no-such-file"], "no-such-file"),
    (["next", "MODEL", "--prefix", "a", "--weight", "1"], "--ensemble"),
    (["sample", "MODEL", "--mix", "mixture"], "--mix"),
    (["score", "MODEL", "DOCUMENTS", "--beam", "3"], "--segmentation all"),
    (["sample", "MODEL", "--greedy", "--temperature", "1"], "--greedy"),
    (["next", "MODEL", "--prefix", "a", "--ensemble", "MODEL", "--weight", "1"], "each"),
    (["next", "MODEL", "--prefix", "a", "--ensemble", "MODEL", "--compare"], "--ensemble"),
    (["next", "MODEL", "--prefix", "a", "--start", ""], "(--start)"),
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
    (["fill", "MODEL", "--prefix", "a", "--order", "plain", "--memory", "99"], "--execute"),
    (["fill", "MODEL", "--prefix", "a", "--order", "plain", "--sentinels", "a,b,c"], "no use"),
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
