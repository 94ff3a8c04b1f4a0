"""Steps of training: what changes, what never does, and against gradients of the whole."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.hypernet.test_batches import RECIPE  # noqa: E402
from tokkit.errors import JobError  # noqa: E402
from tokkit.hypernet.backbone import Backbone  # noqa: E402
from tokkit.hypernet.batches import Batches  # noqa: E402
from tokkit.hypernet.config import Config  # noqa: E402
from tokkit.hypernet.losses import language_loss, lexical_loss  # noqa: E402
from tokkit.hypernet.network import Network  # noqa: E402
from tokkit.hypernet.texts import split  # noqa: E402
from tokkit.hypernet.training import Training  # noqa: E402
from tokkit.lm.processes import Processes  # noqa: E402

EXACT = replace(RECIPE, precision="float32", steps=20, rate=3e-3, rising=0.2)


def prepare(folder, documents, *, residual=True, **changes):
    backbone = Backbone.load(folder, device="cpu")
    recipe = replace(EXACT, **changes)
    torch.manual_seed(0)
    network = Network(Config(layers=1, width=16, heads=2, residual=residual), backbone.source)
    batches = Batches(backbone.source, backbone.frame, split(documents)[0], recipe, 7)
    return Training(network, backbone, recipe, Processes()), batches


@pytest.mark.parametrize("name", ["llama", "gpt2", "phi", "bert"])
def test_the_loss_falls_and_the_model_stays_bit_for_bit(name, make_model, documents):
    training, batches = prepare(make_model(name), documents)
    before = {k: v.clone() for k, v in training.backbone.model.state_dict().items()}
    judge = [batches.judge(number, documents[:8]) for number in range(2)]
    first = training.judge(judge)
    for batch in batches.ahead(0, 20):
        training.advance(batch)
    assert training.judge(judge) < first - 0.03
    for key, value in training.backbone.model.state_dict().items():
        assert torch.equal(value, before[key])
    assert not any(each.requires_grad for each in training.backbone.model.parameters())


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_gradients_are_those_of_both_losses_together(name, make_model, documents):
    training, batches = prepare(make_model(name), documents, accumulate=2, clip=1e9)
    batch = batches.make(1)
    network = training.network
    rows = training.rows(batch)
    nats = sum(
        language_loss(training.logits(each, rows), torch.from_numpy(each.wanted))
        for each in batch.sequences
    ) / sum(int((each.wanted >= 0).sum()) for each in batch.sequences)
    made = training._run(batch.lexical)
    lexical = lexical_loss(made, training._own(batch.lexical_ids))
    wanted = torch.autograd.grad(
        nats + EXACT.lexical_weight * lexical, list(network.parameters()), allow_unused=True
    )
    found = []
    training._optimizer.step = lambda: found.extend(
        p.grad.clone() for p in network.parameters()
    )
    training._optimizer.zero_grad = lambda: None
    training.advance(batch)
    for one, other in zip(found, wanted, strict=True):
        expected = torch.zeros_like(one) if other is None else other
        torch.testing.assert_close(one, expected, atol=1e-6, rtol=1e-4)
    [losses] = training.state.losses
    assert losses == pytest.approx((nats.item(), lexical.item()), rel=1e-5, abs=1e-6)


class Told(Processes):
    """One of two processes, which is told what the other one would say."""

    total = 0.0

    def sum(self, value):
        return self.total


@pytest.mark.parametrize("name", ["llama", "bert"])
def test_processes_with_texts_of_different_lengths_take_the_step_of_one(
    name, make_model, documents
):
    short = [*documents[:4], b"an ant\n", b"to\n", b"the den\n", *documents[4:6]]

    def gradients(rank, count, total=0.0):
        training, batches = prepare(make_model(name), short, clip=1e9, lexical_weight=0)
        processes = Told(rank=rank, count=count)
        object.__setattr__(processes, "total", total)
        batches._share = rank, count
        training._processes = processes if count > 1 else Processes()
        object.__setattr__(processes, "average", lambda parameters: None)
        found = []
        network = training.network
        training._optimizer.step = lambda: found.extend(
            p.grad.clone() for p in network.parameters() if p.grad is not None
        )
        training._optimizer.zero_grad = lambda: None
        batch = batches.make(1)
        training.advance(batch)
        return found, int((batch.sequences[0].wanted >= 0).sum())

    alone, total = gradients(0, 1)
    parts = [gradients(rank, 2, total) for rank in (0, 1)]
    assert sum(wanted for _, wanted in parts) == total
    assert parts[0][1] != parts[1][1]
    for whole, one, other in zip(alone, *(found for found, _ in parts), strict=True):
        torch.testing.assert_close((one + other) / 2, whole, atol=1e-6, rtol=1e-4)


def test_rows_of_a_vocabulary_are_special_known_and_predicted(make_model, documents):
    training, batches = prepare(make_model("llama", tie_word_embeddings=False), documents)
    batch = batches.make(0)
    with torch.no_grad():
        rows = training.rows(batch)
        made = training._run(batch.pieces)
    source = training.backbone.source
    begins = source.tokenizer.vocab.specials["<s>"]
    for side, matrix in enumerate(source.matrices):
        assert torch.equal(rows[side][0], matrix[begins])
        assert torch.equal(rows[side][1 + batch.known], matrix[batch.known_ids])
        assert torch.equal(rows[side][1 + batch.new], made[side])


def test_warming_up_brings_predictions_nearer_to_the_models_rows(make_model, documents):
    training, batches = prepare(
        make_model("llama"), documents, residual=False, warm_up_steps=30, warm_up_rate=3e-3
    )
    ids, pieces = batches.warm_up(1_000)

    def distance():
        with torch.no_grad():
            return float(lexical_loss(training._run(pieces), training._own(ids)))

    before = distance()
    for step in range(30):
        training.warm_up(*batches.warm_up(step))
    assert distance() < before - 0.1


def test_the_rate_rises_and_falls_in_both_phases(make_model, documents):
    training, _ = prepare(
        make_model("llama"), documents, warm_up_steps=10, warm_up_rate=1.0, steps=10, rate=2.0
    )
    rates = [training.rate_at(step) for step in range(20)]
    assert rates[:2] == [0.5, 1.0]
    assert rates[10:12] == [1.0, 2.0]
    # Two steps rise; of the eight that fall, the middle one is half way to a tenth.
    assert rates[2] == 1.0
    assert rates[6] == pytest.approx(0.1 + 0.9 / 2)
    assert rates[16] == pytest.approx(2 * (0.1 + 0.9 / 2))
    assert np.all(np.diff(rates[2:10]) < 0)


def test_a_loss_that_is_no_number_ends_the_job(make_model, documents):
    training, batches = prepare(make_model("llama"), documents)
    with torch.no_grad():
        training.network.heads[0].bias.fill_(float("nan"))
    with pytest.raises(JobError, match="lower the learning rate"):
        training.advance(batches.make(0))


def test_computing_again_for_gradients_gives_the_same(make_model, documents):
    results = []
    for checkpointing in (False, True):
        training, batches = prepare(make_model("gpt2"), documents, checkpointing=checkpointing)
        for step in range(2):
            training.advance(batches.make(step))
        results.append([each.detach().clone() for each in training.network.parameters()])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)
