"""Whole trainings: their folder, going on after a kill, refusals, and the command."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tokkit_cli.app import app
from typer.testing import CliRunner

torch = pytest.importorskip("torch")

from tests.hypernet.test_batches import RECIPE  # noqa: E402
from tests.transplant import models  # noqa: E402
from tokkit.corpus import open_corpus  # noqa: E402
from tokkit.errors import CorpusError, ModelError, UsageError  # noqa: E402
from tokkit.hypernet.config import Config, Preset  # noqa: E402
from tokkit.hypernet.hypernet import Hypernet  # noqa: E402
from tokkit.hypernet.source import SourceRows  # noqa: E402
from tokkit.hypernet.train import train_hypernet  # noqa: E402

PRESET = Preset(
    Config(layers=1, width=16, heads=2),
    replace(RECIPE, steps=7, save_every=3, judge_every=4, rate=3e-3),
)
WARM = replace(
    PRESET,
    config=replace(PRESET.config, residual=False),
    recipe=replace(PRESET.recipe, warm_up_steps=4, copy_known=False),
)


class KilledError(Exception):
    pass


def killed_at(stage, last):
    def progress(name, done, total):
        if (name, done) == (stage, last):
            raise KilledError

    return progress


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, documents):
    file = tmp_path_factory.mktemp("text") / "text.jsonl"
    file.write_text("".join(json.dumps({"text": each.decode()}) + "\n" for each in documents))
    return file


def train(model, corpus, folder, preset=PRESET, **options):
    return train_hypernet(model, open_corpus([corpus]), folder, preset, device="cpu", **options)


def contents(folder):
    """The files of a folder, without how long it took."""
    told = json.loads((folder / "hypernet.json").read_text())
    for name in ("seconds", "peak_memory"):
        told.pop(name)
    return (folder / "hypernet.safetensors").read_bytes(), told


@pytest.mark.parametrize("preset", [PRESET, WARM], ids=["residual", "whole rows"])
def test_a_run_that_was_killed_ends_as_one_that_was_not(preset, make_model, corpus, tmp_path):
    model = make_model("llama")
    train(model, corpus, tmp_path / "whole", preset)
    kills = [("training", 2), ("training", 4), ("training", 7)]
    if preset.recipe.warm_up_steps:
        kills.insert(0, ("warming up", 3))
    for kill in kills:
        with pytest.raises(KilledError):
            train(model, corpus, tmp_path / "killed", preset, progress=killed_at(*kill))
        assert not (tmp_path / "killed").exists()
    train(model, corpus, tmp_path / "killed", preset)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert [each.name for each in tmp_path.iterdir() if "partial" in each.name] == []


def test_the_folder_predicts_for_the_model_and_for_a_fine_tune(make_model, corpus, tmp_path):
    model = make_model("gpt2")
    found = train(model, corpus, tmp_path / "net")
    account = json.loads((tmp_path / "net" / "hypernet.json").read_text())
    assert account["model"] == str(model)
    assert [each["step"] for each in account["curve"]] == [0, 4, 7]
    assert found.as_json()["cosine"] == account["cosine"]
    hypernet = Hypernet.load(tmp_path / "net")
    rows = hypernet.predict([b"the", b" thing"])
    own = SourceRows.read(model)
    # The cosines of the account, of two tokens, again.
    [ids] = ([own.ids[b"the"]],)
    wanted = own.input[ids[0]].numpy()
    assert np.dot(rows.input[0], wanted) > 0.8 * np.linalg.norm(rows.input[0]) * np.linalg.norm(
        wanted
    )
    tuned = SourceRows(own.tokenizer, own.input * 2, None, None)
    other = Hypernet.load(tmp_path / "net", tuned)
    assert not np.allclose(other.predict([b"the"]).input, rows.input[:1])


def test_models_it_was_not_trained_for_are_refused(make_model, corpus, tmp_path):
    train(make_model("gpt2"), corpus, tmp_path / "net")
    with pytest.raises(ModelError, match="tied"):
        Hypernet.load(
            tmp_path / "net", SourceRows.read(make_model("llama", tie_word_embeddings=False))
        )
    with pytest.raises(ModelError, match=r"no hypernet.json"):
        Hypernet.load(tmp_path)
    weights = tmp_path / "net" / "hypernet.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ModelError, match="not of one"):
        Hypernet.load(tmp_path / "net")


def test_another_request_does_not_go_on_with_a_run(make_model, corpus, tmp_path):
    model = make_model("llama")
    with pytest.raises(KilledError):
        train(model, corpus, tmp_path / "net", progress=killed_at("training", 4))
    other = replace(PRESET, recipe=replace(PRESET.recipe, rate=1e-3))
    with pytest.raises(UsageError, match=r"other settings.*\(rate differ"):
        train(model, corpus, tmp_path / "net", other)
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "mine").write_text("")
    with pytest.raises(UsageError, match="exists"):
        train(model, corpus, tmp_path / "net")


def test_what_cannot_be_learned_from_is_refused(make_model, tmp_path):
    (tmp_path / "short.txt").write_text("the\n")
    with pytest.raises(CorpusError, match="too short"):
        train(make_model("llama"), tmp_path / "short.txt", tmp_path / "net")
    (tmp_path / "more.txt").write_text("the ant and the den\n" * 200)
    long = replace(PRESET, recipe=replace(PRESET.recipe, length=64))
    with pytest.raises(UsageError, match="context of 64"):
        train(make_model("llama"), tmp_path / "more.txt", tmp_path / "net", long)


def test_texts_begin_as_they_are_told_to(make_model, corpus, tmp_path):
    short = replace(PRESET, recipe=replace(PRESET.recipe, steps=1))
    with pytest.raises(KilledError):
        train(
            make_model("llama"),
            corpus,
            tmp_path / "net",
            short,
            start="the",
            progress=killed_at("training", 1),
        )
    with pytest.raises(UsageError, match=r"\(frame differ"):
        train(make_model("llama"), corpus, tmp_path / "net", short)
    with pytest.raises(UsageError, match="leave out --start"):
        train(make_model("bert"), corpus, tmp_path / "other", short, start="the")


def test_a_model_stored_in_half_precision_runs_in_float32(make_model, corpus, tmp_path):
    half = models.load(make_model("llama")).to(torch.bfloat16)
    half.save_pretrained(tmp_path / "half")
    recipe = replace(PRESET.recipe, steps=1, precision="float32")
    tokenizer = str(make_model("llama"))
    exact = replace(PRESET, recipe=recipe)
    found = train(tmp_path / "half", corpus, tmp_path / "net", exact, tokenizer=tokenizer)
    assert found.account["curve"][0]["bits_per_byte"] > 0


def test_the_command(make_model, corpus, tmp_path):
    sizes = ["--steps", "2", "--batch", "3", "--length", "12", "--vocab-size", "700"]
    arguments = ["transplant", "train-hypernet", str(make_model("bert")), *sizes]
    arguments += ["--corpus", str(corpus), "-o", str(tmp_path / "net"), "--layers", "1"]
    done = CliRunner().invoke(app, [*arguments, "--device", "cpu", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["folder"] == str(tmp_path / "net")
    assert len(told["losses"]) == 2
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 2
    assert again.stderr.count("\n") == 1
