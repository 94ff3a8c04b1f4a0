"""``tokkit dynamic evaluate`` and the curves of several languages."""

import json

import pandas
import pytest

pytest.importorskip("torch")

from tests.lm.conftest import write_tokenizer
from tests.transplant import models

TEXT = "the thin man and the tin hat in the inn\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("model")
    write_tokenizer(place)
    models.save("llama", place, bos_token_id=0, eos_token_id=1)
    return place


@pytest.fixture(scope="module")
def parallel(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "a.jsonl"
    words = TEXT.split()
    records = [
        {"text": {"en": " ".join(words[k:]), "de": " ".join(words[: 9 - k])}} for k in range(5)
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    return path


def test_texts_of_several_languages(tmp_path, invoke, folder, parallel):
    output, figure = tmp_path / "out", tmp_path / "a.json"
    arguments = [
        "dynamic",
        "evaluate",
        folder,
        "--parallel",
        parallel,
        "--reductions",
        "0.1,0.3",
    ]
    result = invoke(*arguments, "-o", output, "--figure", figure)
    assert result.exit_code == 0, result.stderr
    assert "ratio [95 %]" in result.stdout
    frame = pandas.read_csv(output / "results.csv")
    assert frame["group"].tolist() == ["en"] * 3 + ["de"] * 3 + ["all"] * 3
    assert frame["asked_reduction"].tolist() == [0, 0.1, 0.3] * 3
    assert (frame["reduction"] >= frame["asked_reduction"]).all()
    assert sorted(path.name for path in output.iterdir()) == ["results.csv", "summary.json"]
    summary = json.loads((output / "summary.json").read_text())
    assert summary["embeddings"] == "last/front-shrunk"
    assert "vconcat" in figure.read_text() or "hconcat" in figure.read_text()
    again = invoke(*arguments, "--json", "-q")
    assert [row["group"] for row in json.loads(again.stdout)["rows"]] == frame["group"].tolist()
    assert invoke(*arguments, "-o", output).exit_code == 2


def test_files_and_merges(tmp_path, invoke, folder):
    path = tmp_path / "a.txt"
    path.write_text(TEXT * 5)
    result = invoke("dynamic", "evaluate", folder, path, "--merges", "0,3", "--json")
    assert result.exit_code == 0, result.stderr
    rows = json.loads(result.stdout)["rows"]
    assert [(row["group"], row["asked_merges"], row["merges"]) for row in rows] == [
        ("a.txt", 0, 0),
        ("a.txt", 3, 3),
    ]


def test_what_cannot_be_done_is_said(tmp_path, invoke, folder, parallel):
    (tmp_path / "a.txt").write_text(TEXT)
    for arguments, said in (
        ([], "name the texts"),
        ([parallel, "--parallel", parallel], "either files or --parallel"),
        ([parallel, "--reductions", "1.5"], "shares from 0 to 1"),
        ([tmp_path / "a.txt", "--embeddings", "omp"], "no embeddings 'omp'"),
        ([tmp_path / "a.txt", "--embeddings", "hypernet"], "--hypernet"),
        ([tmp_path / "a.txt", "--figure", "a.pdf"], "a figure ends in"),
    ):
        result = invoke("dynamic", "evaluate", folder, *arguments)
        assert result.exit_code == 2, (arguments, result.stderr)
        assert said in result.stderr


def test_a_curve_for_each_language(tmp_path, invoke, trained, parallel):
    output, figure = tmp_path / "out", tmp_path / "a.json"
    arguments = ("dynamic", "curve", trained, "--parallel", parallel)
    result = invoke(*arguments, "-o", output, "--figure", figure)
    assert result.exit_code == 0, result.stderr
    assert "all merged" in result.stdout
    frame = pandas.read_csv(output / "results.csv")
    assert frame["group"].unique().tolist() == ["en", "de", "all"]
    points = json.loads(figure.read_text())
    assert "merges in a batch" in json.dumps(points)
    single = invoke("dynamic", "curve", trained, parallel.parent / "no.txt")
    assert single.exit_code == 2
