import csv
import json

import pytest

from tests.studies.numbers.scoring.builders import problems, study
from tokkit.studies.numbers.rows import write_rows


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Answers of a model that is right in one format and often off by one in the other."""
    path = tmp_path_factory.mktemp("answers") / "answers.csv"
    kinds = {
        "comma_r2l": lambda problem: problem.truth,
        "comma_l2r": lambda problem: problem.truth + problem.num1 % 2,
    }
    write_rows(study(kinds, problems(30)), path)
    return path


def test_a_table_for_people(invoke, answers):
    result = invoke("numbers", "score", answers, "--errors")
    assert result.exit_code == 0, result.stderr
    assert "comma_r2l" in result.stdout
    assert "1.000 [.886, 1.000]" in result.stdout
    assert "1 tests, 1 with stars" in result.stdout
    assert "off by one" in result.stdout
    assert "Checks of prompts and records: nothing found." in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_one_json_document(invoke, answers):
    result = invoke("numbers", "score", answers, "--json", "--pool", "num_spaces")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    cells = {cell["problem_format"]: cell for cell in document["cells"]}
    assert (cells["comma_r2l"]["n"], cells["comma_r2l"]["k"]) == (30, 30)
    assert document["pooled"][0]["pooled_over"] == {"num_spaces": [0]}
    assert document["comparisons"][0]["stars"]


def test_tables_as_files(invoke, answers, trained, tmp_path):
    command = ("numbers", "score", answers, "-o", tmp_path / "scores")
    result = invoke(*command, "--tokenizer", trained, "--json")
    assert result.exit_code == 0, result.stderr
    names = {path.name for path in (tmp_path / "scores").iterdir()}
    assert {"results.csv", "cells.csv", "errors.csv", "comparisons.csv"} < names
    summary = json.loads((tmp_path / "scores" / "summary.json").read_text())
    assert (summary["study"], summary["rows"]) == ("numbers-score", 60)
    with (tmp_path / "scores" / "results.csv").open() as file:
        row = next(csv.DictReader(file))
    assert row["answer"] == row["true_answer"]
    assert json.loads(row["digit_tokens"])[0][:2] == [1, 1]
    again = invoke(*command)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert invoke(*command, "--force").exit_code == 0


@pytest.mark.parametrize("option", ["--figure", "--figure-errors"])
def test_figures(invoke, answers, tmp_path, option):
    result = invoke("numbers", "score", answers, option, tmp_path / "figure.svg")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "figure.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.csv"], "nowhere.csv"),
        (["--pool", "colour"], "cannot pool over 'colour'"),
        (["--figure", "a.gif"], "a figure ends in one of"),
    ],
)
def test_what_cannot_be_is_said(invoke, answers, arguments, says):
    files = [] if arguments[0].endswith(".csv") else [answers]
    result = invoke("numbers", "score", *files, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_counts_are_shown_however_long_conditions_are(invoke, tmp_path):
    """What is the same for a whole table stands above it; long names take several lines."""
    named = {"repeat_problem_number_format": "nosep", "num_shots": 16}
    given = study({"comma_r2l": lambda problem: problem.truth}, problems(30))
    long = given.assign(**named, flip_shots=True, file="long.csv", key=[*map(str, range(30))])
    write_rows(long, tmp_path / "long.csv")
    write_rows(given, tmp_path / "short.csv")
    result = invoke("numbers", "score", tmp_path / "long.csv", tmp_path / "short.csv")
    assert result.exit_code == 0, result.stderr
    assert "long.csv · made-up · prompt none · flip shots" in result.stdout
    assert "flip problem" not in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    heads = [line for line in lines if line[:2] == ["format", "shots"]]
    assert [head[2:5] for head in heads] == [["n", "valid", "k"]] * 2
    counts = [line for line in lines if "30" in line]
    assert counts[0][:8] == ["comma_r2l", "→", "nosep", "→", "16", "30", "30", "30"]
