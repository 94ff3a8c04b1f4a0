"""Bits per byte against the torch model asked for each segment on its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.errors import ModelError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tokkit.lm import HFModel  # noqa: E402
from tokkit.lm.score import fitting_segments, score, segments  # noqa: E402

TEXTS = [b"the ant in the inn", b"a", b"", b"then", b"an ant and another one", b"in"]


@pytest.fixture(scope="module")
def model(tokenizer):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=40,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=32,
        initializer_range=0.4,
    )
    return HFModel(transformers.LlamaForCausalLM(config), tokenizer)


def direct(model, text):
    """The cost of each token of one text, computed in the plainest way."""
    ids = model.tokenizer.encode(text).tolist()
    with torch.inference_mode():
        logits = model.model(input_ids=torch.tensor([[*model.start, *ids]])).logits[0]
    rows = torch.log_softmax(logits.double(), dim=-1)
    return [-rows[place, token].item() for place, token in enumerate(ids)]


@pytest.mark.parametrize("batch_tokens", [1, 20, 8192])
def test_costs_are_those_of_each_segment_alone(model, batch_tokens):
    scores = score(model, TEXTS, batch_tokens=batch_tokens)
    wanted = [direct(model, text) for text in TEXTS]
    np.testing.assert_allclose(scores.nats, [sum(each) for each in wanted], rtol=1e-5)
    np.testing.assert_allclose(scores.token_nats, np.concatenate(wanted), rtol=1e-4, atol=1e-5)
    assert scores.tokens.tolist() == [len(each) for each in wanted]
    assert scores.sizes.tolist() == [len(text) for text in TEXTS]
    assert scores.ids.tolist() == [
        token for text in TEXTS for token in model.tokenizer.encode(text).tolist()
    ]
    bits = sum(sum(each) for each in wanted) / np.log(2)
    assert scores.bits_per_byte == pytest.approx(bits / sum(map(len, TEXTS)), rel=1e-5)
    assert scores.altered == 0


def test_nothing_costs_nothing(model):
    scores = score(model, [])
    assert scores.nats.size == scores.ids.size == 0
    assert np.isnan(scores.bits_per_byte)


def test_a_rewritten_text_is_counted(model):
    assert score(model, [b"the ant", b"THE ANT"]).altered == 1


def test_progress_counts_segments(model):
    calls = []
    score(model, TEXTS, progress=lambda *call: calls.append(call))
    assert calls[0] == ("scoring", 0, 6)
    assert calls[-1] == ("scoring", 5, 6)


def test_a_segment_beyond_the_context_is_refused(model):
    assert score(model, [b"a" * 32]).tokens.tolist() == [32]
    with pytest.raises(ModelError, match="33 tokens is longer than the context of 32"):
        score(model, [b"a" * 33])


def test_segments_are_halved_until_the_context_holds_them(model):
    parts = fitting_segments([b"a" * 100], [model], 100)
    assert [len(part) for part in parts] == [25] * 4


def test_a_damaged_model_is_refused(model, tokenizer):
    broken = transformers.LlamaForCausalLM(model.model.config)
    torch.nn.init.constant_(broken.model.norm.weight, float("nan"))
    with pytest.raises(ModelError, match="not a number"):
        score(HFModel(broken, tokenizer), [b"the"])


@given(st.lists(st.text("ab \n\u00e9\u4e16\U0001f600", max_size=60)), st.integers(4, 20))
def test_segments_put_together_are_the_documents(texts, size):
    documents = [text.encode() for text in texts]
    parts = segments(documents, size)
    assert b"".join(parts) == b"".join(documents)
    assert all(0 < len(part) <= size for part in parts)
    for part in parts:
        part.decode()


@given(st.binary(max_size=60), st.integers(4, 20))
def test_segments_of_any_bytes(document, size):
    parts = segments([document], size)
    assert b"".join(parts) == document
    assert all(0 < len(part) <= size for part in parts)


def test_segments_end_at_line_breaks_or_before_spaces():
    assert segments([b"one two\nthree four"], 12) == [b"one two\n", b"three four"]
    assert segments([b"one two three four"], 12) == [b"one two", b" three four"]
    assert segments([b"a\nlong-word-here"], 8) == [b"a\nlong-w", b"ord-here"]


def test_segments_too_small_for_a_character_are_refused():
    with pytest.raises(ValueError, match="may not hold a character"):
        segments([b"text"], 3)
