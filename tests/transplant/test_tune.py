import json

import numpy as np
import pytest

from tests.transplant.models import build
from tests.transplant.small import tokenizer
from tokkit.errors import CorpusError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokkit.lm import HFModel  # noqa: E402
from tokkit.transplant.running import tune as tune_module  # noqa: E402
from tokkit.transplant.running.tune import STATE, tune  # noqa: E402

OWN = tokenizer(b"the", b" c", b"at", b" in", b"hat")
NEW = [257, 256, 260]
TEXTS = [b"the cat in the hat ", b"at the inn, then ", b"that cat chats at the hat"] * 8


def model(kind="llama", *, tied=False, **changes):
    inside = build(
        kind, vocab_size=len(OWN), bos_token_id=None, tie_word_embeddings=tied, **changes
    )
    return HFModel(inside, OWN, name=kind, start=[OWN.vocab.specials["<s>"]])


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", ["llama", "gemma"])
def test_only_the_new_rows_are_trained(kind, tied):
    own = model(kind, tied=tied)
    before = {name: value.clone() for name, value in own.model.state_dict().items()}
    found = tune(own, NEW, TEXTS, steps=30, batch=4, rate=0.1)
    after = own.model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert all(each.requires_grad for each in own.model.parameters())
    assert (found.output is None) == tied
    assert found.bits[1] < found.bits[0]
    assert found.as_json()["loss"]["end"] < found.as_json()["loss"]["start"]
    json.dumps(found.as_json(), allow_nan=False)


def test_the_rows_are_what_makes_the_text_likelier():
    own = model()
    found = tune(own, NEW, TEXTS, steps=20, batch=4, rate=0.1)
    assert found.ids.tolist() == sorted(NEW)
    ids = torch.tensor([[*own.start, *OWN.encode(b"the cat that").tolist()]])

    def cost():
        with torch.no_grad():
            return float(own.model(ids, labels=ids, use_cache=False).loss)

    before = cost()
    with torch.no_grad():
        own.model.get_input_embeddings().weight[found.ids] = torch.from_numpy(found.input)
        own.model.get_output_embeddings().weight[found.ids] = torch.from_numpy(found.output)
    assert cost() < before


class KilledError(Exception):
    pass


def kill_at(step):
    def progress(stage, done, total):
        if done == step:
            raise KilledError

    return progress


@pytest.mark.parametrize("tied", [False, True])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path, monkeypatch, tied):
    monkeypatch.setattr(tune_module, "_SAVE_EVERY", 4)
    own = model(tied=tied)
    options = {"steps": 12, "batch": 3, "seed": 5}
    whole = tune(own, NEW, TEXTS, **options)
    for step in (6, 11):
        with pytest.raises(KilledError):
            tune(own, NEW, TEXTS, **options, checkpoint=tmp_path, progress=kill_at(step))
    assert torch.load(tmp_path / STATE, weights_only=True)["step"] == 8
    parts = tune(own, NEW, TEXTS, **options, checkpoint=tmp_path)
    assert parts.input.tobytes() == whole.input.tobytes()
    assert tied or parts.output.tobytes() == whole.output.tobytes()
    assert parts.losses == whole.losses
    assert parts.bits == whole.bits


def test_the_state_of_another_run_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tune_module, "_SAVE_EVERY", 2)
    own = model()
    tune(own, NEW, TEXTS, steps=4, batch=3, seed=1, checkpoint=tmp_path)
    other = tune(own, NEW, TEXTS, steps=4, batch=3, seed=2, checkpoint=tmp_path)
    whole = tune(own, NEW, TEXTS, steps=4, batch=3, seed=2)
    np.testing.assert_array_equal(other.input, whole.input)


def test_half_precision_rows_are_trained_in_single(tmp_path):
    own = model(dtype="bfloat16")
    found = tune(own, NEW, TEXTS, steps=5, batch=4)
    assert found.input.dtype == np.float32
    assert own.model.dtype == torch.bfloat16


def test_too_little_text_is_an_error():
    with pytest.raises(CorpusError, match="too short"):
        tune(model(), NEW, [b"cat"], steps=1)
