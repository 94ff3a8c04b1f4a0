from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.dynamic.models import (
    START,
    TEXTS,
    TOKENIZER,
    decoder,
    merged,
    plain_logits,
    rows_for,
)
from tokkit.dynamic.models.embedding import NewRows
from tokkit.dynamic.models.prefill import go_on, prefill
from tokkit.dynamic.models.running import Extended, pad
from tokkit.errors import ModelError

NAMES = ["llama", "gpt2", "gemma2", "gemma3_text", "opt", "phi"]


def grown(model, batch, rows):
    """A copy of the torch model with the new tokens in its embedding."""
    bigger = deepcopy(model.model)
    embedding = bigger.get_input_embeddings()
    wider = torch.cat([embedding.weight.detach()[: batch.base], torch.from_numpy(rows.input)])
    embedding.weight = torch.nn.Parameter(wider)
    return bigger


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["left", "right"])
def test_without_merges_the_logits_are_those_of_the_model(name, side):
    model, batch = decoder(name), merged(0)
    found = prefill(model, batch, rows_for(model.model, batch), side=side)
    for row, ids in enumerate(batch.sequences):
        expected = plain_logits(model, ids)[-1]
        torch.testing.assert_close(found.logits[row], expected, rtol=1e-5, atol=1e-5)


def test_one_sequence_without_merges_is_the_same_to_the_last_bit():
    model, batch = decoder("llama"), merged(0, TEXTS[:1])
    found = prefill(model, batch, rows_for(model.model, batch))
    assert (found.logits[0] == plain_logits(model, batch.sequences[0])[-1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_new_tokens_are_read_as_if_they_were_rows_of_the_embedding(name):
    model, batch = decoder(name), merged(5)
    rows = rows_for(model.model, batch)
    found = prefill(model, batch, rows)
    bigger = grown(model, batch, rows)
    for row, ids in enumerate(batch.sequences):
        assert (ids >= batch.base).any()
        whole = torch.tensor([[START, *ids.tolist()]])
        with torch.inference_mode():
            expected = bigger(input_ids=whole).logits[0, -1, : found.logits.shape[1]]
        torch.testing.assert_close(found.logits[row], expected, rtol=1e-5, atol=1e-5)


def test_a_batch_of_many_is_many_batches_of_one():
    model, batch = decoder("llama"), merged(5)
    rows = rows_for(model.model, batch)
    together = prefill(model, batch, rows)
    for row, ids in enumerate(batch.sequences):
        one = replace(batch, sequences=[ids])
        alone = prefill(model, one, rows)
        torch.testing.assert_close(together.logits[row], alone.logits[0], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(together.hidden[row], alone.hidden[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["left", "right"])
def test_generation_goes_on_from_the_cache(name, side):
    model, batch = decoder(name), merged(5)
    rows = rows_for(model.model, batch)
    extended = Extended(model.model, batch.base, rows)
    state = prefill(model, batch, rows, side=side)
    more = torch.tensor([[97, 98], [120, 121], [32, 97], [10, 257]])
    state = go_on(model, go_on(model, state, more[:, :1]), more[:, 1:])
    for row, ids in enumerate(batch.sequences):
        whole = pad([np.append(ids, more[row].numpy())], start=model.start)
        with torch.inference_mode():
            logits = model.model(inputs_embeds=extended.embed(whole.ids)).logits[0, -1]
        torch.testing.assert_close(state.logits[row], logits, rtol=1e-5, atol=1e-5)


def test_new_tokens_can_be_read_later_too():
    model, batch = decoder("llama"), merged(5)
    rows = rows_for(model.model, batch)
    extended = Extended(model.model, batch.base, rows)
    state = prefill(model, merged(0), rows_for(model.model, merged(0)))
    ids = torch.full((len(TEXTS), 1), batch.base)
    found = go_on(model, state, ids, extended)
    whole = pad([np.append(merged(0).sequences[0], batch.base)], start=model.start)
    with torch.inference_mode():
        expected = model.model(inputs_embeds=extended.embed(whole.ids)).logits[0, -1]
    torch.testing.assert_close(found.logits[0], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma2", "phi"])
def test_the_lengthened_head_predicts_new_tokens_and_leaves_the_others_alone(name):
    model, batch = decoder(name), merged(5)
    rows = rows_for(model.model, batch)
    extended = Extended(model.model, batch.base, rows)
    ids = pad(batch.sequences[:1], start=model.start).ids
    before = {key: value.clone() for key, value in model.model.state_dict().items()}
    embeds = extended.embed(ids)
    found = extended.predict(inputs_embeds=embeds)
    with torch.inference_mode():
        output = model.model(inputs_embeds=embeds, output_hidden_states=True)
    size = output.logits.shape[2]
    torch.testing.assert_close(found[..., :size], output.logits, rtol=1e-5, atol=1e-5)
    new = output.hidden_states[-1] @ torch.from_numpy(rows.output).T
    if rows.bias is not None:
        new = new + torch.from_numpy(rows.bias)
    cap = getattr(model.model.config, "final_logit_softcapping", None)
    if cap:
        new = torch.tanh(new / cap) * cap
    torch.testing.assert_close(found[..., size:], new, rtol=1e-4, atol=1e-5)
    assert extended.columns(torch.tensor([3, batch.base])).tolist() == [3, size]
    after = model.model.state_dict()
    assert all((after[key] == value).all() for key, value in before.items())


def test_a_sequence_longer_than_the_context_is_an_error():
    model = decoder("llama", max_position_embeddings=8)
    batch = merged(0)
    with pytest.raises(ModelError, match="longer than the context of 8"):
        prefill(model, batch, rows_for(model.model, batch))
    short = merged(0, [b"abcd"])
    state = prefill(model, short, NewRows(*np.zeros((2, 0, 16), np.float32)))
    with pytest.raises(ModelError, match="longer than the context of 8"):
        go_on(model, state, torch.full((1, 7), 97))


def test_ids_are_those_of_the_tokenizer():
    assert merged(3).base == len(TOKENIZER.vocab)


def test_a_model_that_keeps_no_keys_and_values_is_an_error():
    model, batch = decoder("mamba"), merged(1)
    with pytest.raises(ModelError, match=r"Mamba.*keeps no keys and values"):
        prefill(model, batch, rows_for(model.model, batch))
