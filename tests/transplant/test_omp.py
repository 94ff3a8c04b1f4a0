"""Rows from few shared tokens each."""

from dataclasses import replace

import numpy as np
import pytest

from tests.reference import omp as reference
from tests.transplant.donors import SHARED, apply, parts, random_rows, with_donor
from tests.transplant.small import context, tokenizer
from tokkit.errors import JobError, UsageError
from tokkit.transplant.context import DONOR
from tokkit.transplant.methods import omp as module
from tokkit.transplant.methods.omp import make_gram, omp


@pytest.mark.parametrize("side", ["input", "output"])
@pytest.mark.parametrize("atoms", [1, 3, 8])
def test_rows_are_those_of_the_definition(side, atoms):
    given = with_donor(
        lambda size: {"input": random_rows(20)(size), "output": random_rows(16, 1)(size)},
        shared=SHARED,
        atoms=atoms,
    )
    made = omp(given, side)
    shared, new, sources = parts(given, side)
    for number, target in enumerate(new):
        chosen, weights = reference.pursue(target, shared, atoms)
        entries = made.rows.row(number)
        assert [entry[0] for entry in entries] == sources[chosen].tolist()
        assert [entry[1] for entry in entries] == pytest.approx(weights, abs=1e-6)
    assert made.origins.tolist() == [DONOR] * len(new)


def test_results_are_the_same_whatever_the_blocks_and_with_a_file(monkeypatch):
    given = with_donor(random_rows(24), shared=SHARED, atoms=12)
    wanted = omp(given, "input").rows
    for tokens, block, room in [(1, 7, 0), (2, 1000, 0), (5, 64, 1 << 30)]:
        monkeypatch.setattr(module, "_TOKENS", tokens)
        monkeypatch.setattr(module, "_BLOCK", block)
        monkeypatch.setattr(module, "_IN_MEMORY", room)
        found = omp(given, "input").rows
        assert np.array_equal(found.ids, wanted.ids)
        assert np.array_equal(found.ends, wanted.ends)
        assert found.weights == pytest.approx(wanted.weights, abs=1e-6)


@pytest.mark.parametrize("block", [1, 3, 10, 64])
def test_the_gram_matrix_is_symmetric(monkeypatch, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    atoms = random_rows(7)(10)
    gram = make_gram(atoms)
    assert np.array_equal(gram, gram.T)
    assert gram == pytest.approx(
        atoms.astype(float) @ atoms.T.astype(float), rel=1e-5, abs=1e-5
    )


def test_a_full_disk_is_said(monkeypatch):
    monkeypatch.setattr(module, "_IN_MEMORY", 1)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: type("", (), {"free": 100}))
    with pytest.raises(JobError, match="set TMPDIR to a folder that has"):
        make_gram(random_rows(3)(10))


def test_a_row_in_the_span_of_a_few_is_exact():
    given = with_donor(random_rows(9), shared=SHARED, atoms=9)
    made = omp(given, "input")
    source = given.donor.rows["input"][: len(given.source.vocab)].copy()
    shared, new, sources = parts(given)
    source[sources] = shared  # the source is a copy of the donor
    assert apply(made, source) == pytest.approx(new, abs=1e-4)


def test_planted_rows_are_said():
    def planted(size):
        rows = random_rows(40, mean=0)(size)
        basis = random_rows(4, 1, 0)(40)
        rows = (rows @ basis @ basis.T).astype(np.float32)
        rows[258] = random_rows(40, 5, 0)(1)[0]  # in no subspace of the others
        return rows

    new = [b"n%d" % number for number in range(40)]
    given = with_donor(planted, new=new, shared=SHARED, atoms=3)
    found = omp(given, "input").notes["outliers"]
    assert 258 in [each["id"] for each in found]
    assert len(found) < 5
    first = next(each for each in found if each["id"] == 258)
    assert first["token"] == "n2"
    assert first["error"] > 0.5


def test_progress_is_told():
    steps = []
    given = with_donor(random_rows(5), atoms=4)
    omp(replace(given, progress=lambda *step: steps.append(step)), "output")
    assert steps == [("omp (output)", 0, 6), ("omp (output)", 6, 6)]


def test_no_new_tokens_and_no_donor():
    given = with_donor(random_rows(5), new=())
    assert len(omp(given, "input").rows) == 0
    with pytest.raises(UsageError, match="needs a donor"):
        omp(context(tokenizer(), tokenizer(b"ab")), "input")
