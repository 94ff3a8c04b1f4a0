import numpy as np
import pytest
import torch

from tests.dynamic.models import SIZE, TOKENIZER, decoder, merged, rows_for
from tests.transplant.models import build
from tokkit.dynamic.models.embedding import MixedRows, PredictedRows, find_rows
from tokkit.errors import UsageError
from tokkit.hypernet.config import Config
from tokkit.hypernet.hypernet import Hypernet
from tokkit.hypernet.network import Network
from tokkit.hypernet.source import SourceRows


def weights(model):
    found = SourceRows.of(model, TOKENIZER)
    output = found.input if found.output is None else found.output
    return found.input.double().numpy(), output.double().numpy()


def test_means_are_means_of_the_parts():
    model, batch = decoder("llama").model, merged(6)
    rows = rows_for(model, batch, "mean")
    for own, side in zip((rows.input, rows.output), weights(model), strict=True):
        expected = [side[list(parts)].mean(axis=0) for parts in batch.parts]
        np.testing.assert_allclose(own, expected, rtol=1e-6, atol=1e-7)
    assert len(rows) == len(batch.tokens) > 3
    assert rows.bias is None


def test_the_default_reads_the_last_part_and_predicts_with_the_first_ones():
    model, batch = decoder("llama").model, merged(6)
    rows = rows_for(model, batch)
    first, second = weights(model)
    # The tokens that text can have: all but the special ones.
    middle = second[[i for i, token in enumerate(TOKENIZER.vocab.tokens) if token]].mean(axis=0)
    for number, parts in enumerate(batch.parts):
        assert (rows.input[number] == first[parts[-1]].astype(np.float32)).all()
        shares = 0.5 ** np.arange(len(parts))
        mixed = (shares[:, None] * second[list(parts)]).sum(axis=0) / shares.sum()
        expected = mixed / len(parts) + (1 - 1 / len(parts)) * middle
        np.testing.assert_allclose(rows.output[number], expected, rtol=1e-5, atol=1e-6)


def test_a_bias_is_mixed_as_the_output_rows_are():
    model, batch = build("phi", vocab_size=SIZE), merged(6)
    bias = model.get_output_embeddings().bias.detach().numpy()
    rows = rows_for(model, batch, "mean")
    expected = [bias[list(parts)].mean() for parts in batch.parts]
    np.testing.assert_allclose(rows.bias, expected, rtol=1e-5)


def test_rows_in_bfloat16_are_mixed_in_full_precision():
    model, batch = build("llama", vocab_size=SIZE, dtype="bfloat16"), merged(4)
    first, _ = weights(model)
    rows = rows_for(model, batch, "mean")
    expected = [first[list(parts)].mean(axis=0) for parts in batch.parts]
    np.testing.assert_allclose(rows.input, expected, rtol=1e-6, atol=1e-7)


class Encoder:
    """Texts as counts of letters; says which texts it was asked about."""

    def __init__(self):
        self.asked = []

    def embed(self, texts):
        self.asked += texts
        found = np.array([[text.count(letter) for letter in "xyzab "] for text in texts])
        return found.astype(np.float32) + 0.1


def test_tokenadapt_asks_its_encoder_about_a_text_once(tmp_path):
    model, batch = decoder("llama").model, merged(6)
    texts = [
        token.decode() for token in (*TOKENIZER.vocab.tokens, *batch.tokens) if is_text(token)
    ]
    strings = list(dict.fromkeys(texts))
    np.savez(tmp_path / "a.npz", strings=strings, vectors=Encoder().embed(strings))
    source = SourceRows.of(model, TOKENIZER)
    maker = find_rows(source, "tokenadapt", auxiliary=tmp_path / "a.npz")
    found = maker.rows(batch.tokens, batch.parts)
    again = maker.rows(batch.tokens[:2], batch.parts[:2])
    assert (found.input[:2] == again.input).all()
    assert np.isfinite(found.input).all()
    assert not np.allclose(found.input, rows_for(model, batch, "mean").input)
    maker._auxiliary._encoder = None  # it has nothing left to ask
    maker.rows(batch.tokens, batch.parts)


def is_text(token):
    try:
        return bool(token.decode())
    except UnicodeDecodeError:
        return False


def hypernet(model, surface=3):
    source = SourceRows.of(model, TOKENIZER)
    torch.manual_seed(0)
    network = Network(Config(width=16, layers=1, heads=1, surface=surface), source)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return Hypernet(network, source), source


def test_a_hypernetwork_predicts_all_but_tokens_that_are_too_long_for_it():
    model, batch = decoder("llama").model, merged(8)
    network, source = hypernet(model)
    rows = PredictedRows(network, source).rows(batch.tokens, batch.parts)
    predicted = network.predict(batch.tokens)
    means = MixedRows(source, "mean", "mean").rows(batch.tokens, batch.parts)
    is_far = np.array([len(parts) > 3 for parts in batch.parts])
    assert 0 < rows.fallbacks == is_far.sum() < len(is_far)
    for own, near, far in (
        (rows.input, predicted.input, means.input),
        (rows.output, predicted.output, means.output),
    ):
        np.testing.assert_array_equal(own, np.where(is_far[:, None], far, near))


def test_a_hypernetwork_that_is_named_is_asked(tmp_path):
    network, source = hypernet(decoder("llama").model)
    network.save(tmp_path, {"model": "of the test"})
    digest = network.digest[:8]
    assert find_rows(source, hypernet=tmp_path).name == f"hypernet {digest}"
    assert find_rows(source, "hypernet", hypernet=tmp_path).name == f"hypernet {digest}"
    assert find_rows(source).name == find_rows(source, "last/front-shrunk").name
    with pytest.raises(UsageError, match="--hypernet is not for the embeddings 'mean'"):
        find_rows(source, "mean", hypernet=tmp_path)


def test_no_new_tokens_have_no_rows():
    model = build("phi", vocab_size=SIZE)
    batch = merged(0)
    assert not batch.tokens
    rows = rows_for(model, batch)
    assert rows.input.shape == rows.output.shape == (0, 16)
    assert rows.bias.shape == (0,)


@pytest.mark.parametrize(
    ("embeddings", "said"),
    [
        ("random", "no embeddings 'random'"),
        ("mean/omp", "no embeddings 'omp'"),
        ("hypernet", "--hypernet"),
        ("tokenadapt", "--aux-model"),
    ],
)
def test_what_cannot_be_had_is_refused(embeddings, said):
    with pytest.raises(UsageError, match=said):
        find_rows(SourceRows.of(decoder("llama").model, TOKENIZER), embeddings)
