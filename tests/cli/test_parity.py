import csv
import json

import pytest

from tests.cli.conftest import contents

RECORDS = [
    {"text": {"en": "It was the best of times.", "de": "Es war die beste Zeit.", "ja": "東京"}},
    {"text": {"en": "The age of wisdom", "de": "Das Alter der Weisheit", "ja": "東京は夜"}},
    {"text": {"en": "x = foo(bar)", "de": "x = foo(bar) # Wolken"}},
]


@pytest.fixture
def parallel(tmp_path):
    path = tmp_path / "parallel.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in RECORDS))
    return path


def test_tables_for_people(invoke, trained, parallel):
    result = invoke("parity", trained, "--parallel", parallel, "--model", "gpt-4o", "-q")
    assert result.exit_code == 0, result.stderr
    assert "premium: tokens by tokens of en (ratio of sums, 2 documents)" in result.stdout
    for word in ("Japanese", "Gini per line", "mean premium by script", "gpt-4o (bpe)"):
        assert word in result.stdout
    assert "1 documents are not in all languages" in result.stdout


def test_one_json_document(invoke, trained, parallel):
    arguments = ("parity", trained, "--parallel", parallel, "--json", "-q")
    found = json.loads(invoke(*arguments, "--model", "unheard-of").stdout)
    assert [row["language"] for row in found["languages"]] == ["en", "de", "ja"]
    assert found["pivot"] == "en"
    assert found["definitions"]["premium"].startswith("tokens of a language by tokens")
    assert {row["dollars"] for row in found["costs"]} == {None}
    assert found == json.loads(invoke(*arguments, "--model", "unheard-of").stdout)


def test_a_folder_with_everything(invoke, trained, parallel, tmp_path):
    out, figure = tmp_path / "out", tmp_path / "parity.svg"
    families = tmp_path / "families.csv"
    families.write_text("language,family\nen,Germanic\nde,Germanic\nja,Japonic\n")
    arguments = ("parity", trained, f"again={trained}", "--parallel", parallel, "-q")
    arguments += ("-o", out, "--figure", figure, "--groups", families, "--pivot", "de")
    result = invoke(*arguments)
    assert result.exit_code == 0, result.stderr
    names = ["groups.csv", "lorenz.csv", "results.csv", "summaries.csv", "summary.json"]
    assert sorted(contents(out)) == names
    with (out / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["family"] for row in rows] == ["Germanic", "Germanic", "Japonic"] * 2
    summary = json.loads((out / "summary.json").read_bytes())
    assert (summary["study"], summary["pivot"], summary["rows"]) == ("parity", "de", 6)
    assert "languages" not in summary
    assert summary["inputs"][0]["path"] == str(parallel)
    assert list(summary["tokenizers"]) == ["bpe", "again"]
    assert figure.read_text().startswith("<svg")
    assert invoke(*arguments).exit_code == 2
    before = contents(out)
    assert invoke(*arguments, "--force").exit_code == 0
    assert contents(out).keys() == before.keys()


def test_files_of_languages_joined(invoke, trained, tmp_path):
    for name, text in (("en", "the best\n\n"), ("de", "das beste\n\n")):
        (tmp_path / name).write_text(text)
    given = ("--parallel", f"en={tmp_path}/en", "--parallel", f"de={tmp_path}/de")
    result = invoke("parity", trained, *given, "--layout", "joined", "--json", "-q")
    found = json.loads(result.stdout)
    # "the best", two empty lines - one of them after the last line feed - and spaces between.
    assert [row["bytes"] for row in found["languages"]] == [10, 11]
    assert found["languages"][0]["premium_low"] is None


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--pivot", "fr"), "choose the --pivot among en, de, ja"),
        (("--languages", "en"), "at least two are needed"),
        (("--model", "gpt-4o=gpt2"), "no tokenizer is called 'gpt2', but 'bpe'"),
        (("--figure", "a.bmp"), "a figure ends in one of"),
        (("--groups", "missing.csv"), "groups cannot be read"),
        (("--prices", "missing.toml", "--model", "x"), "prices cannot be read"),
        (("--layout", "pages"), "lines"),
        (("--parallel", "missing.jsonl"), "missing.jsonl"),
    ],
)
def test_bad_usage(invoke, trained, parallel, options, error):
    result = invoke("parity", trained, "--parallel", parallel, *options)
    assert result.exit_code == 2
    assert error in result.stderr
    assert not result.stdout
