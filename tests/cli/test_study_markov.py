"""``tokkit study markov``."""

import csv
import json

import pytest
from tokkit_cli.app import app
from tokkit_cli.commands.study_markov import DictionaryName
from typer.testing import CliRunner

from tokkit.studies.markov.dictionaries import Name

SMALL = ("--train-characters", "20000", "--test-characters", "4000", "--sizes", "4,64")
COUNTED = (*SMALL, "--train-steps", "0", "--seeds", "2")


def run(*arguments):
    return CliRunner().invoke(app, ["study", "markov", *map(str, arguments)])


def test_the_table_says_what_is_lost():
    result = run(*COUNTED, "--p", 0.2, "--q", 0.3)
    assert result.exit_code == 0, result.output
    assert "0.5446  (entropy rate" in result.stdout
    assert "0.6730  (unigram bound)" in result.stdout
    for name in ("characters", "bpe", "lzw", "greedy"):
        assert name in result.stdout
    assert "counting" in result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 120


def test_json_is_one_document():
    result = run(*COUNTED, "--json", "-q", "--dictionary", "bpe", "--order", 3)
    found = json.loads(result.stdout)
    assert found["order"] == 3
    assert [(row["dictionary"], row["size"], row["seed"]) for row in found["losses"]] == [
        ("bpe", 4, 0),
        ("bpe", 64, 0),
        ("bpe", 4, 1),
        ("bpe", 64, 1),
    ]
    assert result.stderr == ""


def test_a_folder_has_tables_figures_and_a_summary(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("vl_convert")
    trained = (*SMALL, "--seeds", "1", "--train-steps", "5", "--context", "16")
    where = ("-o", tmp_path / "study", "--figure", tmp_path / "f.svg")
    result = run(*trained, *where, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "study").iterdir()) == [
        "curves.csv",
        "curves.png",
        "losses.csv",
        "losses.png",
        "summary.json",
    ]
    assert "<svg" in (tmp_path / "f.svg").read_text()
    with (tmp_path / "study" / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["0", "5", "0", "5"]
    again = run(*trained, *where)
    assert again.exit_code == 2
    assert "--force" in again.stderr


def test_a_matrix_is_read_and_named(tmp_path):
    path = tmp_path / "chain.csv"
    path.write_text("0.9,0.1\n0.1,0.9\n")
    result = run(*COUNTED, "--matrix", path, "--json", "-q", "-o", tmp_path / "study")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["order"] == 1
    summary = json.loads((tmp_path / "study" / "summary.json").read_bytes())
    assert summary["inputs"][0]["path"] == str(path)
    path.write_text("0.9,0.1\n0.1,0.8\n")
    bad = run(*COUNTED, "--matrix", path)
    assert bad.exit_code == 2
    assert "row 2 (context '1')" in bad.stderr


def test_a_random_source_has_any_alphabet():
    result = run(*COUNTED, "--source", "random", "--symbols", 4, "--order", 1, "--json", "-q")
    assert json.loads(result.stdout)["symbols"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dictionary", "bpe,unigram"), "'unigram' is no dictionary"),
        (("--dictionary", "bpe,bpe"), "a dictionary is named twice"),
        (("--train-dictionary", ""), "'' is no dictionary"),
        (("--sizes", "4,x"), "--sizes '4,x'"),
        (("--sizes", "1"), "1 tokens cannot stand for 2 characters"),
        (("--figure", "f.pdf"), ".png, .svg"),
        (("--order", "13"), "4096"),
        (("--matrix", "gone.csv"), "gone.csv"),
        (("--matrix", "chain.csv", "--order", "2"), "--order says nothing about --matrix"),
        (("--source", "random", "--p", "0.5"), "--p says nothing about random"),
        (("--symbols", "3"), "--symbols says nothing about switching"),
        (("--p", "0", "--q", "0"), "never lead to a common one"),
    ],
)
def test_mistakes_are_told_in_one_line_before_any_work(arguments, message):
    result = run("--train-steps", "0", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert "counting" not in result.stderr


def test_the_command_knows_every_dictionary():
    assert DictionaryName == Name
