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


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_keys_go_before_contents(tmp_path, suffix, caplog):
    backend = ReplayBackend(write(tmp_path / f"rows{suffix}", ROWS))
    other = Decoding(max_tokens=3)
    asked = [
        Request(key="a", prompt="4+5="),
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
        ],
    )
    asked = [Request(key=key, prompt="?") for key in ("request-0", "1", "2")]
    texts = [answer.text for answer in ReplayBackend(path).answer(asked)]
    assert texts == ["Result: 4", "Result: 5", "Result: 6"]


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
