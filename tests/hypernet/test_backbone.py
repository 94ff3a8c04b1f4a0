"""Models run with other embeddings than their own, against transformers."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.transplant import models  # noqa: E402
from tokkit.errors import ModelError  # noqa: E402
from tokkit.hypernet.backbone import Backbone, Frame  # noqa: E402

CAUSAL = ["llama", "gpt2", "phi", "gemma2", "opt", "bloom", "mamba"]
MASKED = ["bert", "roberta", "modernbert"]


def ids_of(backbone, count=12, rows=2):
    chance = np.random.default_rng(0)
    used = backbone.source.used[1:]  # RoBERTa itself would take id 0 for padding
    return torch.from_numpy(chance.choice(used, (rows, count)).astype(np.int64))


def vocabulary(backbone, order):
    """The model's own rows in another order, as it is given them."""
    sides = [matrix[order].clone() for matrix in backbone.source.matrices]
    bias = backbone.source.bias
    return sides, None if bias is None else bias[order].clone()


@pytest.mark.parametrize("name", CAUSAL + MASKED)
def test_its_own_rows_in_another_order_give_its_own_logits_in_that_order(name, make_model):
    folder = make_model(name)
    backbone = Backbone.load(folder, device="cpu")
    plain = models.load(folder)
    ids = ids_of(backbone)
    size = backbone.source.input.shape[0]
    order = torch.from_numpy(np.random.default_rng(1).permutation(size))
    places = torch.empty_like(order)
    places[order] = torch.arange(size)
    with torch.no_grad():
        wanted = plain(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        sides, bias = vocabulary(backbone, order)
        found = backbone.logits(places[ids], sides, bias)
    torch.testing.assert_close(found, wanted[..., order], atol=2e-5, rtol=1e-4)


def test_a_smaller_vocabulary_has_its_logits_alone(make_model):
    backbone = Backbone.load(make_model("llama"), device="cpu")
    plain = models.load(make_model("llama"))
    order = torch.from_numpy(backbone.source.used[:50].astype(np.int64))
    sides, _ = vocabulary(backbone, order)
    ids = torch.tensor([[3, 7, 0, 49]])
    with torch.no_grad():
        wanted = plain(input_ids=order[ids]).logits[..., order]
        found = backbone.logits(ids, sides)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_gradients_reach_the_rows_and_nothing_of_the_model(name, make_model):
    backbone = Backbone.load(make_model(name), device="cpu")
    before = {k: v.clone() for k, v in backbone.model.state_dict().items()}
    order = torch.arange(backbone.source.input.shape[0])
    sides, bias = vocabulary(backbone, order)
    for each in sides:
        each.requires_grad_()
    backbone.logits(ids_of(backbone), sides, bias).logsumexp(-1).sum().backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in sides)
    for key, value in backbone.model.state_dict().items():
        assert torch.equal(value, before[key])
    assert all(each.grad is None for each in backbone.model.parameters())


def test_what_stands_around_a_text(make_model):
    llama = Backbone.load(make_model("llama"), device="cpu")
    specials = llama.source.tokenizer.vocab.specials
    assert llama.frame == Frame((specials["<s>"],))
    bert = Backbone.load(make_model("bert"), device="cpu")
    assert bert.frame == Frame((specials["<s>"],), (specials["</s>"],), specials["<mask>"])


def test_what_is_no_model_is_refused_in_a_line(tmp_path):
    with pytest.raises(ModelError, match=r"no config.json in this folder"):
        Backbone.load(tmp_path, device="cpu")


def test_encoder_decoders_are_refused_in_a_line(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "t5"}')
    with pytest.raises(ModelError, match="is an encoder-decoder: give a causal"):
        Backbone.load(tmp_path, device="cpu")


def test_a_model_without_a_tokenizer_says_how_to_name_it(make_model, tmp_path):
    models.save("llama", tmp_path, vocab_size=300)
    with pytest.raises(ModelError, match="--model-tokenizer"):
        Backbone.load(tmp_path, device="cpu")
    tokenizer = str(make_model("llama"))
    assert Backbone.load(tmp_path, tokenizer=tokenizer, device="cpu").source.used.size > 256
