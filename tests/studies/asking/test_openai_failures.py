"""Servers that fail: what is tried again, what ends the job, and how fast is asked."""

import itertools
import time

import pytest

from tests.studies.asking.questions import ask_all
from tests.studies.asking.server import (
    FakeServer,
    answer,
    drip,
    drop,
    hang,
    hang_after_headers,
    slow,
    status,
)
from tokkit.errors import JobError, ModelError
from tokkit.studies.asking import Pace
from tokkit.studies.asking.backends.openai import OpenAIBackend

ONCE = [
    pytest.param(status(429), id="429"),
    pytest.param(status(429, Retry_After="0"), id="429 with Retry-After"),
    *(pytest.param(status(code), id=str(code)) for code in (408, 409, 500, 502, 503, 529)),
    pytest.param(status(502, "<html>Bad Gateway</html>"), id="HTML"),
    pytest.param(status(200, '{"choices": [{"mess'), id="cut JSON"),
    pytest.param(status(200, "[]"), id="a list"),
    pytest.param(status(200, ""), id="no body"),
    pytest.param(status(200, {"choices": []}), id="no choices"),
    pytest.param(status(200, {"choices": [{"message": None}]}), id="no message"),
    pytest.param(status(200, {"error": {"code": 429, "message": "busy"}}), id="hidden 429"),
    pytest.param(status(200, {"error": "broken"}), id="hidden failure"),
    pytest.param(drop, id="dropped connection"),
    pytest.param(hang, id="hanging"),
    pytest.param(hang_after_headers, id="hanging after headers"),
    pytest.param(drip, id="dripping"),
]


@pytest.mark.parametrize("failure", ONCE)
def test_what_is_tried_again(served, failure):
    """Each of six problems fails once: all are answered by the second attempt."""
    server, backend = served(
        lambda call: failure if call.number == 1 else answer(call.problem),
        timeout=1.0 if failure in (hang, hang_after_headers, drip) else 30.0,
    )
    began = time.monotonic()
    asked = ask_all(backend, "abcdef")
    assert [each.text for each in asked.answers] == list("abcdef")
    assert set(server.counts().values()) == {2}
    assert asked.account.attempts == 12
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("failure", [status(500), hang, status(200, "no")])
def test_after_the_last_attempt_the_answer_is_an_error(served, failure):
    server, backend = served(
        lambda call: failure if call.problem == "b" else answer("fine"),
        timeout=0.5 if failure is hang else 30.0,
    )
    asked = ask_all(backend, "abc", Pace(tries=3, first_wait=0.01))
    assert [each.error is None for each in asked.answers] == [True, False, True]
    assert "(3 attempts)" in asked.answers[1].error
    assert server.counts() == {"a": 1, "b": 3, "c": 1}
    assert asked.account.failed == 1


def test_refusals_count_where_nobody_is_answered(served):
    server, backend = served(lambda call: status(429))
    asked = ask_all(backend, "b", Pace(tries=3, first_wait=0.01))
    assert asked.answers[0].error.endswith("says 429 (no) (3 attempts)")
    assert server.counts() == {"b": 3}


@pytest.mark.parametrize("code", [400, 413, 422])
def test_a_request_that_is_refused_is_not_sent_again(served, code):
    bad = status(code, {"error": {"message": "context length exceeded"}})
    server, backend = served(lambda call: bad if call.problem == "b" else answer("fine"))
    asked = ask_all(backend, "abc")
    assert asked.answers[1].error == f"{server.url}/v1 says {code} (context length exceeded)"
    assert server.counts() == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize(
    ("code", "error", "kind", "words"),
    [
        (
            401,
            "Incorrect: sk-te**cdef",
            ModelError,
            "refuses the key: .*OPENAI_API",
        ),
        (403, "not in your country", ModelError, "not in your country"),
        (404, "no model small", ModelError, "no model small.*see that the URL"),
        (402, "empty", JobError, "empty.*pay"),
        (307, "", ModelError, "says 307"),
    ],
)
def test_what_ends_the_job(served, monkeypatch, code, error, kind, words):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    server, backend = served(lambda call: status(code, {"error": {"message": error}}))
    with pytest.raises(kind, match=words) as raised:
        ask_all(backend, map(str, range(100)))
    assert "sk-" not in str(raised.value)
    assert len(server.calls) <= backend.workers


def test_no_money_ends_the_job(served):
    body = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    server, backend = served(lambda call: status(429, body), workers=1)
    with pytest.raises(JobError, match="exceeded your quota"):
        ask_all(backend, "ab")
    assert len(server.calls) == 1


def test_a_missing_key_is_asked_for(served, monkeypatch):
    monkeypatch.delenv("OTHER_KEY", raising=False)
    _, backend = served(lambda call: status(401), key_variable="OTHER_KEY")
    with pytest.raises(ModelError, match="wants a key: put it into OTHER_KEY"):
        ask_all(backend, "a")


def test_a_server_that_is_not_there():
    with FakeServer() as server:
        url = server.url
    with pytest.raises(ModelError, match="nothing answers at http://127"):
        OpenAIBackend(url)
    with (
        OpenAIBackend(url, "small", workers=2) as backend,
        pytest.raises(JobError, match=r"nothing answers.* 3 times in a row"),
    ):
        ask_all(backend, "abcd", Pace(tries=3, first_wait=0.01))


def test_too_many_requests_stop_all_workers(served):
    """While one problem is to wait a second, no other is asked."""
    wait, slack = 1.0, 0.4

    def behaviour(call):
        if call.problem == "0" and call.number == 1:
            return status(429, Retry_After=str(wait))
        return slow(0.02, answer(call.problem))

    server, backend = served(behaviour, workers=4)
    ask_all(backend, map(str, range(40)))
    times = [call.at for call in server.calls]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    refused = next(call.at for call in server.calls if call.problem == "0")
    at_gap = times[gaps.index(max(gaps))]
    assert max(gaps) > wait - slack
    assert at_gap - refused < slack
    assert all(not refused + slack < at < refused + wait for at in times)


def test_a_wait_of_a_day_ends_the_job(served):
    _, backend = served(lambda call: status(429, Retry_After="86400"))
    with pytest.raises(JobError, match="86,400 seconds"):
        ask_all(backend, "a")


def test_requests_per_minute_as_the_server_sees_them(served, monkeypatch):
    """A minute of 1.2 seconds, 30 requests in any: 75 take two minutes and a half."""
    monkeypatch.setattr("tokkit.studies.asking.pace.MINUTE", 1.2)
    monkeypatch.setattr("tokkit.studies.asking.pace.LEEWAY", 0.1)

    def behaviour(call):
        return status(500) if call.number == 1 and int(call.problem) % 5 == 0 else answer("a")

    server, backend = served(behaviour)
    began = time.monotonic()
    ask_all(backend, map(str, range(60)), Pace(rpm=30, first_wait=0.01))
    assert 1.9 < time.monotonic() - began < 15
    times = sorted(call.at for call in server.calls)
    assert len(times) == 72
    assert most_in_any(times, 1.2) <= 30


def most_in_any(times, window):
    return max(sum(begin <= at < begin + window for at in times) for begin in times)
