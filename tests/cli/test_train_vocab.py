"""``tokkit train-vocab``: a folder that is whole or absent, however it was made the same."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import tokkit as library
from tests.cli.conftest import contents

SIZE = ("--vocab-size", "330")


def test_the_folder_holds_a_tokenizer_and_an_account(trained):
    assert set(contents(trained)) == {
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    }
    account = json.loads((trained / "training.json").read_text())
    tokenizer = library.load(trained)
    text = (trained.parent / "prose.txt").read_bytes()
    assert account["algorithm"] == "bpe"
    assert account["options"]["pattern"]["name"] == "cl100k"
    assert account["corpus"]["bytes"] == len(text)
    assert account["vocabulary"] == {"size": 330, "digest": tokenizer.vocab.digest}
    assert account["bytes_per_token"] == pytest.approx(len(text) / len(tokenizer.encode(text)))
    assert account["description_length_bits"]["total"] > 0
    assert account["curve"]


def test_transformers_loads_it_with_equal_ids(trained):
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(trained)
    ours = library.load(trained)
    for text in ("the worst of times", "  東京 12345\n\n", "été<|end|>x"):
        assert theirs.encode(text, add_special_tokens=False) == ours.encode(text).tolist()


@pytest.mark.parametrize("means", [("--workers", "2"), ("--from-counts",)])
def test_means_do_not_change_a_byte(invoke, trained, prose, tmp_path, means):
    source = [prose]
    if means == ("--from-counts",):
        counts = tmp_path / "counts.parquet"
        assert invoke("count", prose, "-o", counts).exit_code == 0
        source = ["--from-counts", counts]
        means = ()
    output = tmp_path / "other"
    result = invoke("train-vocab", *source, "-o", output, *SIZE, "--special", "<|end|>", *means)
    assert result.exit_code == 0, result.stderr
    assert contents(output) == contents(trained)


def test_an_existing_folder_is_kept_unless_forced(invoke, prose, tmp_path):
    output = tmp_path / "out"
    arguments = ("train-vocab", prose, "-o", output)
    assert invoke(*arguments, "--vocab-size", 300).exit_code == 0
    before = contents(output)
    refused = invoke(*arguments, "--vocab-size", 310)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert contents(output) == before
    assert invoke(*arguments, "--vocab-size", 310, "--force").exit_code == 0
    assert library.load(output).vocab.digest != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "prose.txt"]


def test_force_does_not_remove_what_was_not_written_by_it(invoke, prose, tmp_path):
    output = tmp_path / "holidays"
    output.mkdir()
    (output / "photo.jpg").write_bytes(b"beach")
    result = invoke("train-vocab", prose, "-o", output, *SIZE, "--force")
    assert result.exit_code == 2
    assert contents(output) == {"photo.jpg": b"beach"}


def test_json_is_what_the_folder_says(invoke, prose, tmp_path):
    output = tmp_path / "out"
    result = invoke("train-vocab", prose, "-o", output, *SIZE, "--json", "-q")
    assert result.stderr == ""
    said = json.loads(result.stdout)
    assert said.pop("output") == str(output)
    assert said == json.loads((output / "training.json").read_text())


def test_bad_input_leaves_nothing_behind(invoke, prose, tmp_path):
    result = invoke("train-vocab", prose, "-o", tmp_path / "out", "--vocab-size", 10)
    assert result.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["prose.txt"]


@pytest.fixture
def larger(shared):
    """Enough text for a job that can be interrupted."""
    names = ("docs_en.jsonl.gz", "code.jsonl.gz", "wikitext2_test.txt")
    return [shared / "corpora" / name for name in names]


def start(*arguments):
    """Begin a command as a process of its own."""
    command = [sys.executable, "-m", "tokkit_cli", *map(str, arguments), "-q"]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # A shell that runs the tests in the background has interrupts ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process):
    """Wait for its end: the exit code, and what it said."""
    said = process.communicate()[1].decode()
    return process.returncode, said


def test_a_killed_job_is_resumed_to_the_same_bytes(larger, tmp_path):
    arguments = ["train-vocab", *larger, "--vocab-size", "4000"]
    whole, output = tmp_path / "whole", tmp_path / "killed"
    began = time.monotonic()
    assert finish(start(*arguments, "-o", whole)) == (0, "")
    took = time.monotonic() - began
    for share in (0.35, 0.6, 0.8):
        process = start(*arguments, "-o", output, "--resume")
        time.sleep(took * share)
        process.send_signal(signal.SIGKILL)
        finish(process)
        assert not output.exists() or contents(output) == contents(whole)
    assert finish(start(*arguments, "-o", output, "--resume")) == (0, "")
    assert contents(output) == contents(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "whole"]


def test_an_interrupt_is_one_line_and_can_be_resumed(larger, tmp_path):
    output = tmp_path / "out"
    arguments = ["train-vocab", *larger, "--vocab-size", "4000", "-o", output]
    process = start(*arguments)
    deadline = time.monotonic() + 60
    while not (tmp_path / "out.partial" / "work").exists() and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    assert finish(process) == (130, "error: interrupted\n")
    code, said = finish(start(*arguments))
    assert code == 2
    assert "--resume" in said
    code, said = finish(start(*arguments, "--min-count", "2", "--resume"))
    assert code == 2
    assert "min_count" in said
    assert finish(start(*arguments, "--resume")) == (0, "")
    assert not (tmp_path / "out.partial").exists()


def test_resuming_what_is_finished_does_nothing(invoke, prose, tmp_path):
    arguments = ("train-vocab", prose, "-o", tmp_path / "out", *SIZE, "--resume")
    assert invoke(*arguments).exit_code == 0
    stamp = os.stat(tmp_path / "out" / "tokenizer.json").st_mtime_ns
    assert invoke(*arguments).exit_code == 0
    assert os.stat(tmp_path / "out" / "tokenizer.json").st_mtime_ns == stamp
