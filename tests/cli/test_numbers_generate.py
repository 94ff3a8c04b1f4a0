"""``tokkit numbers generate``."""

import csv
import json

import pytest

from tokkit.studies.numbers.rows import read_rows

GENERATE = ("numbers", "generate")


def test_a_published_table_is_written_row_by_row(invoke, shared, tmp_path):
    path, name = tmp_path / "rows.csv", "20230518_gpt_other_delimiters.csv"
    result = invoke(*GENERATE, "--preset", "singh2024", "--experiment", name, "-o", path)
    assert result.exit_code == 0, result.stderr
    assert not result.stdout
    assert "2,880 rows" in result.stderr
    assert "90 problems, 32 conditions" in result.stderr
    assert "360 prompts of foo_r2l have groups separated by 'oof'" in result.stderr
    assert "user       '752foo752foo744+328foo244foo045='" in result.stderr
    with (
        path.open(newline="") as own,
        (shared / "eval" / "tokenization_counts" / name).open(newline="") as published,
    ):
        for mine, theirs in zip(csv.DictReader(own), csv.DictReader(published), strict=True):
            for column in ("problem_index", "problem_msg", "shots", "answer_number_format"):
                assert mine[column] == theirs[column]


def test_rows_go_to_standard_output_and_notes_beside_it(invoke):
    result = invoke(*GENERATE, "--problems", 3, "--shots", "0,4", "--digits", "2x3")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["num_shots"] for row in rows] == [0] * 3 + [4] * 3
    assert rows[0]["messages"][-1] == ["user", rows[0]["problem_msg"]]
    assert "6 rows: 3 problems, 2 conditions" in result.stderr
    assert "… 2 examples …" in result.stderr
    assert result.stderr.rstrip().endswith(f"user       {rows[-1]['problem_msg']!r}")


def test_one_json_document(invoke, tmp_path):
    alone = json.loads(invoke(*GENERATE, "--problems", 2, "--json", "-q").stdout)
    assert alone["rows"] == len(alone["data"]) == 2
    path = tmp_path / "rows.parquet"
    written = json.loads(invoke(*GENERATE, "--problems", 2, "--json", "-o", path).stdout)
    assert written["output"] == str(path)
    assert "data" not in written
    assert list(read_rows(path)["key"]) == [row["key"] for row in alone["data"]]


def test_the_same_seed_writes_the_same_bytes(invoke, tmp_path):
    for name, seed in (("a.csv", 5), ("b.csv", 5), ("c.csv", 6)):
        arguments = ("--problems", 4, "--seed", seed, "--format", "comma_r2l", "--shots", "2")
        assert invoke(*GENERATE, *arguments, "-o", tmp_path / name).exit_code == 0
    first, again, other = (path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert first == again != other


def test_plain_prompts_are_shown_with_their_spaces(invoke):
    arguments = ("--plain", "--problems", 1, "--spaces", 2, "--trailing-spaces", 1)
    result = invoke(*GENERATE, *arguments, "--operation", "multiply", "--digits", "2")
    row = json.loads(result.stdout)
    assert row["prompt"] == f"{row['num1']}  *  {row['num2']}  = "
    assert row["messages"] is None
    assert f"the last prompt: {row['prompt']!r}" in result.stderr


def test_operands_chosen_by_their_tokens_are_counted(invoke, shared):
    gpt2 = shared / "tokenizers" / "hf" / "gpt2"
    arguments = ("--operand-tokens", 1, "--tokenizer", gpt2, "--problems", 2)
    result = invoke(*GENERATE, *arguments)
    assert "operands of 3 digits kept: 719 of 900" in result.stderr
    assert [json.loads(line)["problem_tokens"] for line in result.stdout.splitlines()] == [4, 4]


def test_lengths_without_problems_are_named(invoke):
    result = invoke(*GENERATE, "--operation", "subtract", "--digits", "1-2", "--problems", 3)
    assert "left out, as there are no such problems: - of 1x2" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--preset", "singh2024", "--digits", "3"), "leave out --digits"),
        (("--preset", "singh2024", "--format", "nosep"), "leave out --format"),
        (("--preset", "singh2024", "--experiment", "x"), "no experiment 'x'"),
        (("--experiment", "comma-effects"), "name it with --preset"),
        (("--operation", "divide"), "there are add, subtract and multiply"),
        (("--operation", "*", "--carries", "1"), "products have no single row of carries"),
        (("--carries", "3-1"), "--carries '3-1': write a number"),
        (("--shots", "two"), "--shots 'two': write numbers with commas"),
        (("--chunk-size", "0"), "--chunk-size '0': the least is 1"),
        (("--format", "words"), "no number format 'words'"),
        (("--digits", "1", "--problems", "101"), "101 problems of 1x1 digits are too many"),
        (("--operand-tokens", "1"), "takes a tokenizer: --tokenizer"),
        (("-o", "rows.txt"), "end the name of a table in .csv, .jsonl or .parquet"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    invoke, arguments, reason, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = invoke(*GENERATE, *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_file_is_not_replaced_unasked(invoke, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("mine")
    result = invoke(*GENERATE, "-o", path)
    assert result.exit_code == 2
    assert path.read_text() == "mine"
    assert invoke(*GENERATE, "--problems", 1, "-o", path, "--force").exit_code == 0
    assert len(read_rows(path)) == 1
