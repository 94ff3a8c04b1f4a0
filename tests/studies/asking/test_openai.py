"""Servers: what is sent, and how replies are read."""

import pytest

from tests.studies.asking.questions import ask_all, chat, prompt
from tests.studies.asking.server import answer, content, status
from tokkit.errors import ModelError, UsageError
from tokkit.studies.asking import Answer, Choice, TokenLogprob, TryAgain
from tokkit.studies.asking.backends import open_backend

PLAIN = {"max_tokens": 32, "model": "small", "temperature": 0.0, "seed": 0}


def one(served, behaviour, request=None, **options):
    _, backend = served(behaviour, **options)
    [found] = backend.answer([request or chat("1+1=")])
    return found


@pytest.mark.parametrize(
    ("make", "path", "expected"),
    [
        (prompt, "/v1/completions", {"prompt": "1+1="}),
        (chat, "/v1/chat/completions", {"messages": [{"role": "user", "content": "1+1="}]}),
    ],
)
def test_what_is_sent(served, make, path, expected):
    server, backend = served()
    backend.answer([make("1+1=")])
    [call] = server.calls
    assert call.path == path
    assert call.body == PLAIN | expected
    assert "Authorization" not in call.headers


@pytest.mark.parametrize(
    ("make", "expected"),
    [(prompt, {"logprobs": 5}), (chat, {"logprobs": True, "top_logprobs": 5})],
)
def test_decoding_is_sent(served, make, expected):
    server, backend = served()
    decoding = {"max_tokens": 7, "temperature": 0.5, "seed": None, "stop": ("\n", "=")}
    backend.answer([make("1", top_logprobs=5, **decoding)])
    sent = {"max_tokens": 7, "temperature": 0.5, "stop": ["\n", "="], **expected}
    [call] = server.calls
    assert {name: call.body.get(name) for name in sent} == sent
    assert "seed" not in call.body


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/", "/v1/chat/completions", "/v1/completions"]
)
def test_every_way_to_give_the_address(served, path):
    server, backend = served(path=path)
    backend.answer([chat("1")])
    assert server.calls[0].path == "/v1/chat/completions"
    assert backend.model == f"{server.url}/v1 small"


def test_an_answer_is_read(served):
    found = one(served, lambda call: answer("2", prompt_tokens=9, completion_tokens=1))
    assert found == Answer(text="2", prompt_tokens=9, completion_tokens=1, finish_reason="stop")


def test_the_model_must_be_named_if_there_are_several(served):
    with pytest.raises(UsageError, match="has 2 models: name one of big, small"):
        served(models=("small", "big"))
    with pytest.raises(ModelError, match="does not say which models it has"):
        served(models=())
    server, backend = served(models=("small", "big"), model="big")
    backend.answer([chat("1")])
    assert server.calls[0].body["model"] == "big"


def test_the_newer_name_of_the_token_limit(served):
    def behaviour(call):
        if "max_tokens" in call.body:
            words = "'max_tokens' is not supported. Use 'max_completion_tokens' instead."
            return status(400, {"error": {"message": words}})
        return answer(str(call.body["max_completion_tokens"]))

    server, backend = served(behaviour, workers=1)
    asked = ask_all(backend, "abc")
    assert [each.text for each in asked.answers] == ["32"] * 3
    assert len(server.calls) == 4


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"message": {"content": None, "reasoning_content": "hm"}}, ""),
        ({"message": {"content": None, "refusal": "I will not"}}, "I will not"),
        (
            {
                "message": {
                    "content": [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}]
                }
            },
            "42",
        ),
        ({"message": {"role": "assistant"}}, ""),
        ({"text": " 42"}, " 42"),
        ({"message": {"content": "a\ud800b"}}, "a\ud800b"),
    ],
)
def test_layouts_of_text(served, choice, text):
    found = one(served, lambda call: status(200, {"choices": [choice]}))
    assert found == Answer(text=text)


def test_log_probabilities_of_chats(served):
    top = [{"token": "3", "logprob": -1.5}, {"token": "2", "logprob": -0.25}]
    logprobs = {
        "content": [{"token": "2", "logprob": -0.25, "bytes": [50], "top_logprobs": top}]
    }
    found = one(served, lambda call: answer("2", logprobs=logprobs))
    expected = TokenLogprob("2", -0.25, (Choice("2", -0.25), Choice("3", -1.5)))
    assert found.logprobs == (expected,)


def test_log_probabilities_of_prompts(served):
    logprobs = {
        "tokens": ["1", "2"],
        "token_logprobs": [-0.5, -0.25],
        "top_logprobs": [None, {"3": -1.5, "2": -0.25}],
        "text_offset": [0, 1],
    }
    found = one(served, lambda call: answer("12", logprobs=logprobs), prompt("a"))
    assert found.logprobs == (
        TokenLogprob("1", -0.5),
        TokenLogprob("2", -0.25, (Choice("2", -0.25), Choice("3", -1.5))),
    )


@pytest.mark.parametrize("logprobs", [{"content": [{"text": "2"}]}, {"tokens": [1]}, [2], {}])
def test_log_probabilities_that_cannot_be_read(served, logprobs):
    assert one(served, lambda call: answer("2", logprobs=logprobs)).logprobs == ()


def test_a_failure_within_an_answer(served):
    with pytest.raises(TryAgain, match="overloaded"):
        one(served, lambda call: answer("2", error={"message": "overloaded"}))


def test_open_backend(served):
    server, _ = served()
    with open_backend(f"openai:{server.url}") as backend:
        assert backend.answer([chat("1")])[0].text == "answer to 1"
    with pytest.raises(UsageError, match="'nobody' is no backend"):
        open_backend("nobody:there")
    with pytest.raises(UsageError, match="does not say whom to ask: write openai:URL"):
        open_backend("openai:")


def test_usage_may_be_absent(served):
    body = {name: value for name, value in content("2").items() if name != "usage"}
    found = one(served, lambda call: status(200, body))
    assert (found.text, found.prompt_tokens, found.completion_tokens) == ("2", None, None)
