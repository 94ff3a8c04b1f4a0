import json
from functools import partial

import numpy as np
import pytest

import tokkit
from tokkit.analysis.audit.indicators import (
    CENTRED,
    DISTANCE,
    NORM,
    WITHOUT_FIRST,
    _first_component,
    distances,
    norms,
)
from tokkit.analysis.audit.reachability import Reachability, reach
from tokkit.analysis.audit.undertrained import undertrained, unused_ids
from tokkit.errors import ModelError, UsageError
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

BYTES = tuple(bytes([byte]) for byte in range(256))
NEVER = {0xC0, 0xC1, *range(0xF5, 0x100)}


def blocks(matrix, size=7):
    return partial(
        iter, [matrix[start : start + size] for start in range(0, len(matrix), size)]
    )


def cosine_distance(rows, target):
    return 1 - rows @ target / np.linalg.norm(rows, axis=1) / np.linalg.norm(target)


@pytest.fixture(scope="module")
def words():
    """Bytes, then tokens of two letters, an empty id and a special token."""
    pairs = tuple(f"{a}{b}".encode() for a in "abcdefgh" for b in "ijklmnop")
    tokens = (*BYTES, *pairs, b"", b"")
    return Tokenizer(Vocabulary(tokens, {"<s>": len(tokens) - 1}), LongestMatch(tokens))


def test_indicators_against_formulas():
    random = np.random.default_rng(3)
    matrix = random.normal(size=(60, 8)) + random.normal(size=8)
    unused = [3, 17, 40]
    found = distances(blocks(matrix), unused, len(matrix))
    assert norms(blocks(matrix)) == pytest.approx(np.sqrt((matrix**2).sum(axis=1)))
    centred = matrix - matrix.mean(axis=0)
    first = np.linalg.svd(centred)[2][0]
    without = matrix - np.outer(matrix @ first, first)
    changed = {DISTANCE: matrix, CENTRED: centred, WITHOUT_FIRST: without}
    assert set(found) == set(changed)
    for name, rows in changed.items():
        expected = cosine_distance(rows, rows[unused].mean(axis=0))
        assert found[name] == pytest.approx(expected, abs=1e-6)


def test_rows_of_zeros_are_untrained():
    matrix = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    matrix[5] = 0
    found = distances(blocks(matrix), [5, 6], 20)
    assert all(values[5] == 0 for values in found.values())
    matrix[6] = 0
    assert DISTANCE not in distances(blocks(matrix), [5, 6], 20)


def test_what_is_unused_is_known_from_the_tokenizer(words, reached):
    size = len(words.vocab)
    found = unused_ids(words, reached, size + 3)
    assert found["padding"] == [size, size + 1, size + 2]
    assert found["empty"] == [size - 2]
    assert set(found["unreachable"]) == NEVER
    assert "padding" not in unused_ids(words, reached, size)


def test_proofs_that_need_no_search_count_where_the_rest_was_found_by_trying(words):
    none = np.zeros(len(words.vocab), np.bool_)
    causes = {97: "scores", 98: "normalized", 99: "merges", 100: "cut"}
    found = unused_ids(words, Reachability(none, none, causes=causes, exact=False), 200)
    assert found["unreachable"] == [97, 98, 99]


@pytest.fixture(scope="module")
def reached(words):
    return reach(words)


def model_folder(folder, size, *, tied, untrained, seed=0):
    """A model of which some rows were never trained: they stay near where they began."""
    import torch
    import transformers

    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=size,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=128,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for table in (model.get_input_embeddings(), model.get_output_embeddings()):
            rows = torch.randn(size, 16)
            # Untrained rows of a head are pushed the same way; those of an input stay small.
            rows[untrained] = 0.05 * torch.randn(len(untrained), 16) + 0.2
            table.weight.copy_(rows)
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("tied", [False, True])
def test_rows_that_were_not_trained_are_found(words, reached, tmp_path, tied):
    size = len(words.vocab) + 2
    secret = [words.vocab.ids[each] for each in (b"ai", b"bk", b"hp", b"dn", b"q")]
    known = [*NEVER, size - 4, size - 2, size - 1]
    folder = model_folder(tmp_path / "model", size, tied=tied, untrained=[*secret, *known])
    found = undertrained(folder, words, reached)
    assert found.main == (DISTANCE if tied else NORM)
    assert found.tied == tied
    assert found.known == sorted(known)
    tested = len(words.vocab) - len(NEVER) - 2
    assert len(found.tested) == tested
    # 2 % of the tokens: of these five, the rest is the next best.
    assert set(secret) <= set(found.candidates)
    assert len(found.candidates) == 1 + int(0.02 * (tested - 1))
    limit = sorted(found.values[known])[14]
    assert 0 < found.like_unused <= sum(found.values[found.tested] <= limit)
    values = found.values[list(found.candidates)]
    assert (np.diff(values) >= 0).all()
    frame = found.frame()
    assert frame["candidate"].sum() == len(found.candidates)
    assert frame["group"].value_counts().to_dict() == {
        "tested": tested,
        "unreachable": 13,
        "padding": 2,
        "empty": 1,
        "special": 1,
    }
    said = json.loads(json.dumps(found.as_json()))
    assert said["unused"] == {"padding": 2, "empty": 1, "unreachable": 13}
    assert said["candidates"][0]["probability"] is None


def test_a_model_of_another_size_is_named(words, reached, tmp_path):
    folder = model_folder(tmp_path / "model", 10, tied=False, untrained=[0])
    other = Tokenizer(Vocabulary((b"",) * 20 + BYTES), LongestMatch((b"",) * 20 + BYTES))
    with pytest.raises(UsageError, match="another model"):
        undertrained(folder, other, reached)
    with pytest.raises(ModelError):
        undertrained(tmp_path / "nothing", words, reached)


def test_a_model_that_repeats_everything_but_one_token(words, reached, tmp_path):
    """Weights made by hand: what comes next is what came last, but for one token."""
    import torch
    import transformers

    size, lost = len(words.vocab), words.vocab.ids[b"ai"]
    config = transformers.GPT2Config(
        vocab_size=size, n_embd=size, n_layer=1, n_head=1, n_positions=64
    )
    config.tie_word_embeddings = False
    config.bos_token_id = config.eos_token_id = None
    model = transformers.GPT2LMHeadModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.transformer.ln_f.weight.fill_(1.0)
        model.transformer.wte.weight.copy_(torch.eye(size))
        model.lm_head.weight.copy_(10 * torch.eye(size))
        model.transformer.wte.weight[lost] *= 1e-6
        model.lm_head.weight[lost] = 0
    model.save_pretrained(tmp_path / "model")
    found = undertrained(tmp_path / "model", words, reached, verify=4)
    assert found.candidates[0] == lost
    assert len(found.probabilities) == 4
    assert found.confirmed == (lost,)
    assert found.controls_below == 0
    assert not set(found.controls) & set(found.probabilities)


def test_stories260k(shared):
    folder = shared / "models" / "stories260k"
    tokenizer = tokkit.load(folder)
    found = undertrained(folder, tokenizer, reach(tokenizer))
    never = [tokenizer.vocab.tokens.index(bytes([byte])) for byte in sorted(NEVER)]
    assert set(never) <= set(found.known)
    # Letters have an id of their own besides that of their byte, which nothing uses either.
    tokens = tokenizer.vocab.tokens
    letters = [
        max(i for i, data in enumerate(tokens) if data == b"%c" % each) for each in b"etaoin"
    ]
    assert set(letters) <= set(found.tested.tolist())
    assert {tokenizer.vocab.ids[b"e"], tokenizer.vocab.ids[b"t"]} <= set(found.known)
    assert found.values[never].max() == 0 < found.values[letters].min()
    # The many bytes that its stories never have are candidates too, as equal rows are.
    assert set(found.tested[found.values[found.tested] == 0]) == set(found.candidates)
    assert len(found.candidates) == found.like_unused > 50


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_component_of_many_rows(dtype):
    random = np.random.default_rng(1)
    matrix = (random.normal(size=(900, 24)) * np.linspace(2, 1, 24) + 3).astype(dtype)
    mean = matrix.mean(axis=0).astype(np.float64)
    for step in (1, 4):
        found = _first_component(blocks(matrix), mean, step)
        expected = np.linalg.svd(matrix[::step] - mean)[2][0]
        assert abs(found @ expected) > 1 - 1e-4
