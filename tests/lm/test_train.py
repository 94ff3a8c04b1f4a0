"""Training small models: that they learn, that runs repeat, and what they leave."""

import json
import warnings

import numpy as np
import pytest

from tokkit.errors import CorpusError, JobError, ModelError, UsageError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tokkit.lm import HFModel  # noqa: E402
from tokkit.lm.train import Architecture, Schedule, token_stream, train  # noqa: E402
from tokkit.lm.train_model import new_model  # noqa: E402
from tokkit.lm.train_run import IGNORED, Run  # noqa: E402

SMALL = Architecture(hidden_size=16, layers=1, heads=2, context=16)
SHORT = Schedule(steps=12, batch=4, rate=0.02, save_every=5)
DOCUMENTS = [b"the ant in the inn and then another", b"an ant", b"in the den an ant ran"] * 9


class KilledError(Exception):
    pass


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


def killed_at(last):
    def progress(stage, done, total):
        if done == last:
            raise KilledError

    return progress


@pytest.fixture(scope="module")
def trained(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("train") / "model"
    return folder, train(DOCUMENTS, tokenizer, folder, SMALL, SHORT)


def test_the_loss_falls(trained):
    _, training = trained
    assert training.losses[0] > 3.3
    assert training.losses[-1] < training.losses[0] - 0.5
    assert training.seen_tokens == 12 * 4 * 16


def test_the_folder_loads(trained, tokenizer):
    folder, training = trained
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    }
    account = json.loads((folder / "training.json").read_bytes())
    assert account["losses"] == training.losses
    model = HFModel.load(folder)
    assert model.start == (0,)
    assert model.ends == {1}
    assert model.context == 16
    assert model.tokenizer.encode(b"the ant").tolist() == tokenizer.encode("the ant").tolist()
    assert sum(each.numel() for each in model.model.parameters()) == training.parameters
    assert transformers.AutoTokenizer.from_pretrained(folder).bos_token == "<s>"


def test_the_same_again_is_the_same(trained, tokenizer, tmp_path):
    train(DOCUMENTS, tokenizer, tmp_path / "again", SMALL, SHORT)
    assert weights(tmp_path / "again") == weights(trained[0])


@pytest.mark.parametrize("last", [0, 3, 5, 7, 11])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(trained, tokenizer, tmp_path, last):
    folder = tmp_path / "model"
    with pytest.raises(KilledError):
        train(DOCUMENTS, tokenizer, folder, SMALL, SHORT, progress=killed_at(last))
    assert not folder.exists()
    begun = []
    train(DOCUMENTS, tokenizer, folder, SMALL, SHORT, progress=lambda *c: begun.append(c[1]))
    assert begun[0] == last // 5 * 5
    assert weights(folder) == weights(trained[0])
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_run_with_other_settings_is_not_continued(tokenizer, tmp_path):
    with pytest.raises(KilledError):
        train(DOCUMENTS, tokenizer, tmp_path / "model", SMALL, SHORT, progress=killed_at(6))
    with pytest.raises(UsageError, match="other settings"):
        train(DOCUMENTS[1:], tokenizer, tmp_path / "model", SMALL, SHORT)


def test_other_seeds_give_other_weights(trained, tokenizer, tmp_path):
    other = Schedule(steps=12, batch=4, rate=0.02, save_every=5, seed=1)
    train(DOCUMENTS, tokenizer, tmp_path / "model", SMALL, other)
    assert weights(tmp_path / "model") != weights(trained[0])


def test_tied_models_have_one_matrix(trained, tokenizer, tmp_path):
    tied = Architecture(hidden_size=16, layers=1, heads=2, context=16, tied=True)
    short = Schedule(steps=2, batch=2, precision="bfloat16")
    training = train(DOCUMENTS, tokenizer, tmp_path / "m", tied, short, dtype="bfloat16")
    assert trained[1].parameters - training.parameters == len(tokenizer) * 16
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "m", dtype="auto")
    assert model.config.tie_word_embeddings
    assert model.dtype == torch.bfloat16


def test_documents_stand_between_the_tokens_that_begin_and_end_them(tokenizer):
    ids = [tokenizer.encode(text).tolist() for text in ("an", "the")]
    stream = token_stream([b"an", b"the"], tokenizer)
    assert stream.tolist() == [0, *ids[0], 1, 0, *ids[1], 1]


def test_the_rate_rises_then_falls_to_nothing():
    rates = [Schedule(steps=100, rate=1.0, warm_up=0.1).rate_at(step) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert rates[55] == pytest.approx(0.5)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.001


def test_the_rate_may_stay():
    schedule = Schedule(steps=20, rate=1.0, warm_up=0.25, shape="constant")
    rates = [schedule.rate_at(step) for step in range(20)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, *[1.0] * 16])


def test_the_rate_may_go_like_that_of_torch():
    schedule = Schedule(steps=50, rate=0.3, warm_up=0.1, shape="one-cycle")
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.3)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.3, 50, pct_start=0.1, div_factor=100, final_div_factor=0.05
    )
    expected = []
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # Of steps of the schedule without any of the optimizer.
        for _ in range(50):
            expected.append(theirs.get_last_lr()[0])
            if len(expected) < 50:
                theirs.step()
    assert [schedule.rate_at(step) for step in range(50)] == pytest.approx(expected)


LEARNED = Architecture(
    family="gpt2", hidden_size=16, layers=1, heads=2, context=8, tied=True, spread=0.1
)


def copying_run(steps=30):
    """Return a run and the batches that teach a model to say the token before the last."""
    run = Run(new_model(LEARNED, 12, 0, 0, seed=3), Schedule(steps=steps, rate=0.02), 8)
    chance = np.random.default_rng(0)
    batches = [chance.integers(1, 12, (32, 4)) for _ in range(steps)]
    targets = [np.full((32, 4), IGNORED) for _ in batches]
    for batch, wanted in zip(batches, targets, strict=True):
        wanted[:, 3] = batch[:, 2]
    return run, batches, targets


def test_batches_of_the_callers_are_learnt_where_they_have_targets():
    run, batches, targets = copying_run()
    for batch, wanted in zip(batches, targets, strict=True):
        run.advance_on(batch, wanted)
    assert run.losses[0] == pytest.approx(np.log(12), abs=0.5)
    assert run.losses[-1] < run.losses[0] - 1


def test_a_window_is_a_batch_whose_targets_are_the_next_tokens():
    stream = np.arange(1, 10, dtype=np.int32)
    schedule = Schedule(steps=5, batch=3)
    first, second = (Run(new_model(LEARNED, 12, 0, 0, 0), schedule, 8) for _ in range(2))
    rows = np.tile(stream.astype(np.int64), (3, 1))
    for _ in range(2):
        first.advance(stream)
        second.advance_on(rows[:, :-1], rows[:, 1:])
    assert first.losses == second.losses


def test_a_run_taken_up_again_is_the_same_run(tmp_path):
    whole, batches, targets = copying_run(12)
    for step, (batch, wanted) in enumerate(zip(batches, targets, strict=True)):
        whole.advance_on(batch, wanted)
        if step == 4:
            whole.keep(tmp_path / "run.pt")
    again, *_ = copying_run(12)
    again.restore(tmp_path / "run.pt")
    assert again.step == 5
    for batch, wanted in zip(batches[5:], targets[5:], strict=True):
        again.advance_on(batch, wanted)
    assert again.losses == whole.losses
    for one, other in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("parts", [2, 5, 7])
def test_a_step_in_parts_is_the_same_step(parts):
    """Targets that are left out are not equally many in all parts; some have no sequence."""
    chance = np.random.default_rng(1)
    batch = chance.integers(1, 12, (6, 8))
    targets = np.where(chance.random((6, 8)) < np.arange(6)[:, None] / 6, IGNORED, batch)
    runs = [
        Run(new_model(LEARNED, 12, 0, 0, 0), Schedule(rate=1e-3), 8, parts=each)
        for each in (1, parts)
    ]
    for run in runs:
        run.advance_on(batch, targets)
    assert runs[1].losses == pytest.approx(runs[0].losses)
    for one, other in zip(*(run.model.parameters() for run in runs), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_what_needs_no_gradient_is_not_trained():
    model = new_model(LEARNED, 12, 0, 0, 0)
    model.transformer.h.requires_grad_(False)
    before = {name: each.clone() for name, each in model.named_parameters()}
    run = Run(model, Schedule(rate=1e-2), 8)
    run.advance_on(np.ones((2, 8), dtype=np.int64), np.full((2, 8), 2))
    same = {name for name, each in model.named_parameters() if torch.equal(each, before[name])}
    assert same == {name for name in before if name.startswith("transformer.h.")}


def test_a_penalty_is_part_of_the_loss_but_not_of_what_is_told():
    model = new_model(LEARNED, 12, 0, 0, 0)
    weight = model.transformer.wpe.weight
    run = Run(model, Schedule(rate=1e-2), 8, penalty=lambda: 1e3 * weight.square().sum())
    plain = Run(new_model(LEARNED, 12, 0, 0, 0), Schedule(rate=1e-2), 8)
    size = float(weight.detach().square().sum())
    for each in (run, plain):
        for _ in range(2):
            each.advance_on(np.ones((2, 8), dtype=np.int64), np.full((2, 8), 2))
    assert run.losses[0] == plain.losses[0]
    assert run.losses[1] != plain.losses[1]
    assert run.penalties[0] == pytest.approx(1e3 * size)
    assert run.penalties[1] < run.penalties[0]
    assert plain.penalties == []


def test_the_second_family_has_learned_positions_and_one_matrix_of_tokens():
    model = new_model(LEARNED, 12, 0, 0, seed=0)
    names = {name: tuple(each.shape) for name, each in model.named_parameters()}
    assert names["transformer.wpe.weight"] == (8, 16)
    assert names["transformer.wte.weight"] == (12, 16)
    assert "lm_head.weight" not in names
    assert names["transformer.h.0.mlp.c_fc.weight"] == (16, 64)


def test_what_cannot_be_trained_is_refused(trained, tokenizer, bare_tokenizer, tmp_path):
    folder = tmp_path / "model"
    with pytest.raises(UsageError, match="exists"):
        train(DOCUMENTS, tokenizer, trained[0], SMALL, SHORT)
    with pytest.raises(ModelError, match="begins or ends a text"):
        train(DOCUMENTS, bare_tokenizer, folder, SMALL, SHORT)
    with pytest.raises(CorpusError, match="fill no window"):
        train([b"an ant"], tokenizer, folder, SMALL, SHORT)
    with pytest.raises(UsageError, match="3 heads cannot share a width of 16"):
        train(DOCUMENTS, tokenizer, folder, Architecture(hidden_size=16, heads=3), SHORT)
    odd = Architecture(family="gpt2", hidden_size=16, heads=3)
    with pytest.raises(UsageError, match="multiple of their number"):
        train(DOCUMENTS, tokenizer, folder, odd, SHORT)
    with pytest.raises(UsageError, match="both start at 1"):
        Schedule(steps=0)
    assert not list(tmp_path.iterdir())


def test_a_loss_that_is_no_number_stops_the_run(tokenizer, tmp_path):
    wild = Schedule(steps=12, batch=4, rate=1e30)
    with pytest.raises(JobError, match="lower the learning rate"):
        train(DOCUMENTS, tokenizer, tmp_path / "model", SMALL, wild)
