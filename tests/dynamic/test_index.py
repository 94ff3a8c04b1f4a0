"""Indexes of rows against looking at all of them."""

import json

import numpy as np
import pytest
import torch

from tests.cli.conftest import contents
from tests.dynamic.test_merging import small
from tokkit.dynamic.models.embedding import NewRows, find_rows
from tokkit.dynamic.writing import indexing
from tokkit.dynamic.writing.index import TokenIndex
from tokkit.dynamic.writing.indexing import build_index, digest_rows
from tokkit.errors import MissingExtraError, ModelError, UsageError
from tokkit.hypernet.source import SourceRows

TOKENIZER = small()
WIDTH = 8
TOKENS = [b"%d" % number for number in range(10, 610)]


class RandomRows:
    """Rows that depend on the token alone."""

    name = "random"

    def __init__(self, *, bias=False, fails_after=None):
        self.bias = bias
        self.left = fails_after

    def rows(self, tokens, parts):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left = None if self.left is None else self.left - 1
        assert all(
            b"".join(map(TOKENIZER.vocab.tokens.__getitem__, p)) == t
            for p, t in zip(parts, tokens, strict=True)
        )
        drawn = [np.random.default_rng(list(token)).normal(size=(3, WIDTH)) for token in tokens]
        made = np.array(drawn, dtype=np.float32).reshape(-1, 3, WIDTH)
        bias = 3 * made[:, 2, 0] if self.bias else None
        return NewRows(made[:, 0] + 1, made[:, 1] + 2, bias)


def source(*, tied=False, bias=False, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, len(TOKENIZER), WIDTH, generator=generator).to(dtype)
    offsets = torch.randn(len(TOKENIZER), generator=generator).to(dtype) if bias else None
    return SourceRows(TOKENIZER, first, None if tied else second, offsets)


def states(count=20):
    return np.random.default_rng(1).normal(size=(count, WIDTH)).astype(np.float32)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_what_is_nearest_has_the_greatest_logits(tmp_path, kind, bias):
    rows = RandomRows(bias=bias)
    build_index(source(bias=bias), TOKENS, rows, tmp_path / "index", kind=kind)
    index = TokenIndex(tmp_path / "index", probe=1.0)
    made = rows.rows(TOKENS, [TOKENIZER.encode(token).tolist() for token in TOKENS])
    found = wanted = 0
    for state in states():
        logits = made.output @ state + (made.bias if bias else 0)
        np.testing.assert_allclose(index.logits(state), logits, rtol=1e-4, atol=1e-4)
        best = set(np.argsort(-logits)[:10].tolist())
        proposed = index.search(state, 10 if kind == "flat" else 20).tolist()
        assert proposed == sorted(set(proposed))
        found, wanted = found + len(best & set(proposed)), wanted + len(best)
    # Rows in eight bits are not quite in the same order.
    assert found == wanted if kind == "flat" else found >= 0.98 * wanted


def test_a_share_of_the_cells_finds_most(tmp_path):
    build_index(source(), TOKENS, RandomRows(), tmp_path / "index", kind="ivf")
    index = TokenIndex(tmp_path / "index", probe=0.5)
    hits = [index.logits(state).argmax() in index.search(state, 20) for state in states(100)]
    assert np.mean(hits) > 0.8


def test_rows_are_stored_as_they_were_made(tmp_path):
    rows = RandomRows(bias=True)
    index = build_index(source(bias=True), TOKENS, rows, tmp_path / "index")
    made = rows.rows(TOKENS, [TOKENIZER.encode(token).tolist() for token in TOKENS])
    assert index.tokens == TOKENS
    assert (index.input == made.input).all()
    assert (index.output == made.output).all()
    assert (index.bias == made.bias).all()
    half = build_index(source(bias=True), TOKENS, rows, tmp_path / "half", dtype="float16")
    assert (half.input == made.input.astype(np.float16)).all()
    assert half.search(states()[0], 3).tolist() == index.search(states()[0], 3).tolist()


@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_the_same_input_gives_the_same_files(tmp_path, kind, monkeypatch):
    import faiss

    build_index(source(), TOKENS, RandomRows(), tmp_path / "one", kind=kind)
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(2)
    try:
        build_index(source(), TOKENS, RandomRows(), tmp_path / "two", kind=kind)
        assert faiss.omp_get_max_threads() == 2
    finally:
        faiss.omp_set_num_threads(before)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_what_was_interrupted_ends_as_if_it_had_not_been(tmp_path, monkeypatch):
    monkeypatch.setattr(indexing, "BLOCK", 100)
    build_index(source(), TOKENS, RandomRows(), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        build_index(source(), TOKENS, RandomRows(fails_after=2), tmp_path / "resumed")
    assert not (tmp_path / "resumed").exists()
    told = []
    with pytest.raises(UsageError, match="of other tokens, rows or kind"):
        build_index(source(), TOKENS[1:], RandomRows(), tmp_path / "resumed")
    build_index(
        source(),
        TOKENS,
        RandomRows(),
        tmp_path / "resumed",
        progress=lambda *said: told.append(said),
    )
    assert told[0] == ("making rows", 200, 600)
    assert contents(tmp_path / "whole") == contents(tmp_path / "resumed")
    assert not (tmp_path / "resumed.partial").exists()


def test_rows_of_a_method_are_those_it_makes(tmp_path):
    made = find_rows(source(), "last/mean")
    index = build_index(source(), [b"xyab", b"zz9"], made, tmp_path / "index")
    ids = TOKENIZER.encode(b"xyab").tolist()
    np.testing.assert_allclose(index.output[0], source().output[ids].mean(0), rtol=1e-6)
    assert (index.input[0] == source().input[ids[-1]].numpy()).all()
    assert index.account.embeddings == "last/mean"


def test_tokens_that_the_model_has_are_left_out(tmp_path):
    index = build_index(source(), [b"x", b"xyx", b"xyx"], RandomRows(), tmp_path / "index")
    assert index.tokens == [b"xyx"]
    with pytest.raises(UsageError, match="all of these tokens"):
        build_index(source(), [b"x"], RandomRows(), tmp_path / "other")


def test_a_folder_is_not_replaced_unasked(tmp_path):
    build_index(source(), TOKENS[:5], RandomRows(), tmp_path / "index")
    with pytest.raises(UsageError, match="exists"):
        build_index(source(), TOKENS, RandomRows(), tmp_path / "index")
    index = build_index(source(), TOKENS, RandomRows(), tmp_path / "index", force=True)
    assert len(index) == len(TOKENS)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(UsageError, match="not what this command writes"):
        build_index(source(), TOKENS, RandomRows(), tmp_path / "mine", force=True)


def test_the_digest_is_of_the_numbers_not_of_how_they_are_stored():
    short = source(bias=True, dtype=torch.bfloat16)
    long = SourceRows(TOKENIZER, short.input.float(), short.output.float(), short.bias.float())
    assert digest_rows(short) == digest_rows(long)
    others = [source(), source(tied=True), source(bias=True), source(dtype=torch.bfloat16)]
    assert len({digest_rows(each) for each in others}) == 4


def test_what_is_damaged_or_absent_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"no index\.json there"):
        TokenIndex(tmp_path)
    folder = tmp_path / "index"
    build_index(source(), TOKENS, RandomRows(), folder)
    with pytest.raises(UsageError, match="share"):
        TokenIndex(folder, probe=0)
    said = (folder / "index.json").read_text()
    (folder / "index.json").write_text(json.dumps(json.loads(said) | {"format": 99}))
    with pytest.raises(ModelError, match="another format"):
        TokenIndex(folder)
    (folder / "index.json").write_text("{}")
    with pytest.raises(ModelError, match="is damaged"):
        TokenIndex(folder)
    (folder / "index.json").write_text(said)
    tokens = (folder / "tokens.jsonl").read_text()
    (folder / "tokens.jsonl").write_text(tokens + '"more"\n')
    with pytest.raises(ModelError, match="not of one index"):
        TokenIndex(folder)
    (folder / "tokens.jsonl").write_text(tokens)
    (folder / "nearest.faiss").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"nearest\.faiss: cannot be read"):
        TokenIndex(folder)
    (folder / "input.npy").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"input\.npy: cannot be read"):
        TokenIndex(folder)


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(MissingExtraError, match=r"faiss.*nearest"):
        build_index(source(), TOKENS, RandomRows(), tmp_path / "index")
    assert not (tmp_path / "index.partial").exists()
