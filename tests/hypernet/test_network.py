"""What a new network predicts, by hand; and what its scales do."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tokkit.hypernet.config import Config  # noqa: E402
from tokkit.hypernet.hypernet import Hypernet  # noqa: E402
from tokkit.hypernet.network import Network, Readable  # noqa: E402
from tokkit.hypernet.pieces import Speller  # noqa: E402
from tokkit.hypernet.running import run  # noqa: E402
from tokkit.hypernet.source import SourceRows  # noqa: E402

TOKENS = [b"the", b"thing", b" and", b" to", b"the the thing", b"\xff\xc3"]
"""Of 1, 2, 2, 1, many and 2 pieces."""


@pytest.fixture(scope="module")
def untied(make_model):
    return SourceRows.read(make_model("llama", tie_word_embeddings=False))


@pytest.fixture(scope="module")
def tied(make_model):
    return SourceRows.read(make_model("gpt2"))


@pytest.fixture(scope="module")
def biased(make_model):
    return SourceRows.read(make_model("phi"))


def new(source, **changes):
    torch.manual_seed(0)
    return Network(Config(layers=1, width=16, heads=2, **changes), source)


def disturb(network):
    """Give all weights some other value, so that nothing is zero."""
    with torch.no_grad():
        for number, each in enumerate(network.parameters()):
            torch.manual_seed(number)
            each += 0.1 * torch.randn_like(each)
    return network


def own_mean(matrix, source):
    return matrix[source.used].astype(np.float64).mean(0)


def spelled(source, token, most=7):
    ids = source.tokenizer.encode(token, parse_specials=False).tolist()
    assert b"".join(source.tokenizer.vocab.tokens[each] for each in ids) == token
    return ids if len(ids) <= most else [*ids[: most - 1], ids[-1]]


def front_shrunk(rows, mean, decay):
    weights = decay ** np.arange(len(rows))
    row = (weights / weights.sum()) @ rows
    return row / len(rows) + (1 - 1 / len(rows)) * mean


def test_a_new_one_of_an_untied_model_takes_the_last_piece_and_shrinks_the_first(untied):
    made = Hypernet(new(untied), untied).predict(TOKENS)
    first, head = untied.input.numpy(), untied.output.numpy()
    for row, token in enumerate(TOKENS):
        ids = spelled(untied, token)
        np.testing.assert_allclose(made.input[row], first[ids[-1]], atol=1e-6)
        wanted = front_shrunk(head[ids].astype(np.float64), own_mean(head, untied), 0.5)
        np.testing.assert_allclose(made.output[row], wanted, atol=1e-6)
    assert made.bias is None


def test_a_new_one_of_a_tied_model_shrinks_the_mean(tied):
    made = Hypernet(new(tied), tied).predict(TOKENS)
    rows = tied.input.numpy()
    for row, token in enumerate(TOKENS):
        ids = spelled(tied, token)
        wanted = front_shrunk(rows[ids].astype(np.float64), own_mean(rows, tied), 1.0)
        np.testing.assert_allclose(made.input[row], wanted, atol=1e-6)
    assert made.output is made.input


def test_the_bias_is_made_as_the_head_is(biased):
    made = Hypernet(new(biased), biased).predict(TOKENS)
    bias = biased.bias.numpy()
    for row, token in enumerate(TOKENS):
        ids = spelled(biased, token)
        wanted = front_shrunk(bias[ids].astype(np.float64), own_mean(bias, biased), 0.5)
        np.testing.assert_allclose(made.bias[row], wanted, atol=1e-6)


def test_rows_do_not_depend_on_what_else_is_asked_for(untied):
    network = disturb(new(untied))
    tokens = [b"the" * n + b" thing" * m for n in range(1, 9) for m in range(20)]
    together = Hypernet(network, untied, cache=0).predict(tokens)
    alone = Hypernet(network, untied, cache=0)
    for row in (0, 7, 63, 64, 159):
        one = alone.predict([tokens[row]])
        assert (one.input[0] == together.input[row]).all()
        assert (one.output[0] == together.output[row]).all()


def test_the_cache_forgets_the_oldest_and_changes_nothing(untied):
    network = disturb(new(untied))
    small, none = (Hypernet(network, untied, cache=each) for each in (2, 0))
    for tokens in ([b"the"], [b"thing", b"the"], [b"and", b"the", b"the"], [], [b"thing"]):
        found, wanted = small.predict(tokens), none.predict(tokens)
        assert (found.output == wanted.output).all()
        assert found.input.shape == (len(tokens), 16)
        assert len(small._cache) <= 2


@pytest.mark.parametrize("kind", ["untied", "tied", "biased"])
def test_fitted_predictions_are_distributed_as_the_rows_of_the_model(kind, request):
    source = request.getfixturevalue(kind)
    network = disturb(new(source, residual=False))
    readable = Readable(source, "cpu")
    ids = torch.from_numpy(source.used).long()[:, None]
    network.fit(readable, [ids[:100], ids[100:]])
    with torch.no_grad():
        made = network(readable, ids)
    for number in range(len(made)):
        wanted = readable.target(number, torch.from_numpy(source.used).long())
        torch.testing.assert_close(made[number].mean(0), wanted.mean(0), atol=1e-5, rtol=0)
        spread = wanted.std(0, correction=0)
        torch.testing.assert_close(
            made[number].std(0, correction=0), spread, atol=1e-5, rtol=1e-4
        )


def test_what_is_read_of_a_piece_has_mean_0_and_variance_1(untied):
    network = new(untied)
    ids = torch.from_numpy(untied.used).long()[:, None]
    features = network._features(Readable(untied, "cpu"), ids)[:, 0]
    assert features.shape == (untied.used.size, 32)
    torch.testing.assert_close(features.mean(0), torch.zeros(32), atol=1e-5, rtol=0)
    torch.testing.assert_close(features.var(0, correction=0), torch.ones(32))


def test_long_tokens_are_read_by_the_first_pieces_and_the_last(untied):
    speller = Speller(untied, 3)
    pieces = speller.pieces([b"the thing and", b"the"])
    ids = spelled(untied, b"the thing and", 100)
    assert len(ids) > 3
    assert pieces.ids[0].tolist() == [*ids[:2], ids[-1]]
    assert pieces.counts.tolist() == [3, 1]
    assert speller.truncated == 1


def test_bytes_that_no_token_has_get_rows_of_their_own():
    from tests.transplant.small import tokenizer

    few = tokenizer(b"b", b"c", first=(b"<unk>", b"a"))
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(8, 4))).float()
    source = SourceRows(few, rows, None, None)
    network = disturb(new(source))
    made = Hypernet(network, source).predict([b"ab", b"a\x00", b"a\x01"])
    pieces = Speller(source, 7).pieces([b"a\x01"])
    assert pieces.ids[0, :2].tolist() == [1, 8 + 1]
    assert np.isfinite(made.input).all()
    assert not np.allclose(made.input[1], made.input[2])


def test_running_in_groups_is_running_one_by_one(untied):
    network, readable = disturb(new(untied)), Readable(untied, "cpu")
    pieces = Speller(untied, 7).pieces(TOKENS)
    together = run(network, readable, pieces)
    again = run(network, readable, pieces, checkpointing=True)
    for row, token in enumerate(TOKENS):
        ids = torch.tensor([spelled(untied, token)])
        for side, alone in enumerate(network(readable, ids)):
            torch.testing.assert_close(together[side][row], alone[0])
            torch.testing.assert_close(again[side][row], alone[0])
