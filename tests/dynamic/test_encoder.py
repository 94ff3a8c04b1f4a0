from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.dynamic.models import SIZE, merged, rows_for
from tests.transplant.models import ENCODERS, build
from tokkit.dynamic.models.encoder import encode_states, encoder_logits, pool_states


def plain(model, ids):
    with torch.inference_mode():
        return model(input_ids=torch.from_numpy(ids.astype(np.int64))[None])


@pytest.mark.parametrize("name", ENCODERS)
def test_without_merges_states_and_logits_are_those_of_the_model(name):
    model, batch = build(name, vocab_size=SIZE), merged(0)
    rows = rows_for(model, batch)
    states, logits = encode_states(model, batch, rows), encoder_logits(model, batch, rows)
    for number, ids in enumerate(batch.sequences):
        expected = plain(model.base_model, ids).last_hidden_state[0]
        np.testing.assert_allclose(states[number], expected, rtol=1e-4, atol=1e-5)
        expected = plain(model, ids).logits[0]
        np.testing.assert_allclose(logits[number, : ids.size], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_new_tokens_are_read_as_if_they_were_rows_of_the_embedding(name):
    model, batch = build(name, vocab_size=SIZE), merged(5)
    rows = rows_for(model, batch)
    states = encode_states(model, batch, rows)
    embedding = model.get_input_embeddings()
    wider = torch.cat([embedding.weight.detach()[: batch.base], torch.from_numpy(rows.input)])
    embedding.weight = torch.nn.Parameter(wider)
    for number, ids in enumerate(batch.sequences):
        expected = plain(model.base_model, ids).last_hidden_state[0]
        np.testing.assert_allclose(states[number], expected, rtol=1e-4, atol=1e-5)
        assert len(states[number]) == ids.size < 18


def test_plain_encoders_and_classifiers():
    batch = merged(5)
    kind = {"architecture": "BertForSequenceClassification", "num_labels": 3}
    classifier = build("bert", vocab_size=SIZE, **kind)
    rows = rows_for(classifier, batch)
    together = encoder_logits(classifier, batch, rows)
    assert together.shape == (4, 3)
    states = encode_states(classifier.bert, batch, rows)
    np.testing.assert_array_equal(states[1], encode_states(classifier, batch, rows)[1])
    for number, ids in enumerate(batch.sequences):
        one = replace(batch, sequences=[ids])
        alone = encoder_logits(classifier, one, rows)
        np.testing.assert_allclose(together[number], alone[0], rtol=1e-4, atol=1e-5)


def test_pooling_leaves_padding_out():
    states = [np.array(own, np.float32) for own in ([[1, 2], [3, 4]], [[5, 6]])]
    assert pool_states(states).tolist() == [[2.0, 3.0], [5.0, 6.0]]
    with pytest.raises(ValueError, match="no mean"):
        pool_states([np.zeros((0, 2), np.float32)])
