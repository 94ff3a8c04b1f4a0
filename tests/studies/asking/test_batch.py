import json
import logging

import pytest

from tokkit.errors import UsageError
from tokkit.studies.asking.backends import batch
from tokkit.studies.asking.backends.batch import BatchBackend
from tokkit.studies.asking.backends.result_lines import BadLines, read_results
from tokkit.studies.asking.request import Decoding, Message, Request

CHAT = (
    Message("system", "Be brief."),
    Message("user", "1+2="),
    Message("assistant", "3"),
    Message("user", "4+5="),
)


def chats(count, **decoding):
    how = Decoding(max_tokens=20, **decoding)
    return [
        Request(key=str(i), messages=(*CHAT[:3], Message("user", f"4+{i}=")), decoding=how)
        for i in range(count)
    ]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def openai_result(name, text, **usage):
    message = {"role": "assistant", "content": text}
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
    response = {"status_code": 200, "body": body}
    return {"id": "batch_req_1", "custom_id": name, "response": response, "error": None}


def anthropic_result(name, text):
    usage = {"input_tokens": 7, "output_tokens": 2}
    content = [{"type": "text", "text": text}]
    message = {"content": content, "stop_reason": "end_turn", "usage": usage}
    return {"custom_id": name, "result": {"type": "succeeded", "message": message}}


def put(folder, name, contents):
    (folder / name).write_text("".join(json.dumps(each) + "\n" for each in contents))


def test_openai_lines_are_what_the_provider_documents(tmp_path):
    backend = BatchBackend.parse(f"openai:{tmp_path}", "gpt-4o-mini")
    [request] = chats(1, top_logprobs=5, stop=("\n",))
    [answer] = backend.answer([request])
    assert answer.error
    assert lines(tmp_path / "requests.jsonl") == [
        {
            "custom_id": request.digest(backend.model),
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {
                "model": "gpt-4o-mini",
                "max_tokens": 20,
                "temperature": 0.0,
                "seed": 0,
                "stop": ["\n"],
                "messages": [message._asdict() for message in request.messages],
                "logprobs": True,
                "top_logprobs": 5,
            },
        }
    ]


def test_anthropic_lines_have_the_system_apart(tmp_path):
    backend = BatchBackend.parse(f"anthropic:{tmp_path}", "claude-3-5-sonnet-20240620")
    [request] = chats(1)
    backend.answer([request])
    [line] = lines(tmp_path / "requests.jsonl")
    assert line["custom_id"] == request.digest(backend.model)
    assert len(line["custom_id"]) <= 64
    assert line["params"] == {
        "model": "claude-3-5-sonnet-20240620",
        "max_tokens": 20,
        "temperature": 0.0,
        "system": "Be brief.",
        "messages": [message._asdict() for message in request.messages[1:]],
    }
    with pytest.raises(UsageError, match="chats only"):
        backend.answer([Request(key="0", prompt="x")])


def test_newer_models_have_another_limit_and_prompts_a_file_of_their_own(tmp_path):
    backend = BatchBackend.parse(f"openai:{tmp_path}", "o3-mini")
    backend.answer([*chats(1), Request(key="p", prompt="x", decoding=Decoding(top_logprobs=2))])
    first, second = (
        lines(tmp_path / name)[0] for name in ("requests.jsonl", "requests-2.jsonl")
    )
    assert first["body"]["max_completion_tokens"] == 20
    assert second["url"] == "/v1/completions"
    assert second["body"]["logprobs"] == 2


@pytest.mark.parametrize(
    ("provider", "result"), [("openai", openai_result), ("anthropic", anthropic_result)]
)
def test_results_answer_the_next_run(tmp_path, provider, result, caplog):
    backend = BatchBackend.parse(f"{provider}:{tmp_path}", "some")
    asked = chats(4)
    names = [each.digest(backend.model) for each in asked]
    with caplog.at_level(logging.WARNING):
        assert all(answer.error for answer in backend.answer(asked))
    assert "wrote 4 requests" in caplog.text
    before = (tmp_path / "requests.jsonl").read_bytes()
    # Nothing is back yet: nothing is asked again.
    assert all(answer.error for answer in backend.answer(asked))
    assert [path.name for path in tmp_path.iterdir()] == ["requests.jsonl"]
    # Two come back, in another order.
    put(tmp_path, "output.jsonl", [result(names[2], "two"), result(names[0], "nought")])
    texts = [answer.text for answer in backend.answer(asked)]
    assert texts == ["nought", "", "two", ""]
    assert (tmp_path / "requests.jsonl").read_bytes() == before
    assert len(list(tmp_path.glob("requests*"))) == 1


def test_what_failed_is_asked_again_once(tmp_path):
    backend = BatchBackend.parse(f"openai:{tmp_path}", "some")
    asked = chats(3)
    names = [each.digest(backend.model) for each in asked]
    backend.answer(asked)
    expired = {"code": "batch_expired", "message": "This request could not be executed."}
    put(tmp_path, "output.jsonl", [openai_result(names[0], "9", prompt_tokens=5)])
    put(
        tmp_path,
        "errors.jsonl",
        [{"custom_id": names[1], "response": None, "error": expired}],
    )
    answers = backend.answer(asked)
    assert (answers[0].text, answers[0].prompt_tokens) == ("9", 5)
    assert [each["custom_id"] for each in lines(tmp_path / "requests-2.jsonl")] == [names[1]]
    assert "This request could not be executed.; written into another" in answers[1].error
    assert answers[2].error == "its batch has no result yet"
    backend.answer(asked)
    assert len(list(tmp_path.glob("requests*"))) == 2
    put(tmp_path, "more.jsonl", [openai_result(names[1], "1"), openai_result(names[2], "2")])
    assert [each.text for each in backend.answer(asked)] == ["9", "1", "2"]


def test_files_keep_within_the_limits(tmp_path, monkeypatch):
    whole = batch.PROVIDERS["openai"]
    small = batch.Provider(whole.write, 3, 100_000, whole.upload)
    monkeypatch.setattr(batch, "PROVIDERS", {"openai": small})
    BatchBackend.parse(f"openai:{tmp_path / 'a'}", "some").answer(chats(7))
    sizes = [len(lines(path)) for path in sorted((tmp_path / "a").iterdir())]
    assert sorted(sizes) == [1, 3, 3]
    tight = batch.Provider(whole.write, 100, 900, whole.upload)
    monkeypatch.setattr(batch, "PROVIDERS", {"openai": tight})
    BatchBackend.parse(f"openai:{tmp_path / 'b'}", "some").answer(chats(7))
    files = list((tmp_path / "b").iterdir())
    assert len(files) > 2
    assert all(path.stat().st_size <= 900 for path in files)


def test_bad_lines_are_named_and_counted(tmp_path, caplog):
    path = tmp_path / "results.jsonl"
    good = json.dumps(openai_result("a", "1"))
    path.write_text(f'{good}\n[1]\n{{"custom_id": "b"}}\n{{"result": "x"}}\n\n{good[:50]}')
    bad = BadLines()
    assert [(name, answer.text) for name, answer in read_results(path, bad)] == [("a", "1")]
    assert [reason.partition(": ")[0] for reason in bad.reasons] == [
        f"{path}:{number}" for number in (2, 3, 4, 6)
    ]
    assert "cut off" in bad.reasons[-1]
    bad.reasons *= 2
    with caplog.at_level(logging.WARNING):
        bad.log()
    assert "3 more lines cannot be read" in caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"custom_id": "a", "response": {"status_code": 429, "body": {}}, "error": None},
            "429",
        ),
        ({"custom_id": "a", "response": None, "error": {"message": "late"}}, "late"),
        ({"custom_id": "a", "result": {"type": "expired"}}, "expired"),
        (
            {
                "custom_id": "a",
                "result": {"type": "errored", "error": {"error": {"message": "no"}}},
            },
            "errored: no",
        ),
    ],
)
def test_failures_are_no_answers(tmp_path, content, said):
    put(tmp_path, "results.jsonl", [content])
    [(name, answer)] = read_results(tmp_path / "results.jsonl", BadLines())
    assert name == "a"
    assert said in answer.error


def test_specifications_are_checked(tmp_path):
    for spec, model in (
        ("openai", "m"),
        ("nobody:x", "m"),
        ("openai:x", None),
        ("openai:", "m"),
    ):
        with pytest.raises(UsageError):
            BatchBackend.parse(spec, model)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        BatchBackend.parse(f"openai:{tmp_path / 'file'}", "m")
