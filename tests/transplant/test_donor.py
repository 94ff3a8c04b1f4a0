"""Reading donors."""

import json

import numpy as np
import pytest

import tokkit
from tests.transplant.folders import LLAMA_3, byte_level, write
from tests.transplant.small import context
from tokkit.errors import ModelError
from tokkit.transplant.methods.donor import load_donor
from tokkit.transplant.methods.knn import knn
from tokkit.transplant.methods.omp import omp
from tokkit.transplant.methods.ridge import ridge
from tokkit.weights.encoding import encode
from tokkit.weights.headers import layout

WIDTH = 6
MERGES = [("t", "h"), ("th", "e"), ("i", "n")]
SOURCE = byte_level(("<s>", "</s>"), [("i", "n")])
TARGET = byte_level(LLAMA_3, MERGES)


def write_model(folder, tokenizer=TARGET, *, dtype="F32", tied=False, extra=0, spoil=None):
    """A model that is only its embeddings; returns them."""
    write(folder, tokenizer)
    rows = tokenizer.get_vocab_size() + extra
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": rows,
        "hidden_size": WIDTH,
        "tie_word_embeddings": tied,
    }
    (folder / "config.json").write_text(json.dumps(config))
    names = ["model.embed_tokens.weight", *([] if tied else ["lm_head.weight"])]
    rng = np.random.default_rng(0)
    matrices = [rng.standard_normal((rows, WIDTH)) for _ in names]
    if spoil is not None:
        matrices[-1][spoil, 2] = np.nan
    start, _ = layout([(name, dtype, (rows, WIDTH)) for name in names], {})
    data = b"".join(encode(matrix, dtype).tobytes() for matrix in matrices)
    (folder / "model.safetensors").write_bytes(start + data)
    return matrices


@pytest.fixture
def target(tmp_path):
    return tokkit.load(write(tmp_path / "target", TARGET))


@pytest.mark.parametrize(("dtype", "precision"), [("F32", 1e-6), ("F16", 1e-3), ("BF16", 1e-2)])
@pytest.mark.parametrize("tied", [False, True])
def test_both_matrices_are_read_in_single_precision(tmp_path, target, dtype, precision, tied):
    matrices = write_model(tmp_path / "donor", dtype=dtype, tied=tied, extra=5)
    donor = load_donor(tmp_path / "donor", target)
    size = len(target.vocab)
    for side, matrix in zip(("input", "output"), matrices * 2, strict=False):
        assert donor.rows[side].dtype == np.float32
        assert donor.rows[side] == pytest.approx(matrix[:size], rel=precision)
    assert (donor.rows["input"] is donor.rows["output"]) == tied


@pytest.mark.parametrize("method", [knn, omp, ridge])
def test_a_bfloat16_donor_serves_every_method(tmp_path, target, method):
    write_model(tmp_path / "donor", dtype="BF16")
    source = tokkit.load(write(tmp_path / "source", SOURCE))
    made_of = context(source, target, donor=load_donor(tmp_path / "donor", target))
    for side in ("input", "output"):
        rows = method(made_of, side).rows
        assert len(rows) == 2
        assert np.isfinite(rows.weights).all()


def test_another_tokenizer_is_refused(tmp_path, target):
    write_model(tmp_path / "donor", byte_level(LLAMA_3, MERGES[::-1]))
    with pytest.raises(ModelError, match=r"not the target tokenizer \(2 ids .* b'th' in"):
        load_donor(tmp_path / "donor", target)
    write_model(tmp_path / "shorter", byte_level(LLAMA_3, MERGES[:2]))
    with pytest.raises(ModelError, match="1 ids stand for something else"):
        load_donor(tmp_path / "shorter", target)


def test_other_names_of_special_tokens_and_tokens_behind_do_no_harm(tmp_path, target):
    names = [f"<other {number}>" for number in range(len(LLAMA_3))]
    matrices = write_model(tmp_path / "donor", byte_level(names, [*MERGES, ("a", "n")]))
    donor = load_donor(tmp_path / "donor", target)
    assert donor.rows["input"] == pytest.approx(matrices[0][: len(target.vocab)], rel=1e-6)


def test_too_few_rows_are_refused(tmp_path, target):
    write_model(tmp_path / "donor", extra=-1)
    with pytest.raises(ModelError, match="rows for the 267 tokens of the target tokenizer"):
        load_donor(tmp_path / "donor", target)


def test_rows_that_are_not_finite_are_refused(tmp_path, target):
    write_model(tmp_path / "donor", spoil=17)
    with pytest.raises(ModelError, match=r"row 17 of lm_head.weight is not finite"):
        load_donor(tmp_path / "donor", target)
