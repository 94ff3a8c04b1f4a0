"""Transplanting with a hypernetwork: its rows for new tokens, the source's for all others."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from tokkit_cli.app import app
from typer.testing import CliRunner

import tokkit
from tests.transplant import models
from tests.transplant.test_run import contents, rows_of, write_tokenizer
from tokkit.errors import ModelError, UsageError
from tokkit.transplant import Options, Plan, prepare, transplant
from tokkit.transplant import predicting as predicting_module
from tokkit.transplant.context import ORIGINS
from tokkit.weights.encoding import decode, encode

torch = pytest.importorskip("torch")
ZETT = {"method_in": "zett", "method_out": "zett"}
SURFACE = 3


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_tokenizer(tmp_path_factory.mktemp("source"), ["the", "ing", "Ġa", "Ġth"])


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    words = ["Ġthe", "thing", "Ġand", "é", "zzzzz"]
    return write_tokenizer(tmp_path_factory.mktemp("target"), words)


@pytest.fixture(scope="module")
def make(source, tmp_path_factory):
    """Write a random model with the source tokenizer, such as ``make("gpt2", seed=1)``."""

    def write(name="llama", **changes):
        folder = tmp_path_factory.mktemp(name)
        models.save(name, folder, vocab_size=len(tokkit.load(source)), **changes)
        for path in source.iterdir():
            shutil.copy(path, folder)
        return folder

    return write


@pytest.fixture(scope="module")
def teach(tmp_path_factory):
    """Write a random hypernetwork for a model."""

    def write(model, seed=0, trained=True, **changes):
        from tokkit.hypernet.config import Config
        from tokkit.hypernet.hypernet import Hypernet
        from tokkit.hypernet.network import Network
        from tokkit.hypernet.source import SourceRows

        source = SourceRows.read(model)
        shape = {"width": 8, "layers": 1, "heads": 1, "surface": SURFACE} | changes
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = Network(Config(**shape), source)
            with torch.no_grad():
                for head in network.heads if trained else ():
                    head.weight.normal_()
                    head.bias.normal_()
        folder = tmp_path_factory.mktemp("hypernet")
        Hypernet(network, source).save(folder, {"model": str(model)})
        return folder

    return write


@pytest.fixture(scope="module")
def llama(make, teach):
    """An untied model, and a hypernetwork for it."""
    model = make(tie_word_embeddings=False)
    return model, teach(model)


def expected(model, hypernet, target):
    """Input row, output row and bias of each new token, each asked for by itself."""
    from tokkit.hypernet.hypernet import Hypernet
    from tokkit.hypernet.source import SourceRows

    loaded = Hypernet.load(hypernet, SourceRows.read(model))
    ours, theirs = tokkit.load(model).vocab.ids, tokkit.load(target).vocab.tokens
    found = {}
    for token, text in enumerate(theirs):
        if text and text not in ours:
            made = loaded.predict([text])
            bias = None if made.bias is None else made.bias[0]
            found[token] = (made.input[0], made.output[0], bias)
    return found


def rounded(rows, dtype):
    return decode(encode(np.asarray(rows, dtype=np.float64), dtype))


def check(model, hypernet, target, folder, *, sides=(0, 1, 2), dtype="F32"):
    """New rows are the hypernetwork's, known ones the source's, bit for bit."""
    new = expected(model, hypernet, target)
    assert len(new) == 10
    before, after = rows_of(model), rows_of(folder)
    ours, theirs = tokkit.load(model).vocab, tokkit.load(target).vocab
    for side in sides:
        if before[side] is None:
            continue
        for token, rows in new.items():
            wanted = rounded(rows[side], dtype)
            np.testing.assert_allclose(after[side][token], wanted, rtol=1e-6, atol=1e-6)
        for token, text in enumerate(theirs.tokens):
            if text in ours.ids:
                np.testing.assert_array_equal(after[side][token], before[side][ours.ids[text]])
        for text, token in theirs.specials.items():
            known = before[side][ours.specials[text]]
            np.testing.assert_array_equal(after[side][token], known)


# Untied, tied, with an output bias, and tied with one.
@pytest.mark.parametrize("name", ["llama", "gpt2", "phi", "bert"])
def test_new_rows_are_the_hypernetworks_and_known_ones_the_sources(
    name, make, teach, target, tmp_path
):
    model = make(name)
    hypernet = teach(model)
    options = Options(**ZETT, hypernet=hypernet, verify=True)
    report = transplant(model, target, tmp_path / "out", options)
    check(model, hypernet, target, tmp_path / "out")
    assert report.as_json()["verification"]["ok"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(("dtype", "short"), [("bfloat16", "BF16"), ("float16", "F16")])
def test_rows_have_the_dtype_of_the_model(dtype, short, make, teach, target, tmp_path):
    model = make(dtype=dtype)
    hypernet = teach(model)
    transplant(model, target, tmp_path / "out", Options(**ZETT, hypernet=hypernet))
    assert models.load(tmp_path / "out").dtype == getattr(torch, dtype)
    new = expected(model, hypernet, target)
    for token, rows in new.items():
        for side, found in enumerate(rows_of(tmp_path / "out")[:2]):
            np.testing.assert_array_equal(found[token], rounded(rows[side], short))


def test_a_fine_tune_is_read_by_the_hypernetwork_of_its_base(make, llama, target, tmp_path):
    base, hypernet = llama
    tuned = make(tie_word_embeddings=False, seed=5)
    transplant(tuned, target, tmp_path / "out", Options(**ZETT, hypernet=hypernet))
    check(tuned, hypernet, target, tmp_path / "out")
    assert any(
        (rows[0] != expected(base, hypernet, target)[token][0]).all()
        for token, rows in expected(tuned, hypernet, target).items()
    )


def test_an_untrained_hypernetwork_is_as_good_as_the_last_piece(llama, teach, target, tmp_path):
    model, _ = llama
    fresh = teach(model, trained=False, surface=7)
    transplant(model, target, tmp_path / "usual")
    transplant(model, target, tmp_path / "fresh", Options(**ZETT, hypernet=fresh))
    usual, found = (rows_of(tmp_path / name)[0] for name in ("usual", "fresh"))
    tokens = tokkit.load(target).vocab.tokens
    texts = [token for token, text in enumerate(tokens) if text]
    np.testing.assert_array_equal(found[texts], usual[texts])


def test_each_side_may_have_another_method(llama, target, tmp_path):
    model, hypernet = llama
    transplant(model, target, tmp_path / "usual")
    usual = rows_of(tmp_path / "usual")
    for side, methods in enumerate([("zett", "front-shrunk"), ("last", "zett")]):
        folder = tmp_path / str(side)
        transplant(
            model,
            target,
            folder / "out",
            Options(method_in=methods[0], method_out=methods[1], hypernet=hypernet),
        )
        check(model, hypernet, target, folder / "out", sides=[side])
        other = 1 - side
        np.testing.assert_array_equal(rows_of(folder / "out")[other], usual[other])


def test_a_tied_head_may_be_untied(make, teach, target, tmp_path):
    model = make(tie_word_embeddings=True)
    hypernet = teach(model)
    options = {"hypernet": hypernet, "untie": True, "verify": True}
    for method_out in ("zett", "front-shrunk"):
        folder = tmp_path / method_out
        transplant(
            model,
            target,
            folder,
            Options(method_in="zett", method_out=method_out, **options),
        )
        check(model, hypernet, target, folder, sides=[0, 1] if method_out == "zett" else [0])


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_how_many_are_asked_for_at_once_changes_nothing(
    block, llama, target, tmp_path, monkeypatch
):
    model, hypernet = llama
    monkeypatch.setattr(predicting_module, "_NUMBERS", block * 16)
    asked = []
    transplant(
        model,
        target,
        tmp_path / "out",
        Options(**ZETT, hypernet=hypernet, pad_to=64),
        progress=lambda *told: asked.append(told) if told[0].startswith("predict") else None,
    )
    check(model, hypernet, target, tmp_path / "out")
    assert len(asked) == -(-10 // block) + 1
    assert asked[-1] == ("predicting rows", 10, 10)


def test_a_plan_says_what_is_predicted_and_read_and_by_what(llama, target):
    model, hypernet = llama
    prepared = prepare(model, target, Options(**ZETT, hypernet=hypernet))
    digest = json.loads((hypernet / "hypernet.json").read_text())["digest"]
    assert prepared.as_json()["hypernet"] == {"name": str(hypernet), "digest": digest}
    assert prepared.plan.hypernet == digest
    assert prepared.plan.counts("input")["predicted"] == 10
    said = prepared.plan.explain(prepared.plan.find("thing"))
    for side in ("input", "output"):
        assert (said[side]["origin"], said[side]["method"]) == ("predicted", "zett")
        parts = [(part["token"], part["weight"]) for part in said[side]["parts"]]
        assert parts == [("th", None), ("ing", None)]
    # Of more pieces than are read, the first ones and the last.
    said = prepared.plan.explain(prepared.plan.find("zzzzz"))
    assert [part["token"] for part in said["input"]["parts"]] == ["z"] * SURFACE


def test_pieces_that_are_said_to_be_read_are_those_that_are(llama, target):
    from tokkit.hypernet.hypernet import Hypernet

    model, hypernet = llama
    plan = prepare(model, target, Options(**ZETT, hypernet=hypernet)).plan
    speller = Hypernet.load(hypernet).speller
    for token in plan.halves["input"].predicted.tolist():
        pieces = speller.pieces([plan.target.tokens[token]])
        read = pieces.ids[0, : pieces.counts[0]].tolist()
        assert [part["id"] for part in plan.explain(token)["input"]["parts"]] == read


def test_a_saved_plan_wants_the_same_hypernetwork(llama, teach, target, tmp_path):
    model, hypernet = llama
    plan = tmp_path / "zett.plan"
    options = Options(**ZETT, hypernet=hypernet)
    transplant(model, target, tmp_path / "first", options, save_plan=plan)
    assert Plan.load(plan).hypernet == Plan.load(tmp_path / "first").hypernet
    with pytest.raises(UsageError, match="name its folder with --hypernet"):
        prepare(model, target, Options(plan=plan))
    other = teach(model, seed=1)
    with pytest.raises(UsageError, match=r"predicted by the hypernetwork .* is "):
        prepare(model, target, Options(plan=plan, hypernet=other))
    transplant(model, target, tmp_path / "second", Options(plan=plan, hypernet=hypernet))
    ways = ("transplant.json",)
    first, second = (contents(tmp_path / n, without=ways) for n in ("first", "second"))
    assert first == second


def test_a_plan_that_lost_its_hypernetwork_is_damaged(llama, target, tmp_path):
    model, hypernet = llama
    plan = prepare(model, target, Options(**ZETT, hypernet=hypernet)).plan
    dataclasses.replace(plan, hypernet=None).save(tmp_path / "zett.plan")
    with pytest.raises(UsageError, match="damaged"):
        Plan.load(tmp_path / "zett.plan")


def test_what_the_user_named_is_made_of_that(llama, target, tmp_path):
    model, hypernet = llama
    options = Options(**ZETT, hypernet=hypernet, overrides=["thing=a", " and=the ing"])
    transplant(model, target, tmp_path / "out", options)
    plan = Plan.load(tmp_path / "out")
    before, after = rows_of(model)[0], rows_of(tmp_path / "out")[0]
    thing, both = plan.find("thing"), plan.find(" and")
    assert {ORIGINS[plan.halves["input"].origins[token]] for token in (thing, both)} == {
        "override"
    }
    np.testing.assert_array_equal(after[thing], before[plan.source.ids[b"a"]])
    ids = tokkit.load(model).encode("the ing").tolist()
    np.testing.assert_allclose(after[both], before[ids].mean(axis=0), rtol=1e-6)


def test_the_same_tokenizer_needs_no_prediction(llama, source, tmp_path):
    model, hypernet = llama
    prepared = prepare(model, source, Options(**ZETT, hypernet=hypernet))
    assert prepared.as_json()["hypernet"] is None
    transplant(model, source, tmp_path / "out", Options(**ZETT, hypernet=hypernet))
    for before, after in zip(rows_of(model)[:2], rows_of(tmp_path / "out")[:2], strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_folder_says_which_hypernetwork_it_was(llama, target, tmp_path):
    model, hypernet = llama
    transplant(model, target, tmp_path / "out", Options(**ZETT, hypernet=hypernet))
    said = json.loads((tmp_path / "out" / "transplant.json").read_text())
    assert said["hypernet"]["digest"] in (tmp_path / "out" / "README.md").read_text()
    assert f"`{hypernet.name}`" in (tmp_path / "out" / "README.md").read_text()
    assert said["plan"]["input"]["rows"]["predicted"] == 10
    assert said["settings"]["hypernet"] == str(hypernet)
    new = sorted(expected(model, hypernet, target))
    assert said["rows_by_origin"]["input"]["predicted"] == said["guesses"]["input"]
    assert [Plan.load(tmp_path / "out").halves["output"].predicted.tolist()] == [new]


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (ZETT, UsageError, "--hypernet"),
        ({"hypernet": "there"}, UsageError, "--method zett"),
        ({**ZETT, "hypernet": "missing"}, ModelError, "no hypernet.json"),
        ({**ZETT, "hypernet": "file"}, ModelError, "no hypernet.json"),
        ({**ZETT, "hypernet": "tied"}, ModelError, "tied"),
    ],
)
def test_a_request_that_cannot_work_is_refused(
    wrong, error, words, llama, make, teach, target, tmp_path
):
    model, hypernet = llama
    places = {"there": hypernet, "missing": tmp_path / "missing"}
    places["file"] = target / "tokenizer.json"
    if wrong.get("hypernet") == "tied":
        places["tied"] = teach(make(tie_word_embeddings=True))
    if "hypernet" in wrong:
        wrong = {**wrong, "hypernet": places[wrong["hypernet"]]}
    with pytest.raises(error, match=words):
        transplant(model, target, tmp_path / "out", Options(**wrong))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing(llama, target, tmp_path, monkeypatch):
    from tokkit.errors import JobError

    model, hypernet = llama

    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *told):
            return None

        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(predicting_module.tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(JobError, match="disk is full"):
        transplant(model, target, tmp_path / "out", Options(**ZETT, hypernet=hypernet))
    assert not list(tmp_path.iterdir())


def test_predicted_rows_are_calibrated_tuned_and_measured(llama, target, tmp_path):
    model, hypernet = llama
    lines = [f"the thing number {number} and the zzzzz thing" for number in range(200)]
    text = tmp_path / "text.jsonl"
    text.write_text("\n".join(json.dumps({"text": line}) for line in lines))
    transplant(model, target, tmp_path / "plain", Options(**ZETT, hypernet=hypernet))
    plain = rows_of(tmp_path / "plain")
    new = sorted(expected(model, hypernet, target))
    for way in ({"calibrate": [text]}, {"tune": 3, "tune_corpus": [text]}):
        folder = tmp_path / next(iter(way))
        options = Options(**ZETT, hypernet=hypernet, evaluate=[text], **way)
        report = transplant(model, target, folder, options)
        after = rows_of(folder)
        changed = np.flatnonzero((plain[1] != after[1]).any(axis=1)).tolist()
        assert changed
        assert set(changed) <= set(new)
        assert report.as_json()["evaluation"]["slices"]


def test_from_the_command_line(llama, target, tmp_path):
    model, hypernet = llama
    runner = CliRunner()

    def run(*arguments):
        return runner.invoke(app, [str(argument) for argument in arguments])

    arguments = ("transplant", model, target, "--method", "zett")
    refused = run(*arguments, "--dry-run")
    assert refused.exit_code == 2
    assert "--hypernet" in refused.stderr
    shown = run(*arguments, "--hypernet", hypernet, "--dry-run")
    assert shown.exit_code == 0, shown.stderr
    assert any(line.split()[:2] == ["predicted", "10"] for line in shown.stdout.splitlines())
    assert not (tmp_path / "out").exists()
    done = run(*arguments, "--hypernet", hypernet, "-o", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["hypernet"]["name"] == str(hypernet)
    explained = run("transplant", "explain", tmp_path / "out", "thing")
    assert explained.exit_code == 0, explained.stderr
    assert "input: predicted (zett)" in explained.stdout
    assert "'ing'" in explained.stdout
