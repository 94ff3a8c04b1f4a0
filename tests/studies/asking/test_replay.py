import csv
import json
import logging

import pandas as pd
import pytest

from tokkit.errors import CorpusError, UsageError
from tokkit.studies.asking import AnswerCache, ask
from tokkit.studies.asking.backends.replay import ReplayBackend
from tokkit.studies.asking.recorded import read_columns, write_columns
from tokkit.studies.asking.request import (
    Answer,
    Choice,
    Decoding,
    Message,
    Request,
    TokenLogprob,
)
from tokkit.studies.numbers.rows import read_rows, requests_of

CHAT = (Message("system", "Be brief."), Message("user", "1+2="))
ROWS = [
    {"key": "a", "messages": [list(each) for each in CHAT], "response": "3"},
    {"key": "b", "prompt": "4+5=", "response": "9", "completion_tokens": 1},
    {"key": "c", "prompt": "6+7="},
]


def write(path, rows):
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path
    frame = pd.DataFrame(rows)
    frame["messages"] = [
        json.dumps(each) if isinstance(each, list) else None for each in frame["messages"]
    ]
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path)
    return path


def test_an_answer_to_something_else_is_not_taken_for_its_key(tmp_path, caplog):
    backend = ReplayBackend(write(tmp_path / "rows.jsonl", ROWS))
    asked = [Request(key="a", prompt="4+5="), Request(key="a", prompt="8+9=")]
    with caplog.at_level(logging.WARNING):
        answers = backend.answer(asked)
    assert [answer.text for answer in answers] == ["9", ""]
    assert "answers to something else" in caplog.text


def test_numbers_of_other_problems_are_not_replayed(tmp_path):
    (tmp_path / "a.csv").write_text("key,num1,num2,response\n0/0,1,2,3\n")
    (tmp_path / "b.csv").write_text("key,num1,num2\n0/0,4,5\n0/1,1,2\n")
    requests = requests_of(read_rows(tmp_path / "b.csv"))
    answers = ReplayBackend(tmp_path / "a.csv").answer(requests)
    assert [answer.text for answer in answers] == ["", "3"]


OTHERS = [
    {"id": 7, "question": "1+2=", "output": "3"},
    {"id": 8, "question": "4+5=", "output": "9"},
]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_columns_of_other_names_are_found(tmp_path, suffix, caplog):
    path = tmp_path / f"rows{suffix}"
    frame = pd.DataFrame(OTHERS)
    match suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".jsonl":
            frame.to_json(path, orient="records", lines=True)
        case _:
            frame.to_parquet(path)
    examples = (Message("user", "0+0="), Message("assistant", "0"), *CHAT[1:])
    asked = [
        Request(key="new", messages=CHAT),  # a question, whatever the system says
        Request(key="8", messages=CHAT),  # another question than the one of that name
        Request(key="few-shot", messages=examples),  # more than a question
        Request(key="7", prompt="1+2="),
    ]
    with caplog.at_level(logging.INFO):
        answers = ReplayBackend(path).answer(asked)
    assert [answer.text for answer in answers] == ["3", "3", "", "3"]
    assert caplog.text.count("taken from the column 'output'") == 1


def test_columns_can_be_named(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b,answer,said\n1,2,3,4\n")
    columns = {"num1": "a", "num2": "b", "response": "said"}
    [answer] = ReplayBackend(path, columns).answer([Request(key="x", messages=CHAT)])
    assert answer.text == "4"  # not the true answer, whose column is not named
    with pytest.raises(UsageError, match=r"no column 'zork'.*'a', 'b', 'answer', 'said'"):
        ReplayBackend(path, {"response": "zork"})
    with pytest.raises(UsageError, match="name one of key"):
        ReplayBackend(path, {"zork": "a"})
    with pytest.raises(CorpusError, match="does not say what was asked"):
        ReplayBackend(path)
    path.write_text("question,zork\n1+2=,4\n")
    with pytest.raises(CorpusError, match="there are question, zork"):
        ReplayBackend(path)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_answers_are_found_by_key_or_by_content(tmp_path, suffix, caplog):
    backend = ReplayBackend(write(tmp_path / f"rows{suffix}", ROWS))
    other = Decoding(max_tokens=3)
    asked = [
        Request(key="a", messages=CHAT),
        Request(key="x", messages=CHAT, decoding=other),
        Request(key="y", prompt="4+5="),
        Request(key="c", prompt="6+7="),
        Request(key="z", prompt="1+2="),
    ]
    with caplog.at_level(logging.WARNING):
        answers = backend.answer(asked)
    assert [answer.text for answer in answers] == ["3", "3", "9", "", ""]
    assert [answer.error is None for answer in answers] == [True, True, True, False, False]
    assert "2 of 5 requests have no recorded answer" in caplog.text
    assert answers[2].completion_tokens == 1


def test_published_rows_are_replayed_exactly(shared):
    path = shared / "eval" / "tokenization_counts" / "20230518_gpt_other_delimiters.csv"
    with path.open(encoding="utf-8", newline="") as file:
        recorded = list(csv.DictReader(file))
    requests = requests_of(read_rows(path))
    answers = ReplayBackend(path).answer(requests)
    assert [answer.text for answer in answers] == [row["response"] for row in recorded]
    assert [answer.prompt_tokens for answer in answers] == [
        int(row["prompt_tokens"]) for row in recorded
    ]
    # Under other keys they are found by what was asked; but the chats of foo_r2l, which were
    # sent with "oof", cannot be told from those of foo_l2r by what the columns say.
    again = [
        (Request(key=f"new {each.key}", messages=each.messages), row["response"])
        for each, row in zip(requests, recorded, strict=True)
        if not row["problem_number_format"].startswith("foo")
    ]
    answers = ReplayBackend(path).answer([request for request, _ in again])
    assert [answer.text for answer in answers] == [response for _, response in again]


def test_equal_requests_have_their_own_recorded_answers(tmp_path):
    rows = [{"key": str(i), "prompt": "1+1=", "response": f"answer {i}"} for i in range(3)]
    asked = [Request(key=row["key"], prompt=row["prompt"]) for row in rows]
    backend = ReplayBackend(write(tmp_path / "rows.jsonl", rows))
    found = ask(asked, backend, cache=AnswerCache())
    assert [answer.text for answer in found.answers] == [row["response"] for row in rows]


def test_transcripts_of_both_layouts_are_read(tmp_path):
    body = {"choices": [{"message": {"content": "Result: 4"}, "finish_reason": "stop"}]}
    path = write(
        tmp_path / "transcripts.jsonl",
        [
            {"custom_id": "request-0", "response": {"status_code": 200, "body": body}},
            {"id": "1", "result": "Result: 5"},
            {"id": 2, "string": "ab", "response": "Result: 6"},
            {"id": 3, "prompt": "?", "result": "Result: 7"},
            {"custom_id": "4", "prompt": "?", "response": {"status_code": 200, "body": body}},
        ],
    )
    asked = [Request(key=key, prompt="?") for key in ("request-0", "1", "2", "3", "4")]
    texts = [answer.text for answer in ReplayBackend(path).answer(asked)]
    assert texts == ["Result: 4", "Result: 5", "Result: 6", "Result: 7", "Result: 4"]


def test_cut_lines_are_named(tmp_path, caplog):
    path = write(tmp_path / "rows.jsonl", ROWS)
    path.write_text(path.read_text()[:-10])
    with caplog.at_level(logging.WARNING):
        assert ReplayBackend(path).recorded == 2
    assert f"{path}:3" in caplog.text


def test_files_without_answers_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="no answers"):
        ReplayBackend(write(tmp_path / "rows.jsonl", ROWS[2:]))
    with pytest.raises(UsageError, match="no such file"):
        ReplayBackend(tmp_path / "absent.csv")
    (tmp_path / "rows.txt").write_text("x")
    with pytest.raises(UsageError, match=r"\.csv"):
        ReplayBackend(tmp_path / "rows.txt")


def test_answers_survive_as_columns():
    step = TokenLogprob("1", -0.25, (Choice("1", -0.25), Choice("é\n", -1.5)))
    answer = Answer(
        text="1", prompt_tokens=3, completion_tokens=1, finish_reason="stop", logprobs=(step,)
    )
    assert read_columns(write_columns(answer)) == answer
    assert read_columns({**write_columns(answer), "prompt_tokens": "3.0"}) == answer
    failed = write_columns(Answer(error="no"))
    assert (failed["response"], failed["error"]) == (None, "no")
    assert read_columns(failed) is None
    assert write_columns(None)["error"] == "not asked"
    with pytest.raises(ValueError, match="logprob"):
        read_columns({"response": "1", "logprobs_json": '[{"token": "1"}]'})
