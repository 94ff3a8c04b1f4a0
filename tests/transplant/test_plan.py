"""Plans, and what they make of matrices."""

import numpy as np
import pytest

from tests.transplant.small import BYTES, context, matrix, tokenizer
from tokkit.errors import ModelError, UsageError
from tokkit.transplant.context import SIDES, Donor
from tokkit.transplant.matrix import Matrix
from tokkit.transplant.methods import METHODS
from tokkit.transplant.plan import PLAN_FILE, Plan
from tokkit.transplant.planning import make_plan
from tokkit.weights.encoding import decode, encode

SOURCE = tokenizer(b"th", b"er", b"ing", b"fa", specials=("<s>", "</s>", "<|reserved_1|>"))
TARGET = tokenizer(b"father", b"thing", b"th", specials=("</s>", "<new>", "<|unused_7|>"))
FREE = [name for name, recipe in METHODS.items() if not recipe.needs]


def plan_for(source=SOURCE, target=TARGET, method_in="mean", method_out="front", **changes):
    return make_plan(context(source, target, **changes), method_in, method_out)


def made(plan, values, side="input", rows=None, dtype="F32", **changes):
    """All rows that a plan makes."""
    rows = len(plan.target) if rows is None else rows
    found = Matrix(plan, side, values, **changes).blocks(rows, dtype, 7)
    return np.concatenate(list(found))


def test_rows_are_what_the_plan_says():
    values = matrix(SOURCE, extra=3)
    found = made(plan_for(), values)
    ids, ours = TARGET.vocab.ids, SOURCE.vocab.ids
    np.testing.assert_array_equal(found[ids[b"th"]], values[ours[b"th"]])
    wanted = values[[ours[b"fa"], ours[b"th"], ours[b"er"]]].mean(axis=0)
    np.testing.assert_allclose(found[ids[b"father"]], wanted, atol=1e-6)
    end = TARGET.vocab.specials["</s>"], SOURCE.vocab.specials["</s>"]
    np.testing.assert_array_equal(found[end[0]], values[end[1]])


def test_unused_ids_and_padding_are_the_mean_of_known_rows_and_never_win():
    values = matrix(SOURCE)
    found = made(plan_for(), values, "output", rows=300)
    known = [SOURCE.vocab.ids[token] for token in (*BYTES, b"th")]
    known.append(SOURCE.vocab.specials["</s>"])
    for token in (*TARGET.vocab.specials.values(), *range(len(TARGET.vocab), 300)):
        if token != TARGET.vocab.specials["</s>"]:
            np.testing.assert_allclose(found[token], values[known].mean(axis=0), atol=1e-6)
    hidden = np.random.default_rng(1).standard_normal((1000, values.shape[1]))
    padding = len(TARGET.vocab)
    assert ((hidden @ found.T).argmax(axis=1) < padding).all()


@pytest.mark.parametrize("dtype", ["F32", "F64", "F16", "BF16"])
def test_the_same_tokenizer_changes_no_bit(dtype):
    values = encode(matrix(SOURCE, extra=5).astype(np.float64), dtype)
    for side in SIDES:
        plan = plan_for(SOURCE, SOURCE, "random", "random")
        found = made(plan, values, side, rows=len(values), dtype=dtype)
        assert found.tobytes() == values.tobytes()


def test_other_ids_for_the_same_tokens_move_rows():
    order = np.random.default_rng(3).permutation(len(BYTES))
    target = tokenizer(first=tuple(BYTES[i] for i in order), specials=("</s>", "<s>"))
    source = tokenizer()
    values = matrix(source)
    found = made(plan_for(source, target, "random", "random"), values)
    np.testing.assert_array_equal(found, values[[*order, 257, 256]])


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("side", SIDES)
def test_order_of_ids_and_size_of_blocks_change_no_row(name, side):
    tokens = (b"father", b"thing", b"xyz", b"qq")
    values = matrix(SOURCE)
    one, other = tokenizer(*tokens), tokenizer(*reversed(tokens))
    rows = [made(plan_for(SOURCE, each, name, name), values, side) for each in (one, other)]
    whole = next(
        Matrix(plan_for(SOURCE, one, name, name), side, values).blocks(len(rows[0]), "F32")
    )
    assert whole.tobytes() == rows[0].tobytes()
    for token in tokens:
        first, second = (
            found[each.vocab.ids[token]] for found, each in zip(rows, (one, other), strict=True)
        )
        assert first.tobytes() == second.tobytes()


def test_random_rows_have_the_mean_and_deviation_of_the_source():
    target = tokenizer(*(b"new%d" % number for number in range(3000)))
    values = matrix(SOURCE) * [1, 2, 3, 4, 5] + [5, 4, 3, 2, 1]
    values = values.astype(np.float32)
    plan = plan_for(SOURCE, target, "random", "random")
    found = made(plan, values)[256:3256]
    used = values[: SOURCE.vocab.specials["<|reserved_1|>"]]
    np.testing.assert_allclose(found.mean(axis=0), used.mean(axis=0), atol=0.3)
    np.testing.assert_allclose(found.std(axis=0), used.std(axis=0), rtol=0.06)
    other = plan_for(SOURCE, target, "random", "random", seed=1)
    assert (made(other, values)[256:3256] != found).all()
    words = encode(values.astype(np.float64), "BF16")
    np.testing.assert_allclose(
        decode(made(plan, words, dtype="BF16"))[256:3256], found, atol=0.2
    )


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_a_device_of_torch_gives_the_same_rows(dtype):
    torch = pytest.importorskip("torch")
    values = encode(matrix(SOURCE).astype(np.float64), dtype)
    here = made(plan_for(), values, "output", rows=280, dtype=dtype)
    there = made(plan_for(), values, "output", rows=280, dtype=dtype, device="cpu:0")
    np.testing.assert_array_equal(here, there)
    assert torch.device("cpu:0").type == "cpu"


def test_bfloat16_is_rounded_as_torch_does():
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    values = np.concatenate(
        [
            random.standard_normal(1000) * 10.0 ** random.integers(-38, 38, 1000),
            [0.0, -0.0, np.inf, -np.inf, np.nan, 3.39e38, 1e-40],
        ]
    )
    single = torch.from_numpy(values.astype(np.float32))
    expected = single.to(torch.bfloat16).float().numpy()
    found = decode(encode(values, "BF16"))
    np.testing.assert_array_equal(found, expected)


def test_a_plan_is_one_file_and_comes_back(tmp_path):
    plan = plan_for(overrides={259: [5, 6]})
    plan.save(tmp_path / PLAN_FILE)
    for path in (tmp_path, tmp_path / PLAN_FILE):
        again = Plan.load(path)
        assert again.summary() == plan.summary()
        assert (again.source, again.target) == (plan.source, plan.target)
        values = matrix(SOURCE)
        for side in SIDES:
            assert made(again, values, side).tobytes() == made(plan, values, side).tobytes()
    content = (tmp_path / PLAN_FILE).read_bytes()
    plan.save(tmp_path / PLAN_FILE)
    assert (tmp_path / PLAN_FILE).read_bytes() == content


def test_what_begins_and_ends_texts_is_read_as_one_and_predicted_as_the_other():
    target = tokenizer(b"th", specials=("<|endoftext|>",))
    token, ours = 257, SOURCE.vocab.specials
    plan = plan_for(
        SOURCE,
        target,
        "mean",
        "mean",
        roles={token: ours["<s>"]},
        output_roles={token: ours["</s>"]},
    )
    values = matrix(SOURCE)
    np.testing.assert_array_equal(made(plan, values, "input")[token], values[ours["<s>"]])
    np.testing.assert_array_equal(made(plan, values, "output")[token], values[ours["</s>"]])


def test_a_plan_explains_itself():
    plan = plan_for()
    said = plan.explain(TARGET.vocab.ids[b"thing"])
    assert said["token"] == "thing"
    assert said["input"]["origin"] == said["output"]["origin"] == "composed"
    parts = [(each["token"], each["weight"]) for each in said["output"]["parts"]]
    assert parts == [
        ("th", pytest.approx(2 / 3, abs=1e-6)),
        ("ing", pytest.approx(1 / 3, abs=1e-6)),
    ]
    assert plan.counts("input") == {
        "copied": 257,
        "role": 1,
        "composed": 2,
        "mean": 1,
        "unused": 1,
    }
    frame = plan.frame()
    assert frame["output_origin"].value_counts().to_dict() == plan.counts("output")
    with pytest.raises(UsageError):
        plan.explain(10_000)


def test_what_the_user_named_is_made_of_that_whatever_the_method():
    target = tokenizer(b"father", b"thing", b"xyz", specials=("</s>", "<turn>"))
    token = target.vocab.specials["<turn>"]
    rows = np.random.default_rng(0).standard_normal((len(target.vocab), 8)).astype(np.float32)
    donor = Donor("donor", {side: rows for side in SIDES})
    plan = plan_for(SOURCE, target, "omp", "knn", overrides={token: [7, 9]}, donor=donor)
    for side in SIDES:
        assert plan.halves[side].rows.row(token) == [(7, 0.5), (9, 0.5)]
        father = target.vocab.ids[b"father"]
        parts = [number for number, _ in plan.halves[side].rows.row(father)]
        assert set(parts) <= set(SOURCE.vocab.ids.values())
        assert plan.explain(token)[side]["origin"] == "override"
        assert plan.explain(father)[side]["origin"] == "donor"


def test_what_is_no_plan_is_refused(tmp_path):
    (tmp_path / "other").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    with pytest.raises(UsageError):
        Plan.load(tmp_path / "other")
    with pytest.raises(UsageError):
        Plan.load(tmp_path / "missing")


def test_a_model_with_too_few_rows_is_refused():
    with pytest.raises(ModelError):
        Matrix(plan_for(), "input", matrix(SOURCE)[:100])
