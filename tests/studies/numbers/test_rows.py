"""Rows in files."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.errors import CorpusError, UsageError
from tokkit.studies.asking.request import Decoding, Message
from tokkit.studies.frames import lines_of
from tokkit.studies.numbers.generating import Design, generate
from tokkit.studies.numbers.problems import Problem, read_solved, write_solved
from tokkit.studies.numbers.row_columns import COLUMNS
from tokkit.studies.numbers.rows import (
    documented_messages,
    frame_of,
    read_rows,
    requests_of,
    write_rows,
)

HUGE = 10**25 + 7


@pytest.fixture
def frame():
    generated = generate(Design(problems=2, shots=(0, 2), formats=("comma_r2l",))).frame
    extra = {"num1": HUGE, "num2": 3, "key": "huge", "response": "007", "prompt": "a\n\tb = "}
    return pd.concat([generated, frame_of([extra])], ignore_index=True)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_rows_are_read_as_they_were_written(frame, tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    write_rows(frame, path)
    read = read_rows(path)
    expected = frame.assign(
        file=path.name,
        answer_number_format=[each or "nosep" for each in frame["answer_number_format"]],
    )
    assert list(read.columns) == list(COLUMNS)
    assert lines_of(read) == lines_of(expected)
    assert read["num1"].iloc[-1] == HUGE
    assert read["response"].iloc[-1] == "007"
    assert [path.name] == [each.name for each in tmp_path.iterdir()]


def test_json_lines_have_messages_as_lists(frame, tmp_path):
    write_rows(frame, tmp_path / "rows.jsonl")
    row = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
    assert row["messages"][0] == ["system", "You are a helpful assistant."]
    assert row["response"] is None


def test_published_tables_are_read_as_they_are(shared):
    folder = shared / "eval" / "tokenization_counts"
    early = read_rows(folder / "20230518_gpt_other_delimiters.csv")
    late = read_rows(folder / "20230524_gpt_comma_effects_repeat_style_triplets.csv")
    assert list(early.columns) == list(late.columns) == list(COLUMNS)
    assert set(early["repeat_problem_number_format"]) == {""}
    assert set(late["repeat_problem_number_format"]) == {"", "nosep", "comma_r2l"}
    first = lines_of(late.head(1))[0]
    assert (first["num1"], first["operation"], first["chunk_size"]) == (2307350, "+", 3)
    assert first["response"] == "2,307,350 + 6,058,422 = 8,365,772"
    assert documented_messages(first) == (
        Message("system", "You are a helpful assistant."),
        Message("user", "1883859+3177908="),
        Message("assistant", "1,883,859+3,177,908=5061767"),
        Message("user", "2307350+6058422="),
    )


def write_csv(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_table_does_not_say_is_as_usual(tmp_path):
    path = write_csv(tmp_path / "few.csv", "num1,num2,mine\n12,345,x\n")
    row = lines_of(read_rows(path))[0]
    assert row["key"] == "few:0"
    assert row["file"] == "few.csv"
    assert row["mine"] == "x"
    [request] = requests_of(read_rows(path))
    assert request.messages == (Message("user", "12+345="),)
    assert request.facts["truth"] == 357
    assert request.decoding == Decoding()


def test_repeat_styles_of_early_tables(tmp_path):
    text = (
        "num1,num2,problem_number_format,repeat_style\n"
        "1,2,comma_r2l,same\n1,2,nosep,comma_r2l\n1,2,nosep,\n"
    )
    frame = read_rows(write_csv(tmp_path / "early.csv", text))
    assert list(frame["repeat_problem_number_format"]) == ["comma_r2l", "comma_r2l", ""]
    assert "repeat_style" not in frame


def test_an_empty_answer_is_not_a_missing_one(tmp_path):
    text = "num1,num2,response,completion_tokens\n1,2,,0\n1,2,,\n1,2,3,\n"
    frame = read_rows(write_csv(tmp_path / "answers.csv", text))
    assert list(frame["response"]) == ["", None, "3"]
    lines = '{"num1": 1, "num2": 2, "response": ""}\n{"num1": 1, "num2": 2}\n'
    assert list(read_rows(write_csv(tmp_path / "a.jsonl", lines))["response"]) == ["", None]


def test_flipped_rows_show_flipped_examples():
    row = {"num1": 5, "num2": 40, "shots": "1+20=21", "flip_shots": True}
    [row] = lines_of(frame_of([{**row, "answer_number_format": "nosep"}]))
    assert [each.content for each in documented_messages(row)] == ["20+1=", "21", "5+40="]


def test_messages_may_be_as_the_apis_have_them(tmp_path):
    chat = [{"role": "user", "content": "1+2="}]
    row = {"num1": 1, "num2": 2, "messages": chat, "max_tokens": 7}
    path = write_csv(tmp_path / "chat.jsonl", json.dumps(row))
    [request] = requests_of(read_rows(path), Decoding(max_tokens=99, top_logprobs=5))
    assert request.messages == (Message("user", "1+2="),)
    assert request.decoding == Decoding(max_tokens=7, top_logprobs=5)


def test_files_with_the_same_keys_are_told_apart(frame, tmp_path):
    for name in ("a.csv", "b.csv"):
        write_rows(frame, tmp_path / name)
    both = read_rows([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert both["key"].is_unique
    assert both["key"].iloc[0] == "a:0/0"
    twice = read_rows([tmp_path / "a.csv", tmp_path / "a.csv"])
    with pytest.raises(CorpusError, match="two rows have the key 'a:0/0'"):
        requests_of(twice)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.csv", "", "has no rows"),
        ("a.csv", "num1,num2\n", "has no rows"),
        ("a.csv", "num1\n1\n", "has no column 'num2'"),
        ("a.csv", "num1,num2\n1,2\n1,x\n", "column num2, row 1: 'x' is no integer"),
        ("a.csv", "num1,num2\n1,-2\n", "column num2, row 0: -2 is negative"),
        ("a.csv", "num1,num2\n1,2.5\n", "column num2, row 0"),
        ("a.csv", "num1,num2\n1,2,3\n", "line 2 has 3 values, the first 2"),
        ("a.csv", "num1,num2,operation\n1,2,/\n", "'/' is not one of"),
        ("a.csv", "num1,num2,flip_shots\n1,2,maybe\n", "neither True nor False"),
        ("a.csv", "num1,num2,messages\n1,2,[]\n", "not a list of messages"),
        ("a.csv", 'num1,num2,messages\n1,2,"[[""x"", 1]]"\n', "is not a message"),
        ("a.jsonl", "{\n", "line 1: not JSON"),
        ("a.jsonl", "[]\n", "line 1: not a JSON object, but list"),
        ("a.parquet", "no parquet", "a.parquet: "),
        ("a.txt", "1+2=", "are read from .csv, .jsonl and .parquet"),
    ],
)
def test_bad_files_are_refused_with_the_place(tmp_path, name, text, reason):
    with pytest.raises(CorpusError, match=reason):
        read_rows(write_csv(tmp_path / name, text))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="No such file"):
        read_rows(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="end the name of a table"):
        write_rows(frame_of([{"num1": 1, "num2": 2}]), tmp_path / "rows.txt")


problems = st.builds(
    Problem, st.integers(0, 10**12), st.integers(0, 10**12), st.sampled_from("+-*")
)


@given(st.lists(problems))
def test_examples_are_read_as_they_were_written(examples):
    assert read_solved(write_solved(examples)) == examples
    for example in examples:
        assert eval(f"{example} == {example.truth}")


def test_what_is_no_example_is_refused():
    with pytest.raises(ValueError, match="'1/2=3' is not a problem"):
        read_solved("1+2=3,1/2=3")
