"""Keys: sent to the server, and nowhere else."""

import logging

import pytest

from tests.studies.asking.questions import QUICK, chat
from tests.studies.asking.server import answer, status
from tokkit.errors import UsageError
from tokkit.studies.asking import AnswerCache, ask
from tokkit.studies.asking.backends.openai import OpenAIBackend

KEY = "sk-test-0123456789abcdef"


def test_the_key_is_nowhere(served, monkeypatch, tmp_path, caplog, capfd):
    """A server that repeats all it was sent, a URL with secrets, and every log there is."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)

    def behaviour(call):
        told = f"{call.headers.get('Authorization')} {call.path}"
        if call.problem == "bad":
            return status(400, {"error": {"message": told}})
        return status(500, told) if call.number == 1 else answer(told)

    server, backend = served(behaviour, model="small", path="/v1?api_key=query-secret-1")
    address = server.url.replace("//", "//user-name-1:password-1@")
    with (
        OpenAIBackend(f"{address}/v1?key=query-secret-2", "small") as other,
        AnswerCache(tmp_path / "cache") as cache,
    ):
        results = [
            ask([chat("good"), chat("bad")], each, cache=cache, pace=QUICK)
            for each in (backend, other)
        ]
        told = repr((results, backend, vars(backend), other, vars(other), other.model))
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    [first, *_] = server.calls
    assert first.headers["Authorization"] == f"Bearer {KEY}"
    assert first.path.endswith("?api_key=query-secret-1")
    login = next(call for call in server.calls if "secret-2" in call.path)
    assert login.headers["Authorization"].startswith("Basic ")
    captured = capfd.readouterr()
    logged = "".join(str(vars(record)) for record in caplog.records)
    everything = [
        told,
        caplog.text,
        logged,
        captured.out,
        captured.err,
        files.decode("latin-1"),
    ]
    for secret in (KEY, "query-secret", "password-1", login.headers["Authorization"][6:]):
        assert not any(secret in text for text in everything)
    assert "[key]" in told


def test_a_key_that_cannot_be_sent_is_not_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret\nsecond line")
    with pytest.raises(UsageError) as raised:
        OpenAIBackend("localhost:1", "small")
    assert "secret" not in str(raised.value)
