"""``tokkit analyze``."""

import json

import pandas as pd
import pytest

import tokkit as library


@pytest.fixture
def records(tmp_path):
    """Records in two languages."""
    path = tmp_path / "records.jsonl"
    rows = [
        {"text": "It was the best of times 1234567.", "language": "en"},
        {"text": "Über den Wolken, été", "language": "de"},
        {"text": "the worst of times: foo(bar)", "language": "en"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_tables_a_folder_and_a_figure(invoke, trained, records, tmp_path):
    folder, figure = tmp_path / "found", tmp_path / "figure.json"
    arguments = ("analyze", f"a={trained}", f"b={trained}", "--corpus", records)
    arguments += ("--group-by", "language", "--group-by", "script", "-o", folder)
    result = invoke(*arguments, "--figure", figure)
    assert result.exit_code == 0, result.stderr
    assert "3 documents" in result.stdout
    assert "bytes per token by language" in result.stdout
    rows = pd.read_csv(folder / "results.csv")
    said = rows[(rows["metric"] == "tokens") & (rows["tokenizer"] == "b")]
    tokens = dict(zip(said["group"], said["value"], strict=True))
    texts = [json.loads(line) for line in records.read_text(encoding="utf-8").splitlines()]
    ids = library.load(trained).encode_batch([row["text"] for row in texts])
    assert tokens["all"] == tokens["Latin"] == sum(map(len, ids))
    assert tokens["de"] == len(ids[1])
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert (summary["study"], summary["base"], summary["documents"]) == ("analyze", "a", 3)
    differences = pd.read_csv(folder / "differences.csv")
    assert (differences["difference"].dropna() == 0).all()
    assert (folder / "token_lengths.csv").is_file()
    assert json.loads(figure.read_text(encoding="utf-8"))["vconcat"]
    first = (folder / "results.csv").read_bytes()
    again = invoke(*arguments)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert invoke(*arguments, "--force", "-q").stderr == ""
    assert (folder / "results.csv").read_bytes() == first


def test_one_document_of_json_about_the_sample_that_ships(invoke, trained):
    result = invoke("analyze", trained, "--json", "--alpha", "1.5", "--limit", 20)
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["documents"] == 20
    metrics = {row["metric"] for row in said["results"]}
    assert "renyi_1.5_efficiency_observed" in metrics
    assert "shannon_entropy" not in metrics
    assert said["differences"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--base", "gpt2"], "the base 'gpt2' is no tokenizer here"),
        (["--group-by", "topic"], "no column 'topic'"),
        (["--group-by", "file", "--group-by", "file"], "grouped by once"),
        (["--alpha", "inf"], "order of Rényi's entropy"),
        (["--corpus", "absent.jsonl"], "absent.jsonl"),
        (["--figure", "figure.gif"], "figure.gif"),
    ],
)
def test_what_is_wrong_is_named(invoke, trained, records, arguments, message):
    result = invoke("analyze", trained, "--corpus", records, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_texts_come_from_standard_input(tokkit, trained):
    text = b"the best\nof times\n"
    result = tokkit("analyze", trained, "--corpus", "-", "--json", input=text)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["documents"] == 2
