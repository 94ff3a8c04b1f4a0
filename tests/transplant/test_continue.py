"""Continued training: what is trained, what comes out, and what is kept on the way."""

import json
import signal

import numpy as np
import pytest

from tests.transplant.continued import TEXT, changed, move, new_ids, tensors, write_model
from tokkit.errors import CorpusError, UsageError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tokkit.lm import HFModel  # noqa: E402
from tokkit.lm.train_work import CHECKPOINT  # noqa: E402
from tokkit.transplant.continuing import Request, continue_training  # noqa: E402
from tokkit.transplant.continuing.text import open_tokens, write_tokens  # noqa: E402
from tokkit.transplant.continuing.trained import lexical_penalty  # noqa: E402

HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Give a transplanted model of a kind, each once: ``make("llama", dtype="bfloat16")``."""
    made = {}

    def find(kind="llama", rows=None, **changes):
        key = json.dumps([kind, rows, changes], sort_keys=True)
        if key not in made:
            place = tmp_path_factory.mktemp(kind)
            made[key] = move(
                write_model(place / "source", kind, **changes), place / "moved", dtype=rows
            )
        return made[key]

    return find


@pytest.fixture
def train(text, tmp_path):
    """Train a folder on: ``train(folder, "name", steps=6)``."""

    def run(folder, name="out", progress=lambda *_: None, **changes):
        usual = {"steps": 6, "batch": 4, "length": 16, "rate": 3e-3, "save_every": 2}
        request = Request(**{"corpus": [str(text)], **usual, **changes})
        found = continue_training(folder, tmp_path / name, request, progress=progress)
        return tmp_path / name, found

    return run


class KilledError(Exception):
    pass


def at(step, act):
    """Tell of progress, and act when so many steps are taken."""

    def progress(stage, done, total):
        if (stage, done) == ("training", step):
            act()

    return progress


def kill():
    raise KilledError


def test_the_model_learns_and_all_else_is_carried_over(make, train):
    before = make()
    after, found = train(before, steps=25)
    assert found.content["losses"][-1] < found.content["losses"][0] - 0.3
    assert changed(before, after) == set(tensors(before))
    kept = {path.name for path in before.iterdir()} - {"model.safetensors", "README.md"}
    assert {"config.json", "tokenizer.json", "transplant.json", "transplant.plan"} <= kept
    assert all((before / name).read_bytes() == (after / name).read_bytes() for name in kept)
    assert {path.name for path in after.iterdir()} == {
        *(path.name for path in before.iterdir()),
        "continued.json",
    }
    account = json.loads((after / "continued.json").read_text())
    said = found.as_json()
    assert account == {name: value for name, value in said.items() if name != "output"}
    assert account["settings"]["rate"] == 3e-3
    assert account["tokens"]["seen"] == 25 * 4 * 16
    assert account["parameters"]["all"] == account["parameters"]["trained"]
    assert "## Trained on" in (after / "README.md").read_text()
    HFModel.load(after)
    assert not after.with_name("out.partial").exists()


@pytest.mark.parametrize("kind", ["llama", "mixtral", "gptj"])
def test_of_embeddings_nothing_else_changes(make, train, kind):
    before = make(kind)
    after, found = train(before, train="embeddings")
    names = {EMBEDDING, HEAD}
    if kind == "gptj":  # whose head has a bias
        names = {"transformer.wte.weight", HEAD, "lm_head.bias"}
    assert changed(before, after) == names
    sizes = [each.size for name, each in tensors(before).items() if name in names]
    assert found.content["parameters"]["trained"] == sum(sizes)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("tied", [False, True])
def test_of_new_rows_only_those_change_and_dtypes_stay(make, train, tied, dtype):
    before = make(dtype=dtype, tie_word_embeddings=tied)
    after, found = train(before, train="new-rows")
    assert changed(before, after) == ({EMBEDDING} if tied else {EMBEDDING, HEAD})
    first, second = tensors(before), tensors(after)
    for name in {EMBEDDING, HEAD} & first.keys():
        rows = (first[name] != second[name]).any(axis=1).nonzero()[0]
        assert rows.tolist() == new_ids(before)
    assert found.content["new_rows"] == len(new_ids(before)) > 2
    assert torch.equal(*_sides(after)) == tied


def _sides(folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    return model.get_input_embeddings().weight, model.get_output_embeddings().weight


def test_rows_of_another_dtype_than_the_rest_keep_it(make, train):
    before = make(rows="float32", dtype="bfloat16")
    after, _ = train(before)
    kinds = {name: each.dtype.name for name, each in tensors(after).items()}
    assert kinds.pop(EMBEDDING) == kinds.pop(HEAD) == "float32"
    assert set(kinds.values()) == {"uint16"}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("llama", {"train": "new-rows"}),
        ("llama", {"train": "embeddings", "schedule": "cosine"}),
        ("gpt2", {"accumulate": 2}),  # which has dropout
    ],
)
def test_a_killed_run_goes_on_as_if_nothing_had_happened(make, train, kind, options):
    options = {"shape" if name == "schedule" else name: each for name, each in options.items()}
    before = make(kind)
    whole, found = train(before, "whole", **options)
    for step in (3, 5):
        with pytest.raises(KilledError):
            train(before, "parts", at(step, kill), **options)
    begun = []
    parts, again = train(before, "parts", lambda *call: begun.append(call), **options)
    assert ("training", 4, 6) in begun
    assert ("training", 3, 6) not in begun
    assert not changed(whole, parts)
    assert again.content["losses"] == found.content["losses"]
    assert again.content["lexical"] == found.content["lexical"]


def test_an_interrupted_step_is_done_and_kept(make, train, tmp_path):
    before = make()
    whole, _ = train(before, "whole")
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(before, "parts", at(2, lambda: signal.raise_signal(signal.SIGINT)))
    assert signal.getsignal(signal.SIGINT) is handler
    kept = torch.load(tmp_path / "parts.partial" / CHECKPOINT, weights_only=True)
    assert kept["step"] == 3
    parts, _ = train(before, "parts")
    assert not changed(whole, parts)


def test_another_request_is_not_gone_on_with(make, train, tmp_path):
    with pytest.raises(KilledError):
        train(make(), progress=at(2, kill))
    for changes, names in (
        ({"steps": 7, "lexical_weight": 1.0}, "lexical_weight, steps"),
        ({"rate": 1e-4}, "rate"),
        ({"length": 8}, "length"),
    ):
        with pytest.raises(UsageError, match=f"{names} differ"):
            train(make(), **changes)
    with pytest.raises(UsageError, match="model differ"):
        train(make(dtype="bfloat16"))
    other = tmp_path / "other.txt"
    other.write_text(TEXT * 2)
    with pytest.raises(UsageError, match="text differ"):
        train(make(), corpus=[str(other)])
    # Where it is kept and what is measured in the end decide nothing.
    train(make(), save_every=1, evaluate=[str(other)])


def test_how_a_step_is_divided_changes_nothing_but_rounding(make, train):
    before = make()
    options = {"steps": 3, "rate": 1e-3}
    whole, _ = train(before, "whole", batch=6, **options)
    parts, _ = train(before, "parts", batch=2, accumulate=3, **options)
    twice, _ = train(before, "twice", batch=6, checkpointing=True, **options)
    expected = tensors(whole)
    for folder in (parts, twice):
        for name, values in tensors(folder).items():
            np.testing.assert_allclose(values, expected[name], rtol=0, atol=2e-5)
    assert changed(before, whole) == set(expected)


def test_the_lexical_loss_is_the_distance_from_where_rows_began():
    start = [torch.tensor([[3.0, 4.0], [0.0, 5.0]]), torch.tensor([[1.0, 0.0]])]
    rows = [torch.nn.Parameter(each.clone()) for each in start]
    penalty = lexical_penalty(rows, 0.5, torch.bfloat16)
    assert penalty().item() == 0
    with torch.no_grad():
        rows[0][0, 0] += 1
        rows[1][0, 1] += 2
    # Means over rows: (1 + 0) / 2 of 25, and 4 of 1; then over matrices.
    found = penalty()
    assert found.item() == pytest.approx(0.5 * (0.5 / 25 + 4.0) / 2)
    found.backward()
    assert rows[0].grad.flatten().tolist() == pytest.approx([0.5 * 2 / 50 / 2, 0, 0, 0])
    assert rows[1].grad.flatten().tolist() == pytest.approx([0, 0.5 * 4 / 2])
    assert lexical_penalty(rows, 0.0, torch.float32) is None


@pytest.mark.parametrize("options", [{"train": "embeddings"}, {"train": "new-rows"}])
def test_the_lexical_loss_is_of_all_rows_that_are_trained(make, train, options):
    before = make()
    middle, _ = train(before, "middle", steps=5, **options)
    _, found = train(before, "end", steps=6, **options)  # The last loss is of before the step.
    first, second = tensors(before), tensors(middle)
    rows = new_ids(before) if options["train"] == "new-rows" else slice(None)
    parts = []
    for name in (EMBEDDING, HEAD):
        then, now = first[name][rows], second[name][rows]
        parts.append(((now - then) ** 2).sum(1).mean() / (then**2).sum(1).mean())
    assert found.content["lexical"] == pytest.approx(np.mean(parts), rel=1e-4)


def test_the_rate_of_embeddings_goes_by_their_size(make, train):
    before = make()
    sizes = [np.sqrt((tensors(before)[name] ** 2).mean()) for name in (EMBEDDING, HEAD)]
    _, found = train(before, "rows", train="embeddings", rate=None)
    assert found.content["settings"]["rate"] == pytest.approx(0.03 * np.mean(sizes), rel=5e-3)
    _, found = train(before, "all", rate=None)
    assert found.content["settings"]["rate"] == 3e-6


def test_products_may_have_half_precision(make, train):
    before = make()
    _, found = train(before, "half", precision="bfloat16")
    _, full = train(before, "full")
    assert found.content["losses"] != full.content["losses"]
    assert found.content["losses"] == pytest.approx(full.content["losses"], rel=0.02)


def test_both_models_are_measured(make, train, text):
    _, found = train(make(), steps=25, evaluate=[str(text)])
    names = [each.name for each in found.evaluation.slices]
    assert names == ["text.txt", "all", "only known rows", "with new rows"]
    for each in found.evaluation.slices:
        assert each.after < each.before
        assert each.ratio.value == pytest.approx(each.after / each.before)
    assert len(found.frame()) == 4
    assert found.as_json()["evaluation"]["after"] == "continued"


def test_any_model_may_be_trained_but_has_no_new_rows(train, text, tmp_path):
    own = write_model(tmp_path / "own", "gpt2")
    with pytest.raises(UsageError, match=r"has no transplant\.plan"):
        train(own, train="new-rows")
    _, found = train(own, evaluate=[str(text)])
    assert [each.name for each in found.evaluation.slices] == ["text.txt", "all"]
    assert (tmp_path / "out" / "continued.json").is_file()
    assert found.frame().shape[0] == 2


def test_what_cannot_be_trained_is_refused(make, train, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="exists"):
        train(make(), "there")
    with pytest.raises(UsageError, match="context for 1 to 64"):
        train(make(), length=65)
    with pytest.raises(UsageError, match="start at 1"):
        train(make(), accumulate=0)
    with pytest.raises(UsageError, match="start at 1"):
        train(make(), steps=0)
    with pytest.raises(UsageError, match="nothing to train on"):
        train(make(), corpus=[])
    with pytest.raises(UsageError, match="--rate is more than 0"):
        train(make(), rate=0.0)
    with pytest.raises(CorpusError, match="missing"):
        train(make(), corpus=[str(tmp_path / "missing.txt")])
    short = tmp_path / "short.txt"
    short.write_text("the cat")
    with pytest.raises(CorpusError, match="fill no window of 17"):
        train(make(), corpus=[str(short)])
    short.write_bytes(b"")
    with pytest.raises(CorpusError, match="no text"):
        train(make(), corpus=[str(short)])
    # What was refused is not in the way of the text that was meant.
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".partial"]


def test_a_text_is_read_once_and_lies_on_disk(make, tmp_path):
    model = HFModel.load(make())
    parts = [b"the cat", b"", b"in"]
    write_tokens(parts, model.tokenizer, ([0], [1]), tmp_path)
    stream, counts = open_tokens(tmp_path)
    assert isinstance(stream, np.memmap)
    expected = [[0, *model.tokenizer.encode(part).tolist(), 1] for part in parts]
    assert stream.tolist() == [token for row in expected for token in row]
    assert (counts.documents, counts.bytes, counts.tokens) == (3, 9, stream.size)

    def nothing():
        pytest.fail("the text is there already")
        yield b""

    write_tokens(nothing(), model.tokenizer, ([0], [1]), tmp_path)
