import json

import numpy as np
import pytest

from tests.transplant.models import build
from tests.transplant.small import tokenizer
from tokkit.errors import CorpusError, ModelError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokkit.lm import HFModel  # noqa: E402
from tokkit.transplant.running import positions as positions_module  # noqa: E402
from tokkit.transplant.running import shifting  # noqa: E402
from tokkit.transplant.running.calibrate import calibrate  # noqa: E402
from tokkit.transplant.running.head import find_head  # noqa: E402
from tokkit.transplant.running.positions import collect  # noqa: E402

OWN = tokenizer(b"the", b" c", b"at", b" in", b"hat")
NEW = [256, 257, 258, 259, 260]
TEXTS = [b"the cat in the hat ", b"at the inn, then ", b"that cat chats at the hat"] * 8


def model(kind="llama", **changes):
    """A random model whose states have a direction in common, as those of real ones do."""
    changes = {"tie_word_embeddings": False, "bos_token_id": None, **changes}
    inside = build(kind, vocab_size=len(OWN), **changes)
    norms = [each for each in inside.modules() if "Norm" in type(each).__name__]
    if getattr(norms[-1], "bias", None) is not None:
        with torch.no_grad():
            norms[-1].bias += 3.0
    return HFModel(inside, OWN, name=kind, start=[OWN.vocab.specials["<s>"]])


def changed(own, found):
    """Put what calibration found into the model, and return what it was before."""
    head = own.model.get_output_embeddings()
    with torch.no_grad():
        if found.rows is not None:
            before, target = head.weight.clone(), head.weight
            target[found.ids] = torch.from_numpy(found.rows)
        else:
            before, target = head.bias.clone(), head.bias
            target[found.ids] = torch.from_numpy(found.bias)
    return target, before


def slow_cost(own, texts, shifts=None, direction=None):
    """Nats per token, one position after the other; rows shifted along the direction."""
    total, count = 0.0, 0
    for text in texts:
        ids = [*own.start, *own.tokenizer.encode(text).tolist()]
        with torch.no_grad():
            logits = own.model(torch.tensor([ids]), use_cache=False).logits[0].double()
        if shifts is not None:
            states = positions_module.states_of(own, torch.tensor([ids]))[0].double()
            logits = logits + torch.outer(states @ direction.double(), shifts.double())
        logprobs = torch.log_softmax(logits, -1)
        total -= sum(float(logprobs[place, ids[place + 1]]) for place in range(len(ids) - 1))
        count += len(ids) - 1
    return total / count


def test_states_and_head_are_the_model(monkeypatch):
    own = model()
    found = collect(own, TEXTS[:3], 10**6)
    head = find_head(own, found)
    zero = torch.zeros(len(OWN))
    cost = shifting.expect(head, found, zero)[1]
    assert cost == pytest.approx(slow_cost(own, TEXTS[:3]), rel=1e-6)
    monkeypatch.setattr(positions_module, "_LOGITS", 2000)
    monkeypatch.setattr(positions_module, "_BATCH", 20)
    again = collect(own, TEXTS[:3], 10**6)
    torch.testing.assert_close(again.hidden, found.hidden)
    assert again.owners.tolist() == found.owners.tolist()
    assert shifting.expect(head, again, zero)[1] == pytest.approx(cost, rel=1e-6)


def test_the_scalar_is_where_a_slow_search_finds_the_least_cost():
    own = model()
    found = collect(own, TEXTS[:3], 10**6)
    head = find_head(own, found)
    new = torch.zeros(len(OWN), dtype=torch.bool)
    new[NEW] = True
    scalar = shifting.fit_scalar(head, found, new)
    costs = {
        step: slow_cost(own, TEXTS[:3], new * (scalar + step), head.direction)
        for step in (-0.3, -0.02, 0.0, 0.02, 0.3)
    }
    assert abs(scalar) > 0.1
    assert min(costs, key=costs.get) == 0.0


def test_own_shifts_make_the_text_likelier_still_and_match_what_is_seen(monkeypatch):
    monkeypatch.setattr(shifting, "PRIOR", 1e-3)
    monkeypatch.setattr(shifting, "ROUNDS", 40)
    own = model("phi")  # its bias moves the logits by the same everywhere
    found = collect(own, TEXTS, 10**6)
    head = find_head(own, found)
    new = torch.zeros(len(OWN), dtype=torch.bool)
    new[NEW] = True
    scalar = shifting.fit_scalar(head, found, new)
    shifts = shifting.fit_tokens(head, found, new, scalar)
    foreseen, cost = shifting.expect(head, found, shifts)
    assert cost < shifting.expect(head, found, new * scalar)[1]
    assert not shifts[:256].any()
    seen = np.bincount(found.following.numpy(), minlength=len(OWN))[NEW]
    np.testing.assert_allclose(foreseen[NEW], seen, rtol=0.02)


@pytest.mark.parametrize("by", ["scalar", "token"])
@pytest.mark.parametrize("kind", ["llama", "phi", "gemma2", "gpt2"])
def test_calibrating_lowers_the_cost_of_the_text(kind, by):
    own = model(kind)
    before = slow_cost(own, TEXTS[:3])
    found = calibrate(own, NEW, TEXTS, by=by)
    assert found.by in (by, "scalar")
    target, old = changed(own, found)
    assert slow_cost(own, TEXTS[:3]) < before - 0.05
    known = np.setdiff1d(np.arange(len(OWN)), NEW)
    assert torch.equal(target[known], old[known])
    assert found.as_json()["changed"] == ("bias" if kind == "phi" else "rows")
    json.dumps(found.as_json(), allow_nan=False)


def test_what_does_not_help_is_not_done():
    own = model()
    texts = [b"thethe" * 4, b"catcat" * 4] * 10
    changed(own, calibrate(own, NEW, texts, by="token"))
    found = calibrate(own, NEW, [b"xyzzy q" * 3] * 10 + [b"in in in"], by="scalar")
    before, after = found.bits
    assert after <= before
    with torch.no_grad():
        rows = own.model.get_output_embeddings().weight[found.ids].numpy()
    if found.by == "nothing":
        np.testing.assert_array_equal(found.rows, rows)


def test_the_same_seed_gives_the_same_bytes():
    own = model()
    first, again = (calibrate(own, NEW, TEXTS, positions=100, seed=3) for _ in range(2))
    assert first.rows.tobytes() == again.rows.tobytes()
    assert first.positions == again.positions < 140


def test_no_new_token_is_nothing_to_do():
    found = calibrate(model(), [], TEXTS)
    assert (found.by, len(found.rows)) == ("nothing", 0)


def test_errors():
    with pytest.raises(CorpusError, match="too short"):
        calibrate(model(), NEW, [b"cat"])
    own = model()
    forward = own.model.forward

    def odd(*args, **options):
        output = forward(*args, **options)
        output.logits = output.logits**3
        return output

    own.model.forward = odd
    with pytest.raises(ModelError, match="cannot be calibrated"):
        calibrate(own, NEW, TEXTS)
