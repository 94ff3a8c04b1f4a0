"""Reading what servers reply that speak as OpenAI's does, each a little differently."""

import json
from collections.abc import Mapping
from typing import Any

from tokkit.studies.asking.request import Answer, Choice, TokenLogprob

_LONGEST_WORDS = 300


def parse(text: str) -> dict[str, Any]:
    """Read a body.

    Raises:
        ValueError: If it is not a JSON object.
    """
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content


def status_of(status: int, content: Mapping[str, Any]) -> int:
    """Return the status of a reply; some proxies hide it in one whose status is 200."""
    error = content.get("error")
    if status < 300 and error:
        code = error.get("code") if isinstance(error, dict) else None
        return code if isinstance(code, int) and 300 <= code < 600 else 500
    return status


def words_of(content: Mapping[str, Any]) -> str:
    """Return what a server says about a failure, in one short line; empty if nothing."""
    error = content.get("error") or content
    said: Any = error
    if isinstance(error, dict):
        said = error.get("message") or error.get("detail") or error.get("msg") or ""
    line = " ".join((said if isinstance(said, str) else json.dumps(said)).split())
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 1] + "…"


def codes_of(content: Mapping[str, Any]) -> set[str]:
    """Return the names a server gives a failure, such as ``insufficient_quota``."""
    error = content.get("error")
    fields = (error.get("code"), error.get("type")) if isinstance(error, dict) else ()
    return {field for field in fields if isinstance(field, str)}


def read_answer(content: Mapping[str, Any]) -> Answer:
    """Read an answer to a chat or a prompt.

    A text that is absent, such as when a model thought until it had no tokens left, is empty;
    the finish reason says why. A refusal is an answer.

    Raises:
        ValueError: If there is none.
    """
    choices = content.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError("no choices")
    choice = choices[0]
    if choice.get("error"):
        raise ValueError(words_of(choice))
    usage = content.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Answer(
        text=_text(choice),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        finish_reason=choice.get("finish_reason"),
        logprobs=_logprobs(choice.get("logprobs")),
    )


def _text(choice: Mapping[str, Any]) -> str:
    """Return what a choice says."""
    if "message" not in choice:
        text = choice.get("text", "")
    elif not isinstance(choice["message"], dict):
        raise ValueError("no message")
    else:
        message = choice["message"]
        text = message.get("content") or message.get("refusal") or ""
    if isinstance(text, list):
        parts = [part for part in text if isinstance(part, dict)]
        text = "".join(str(part["text"]) for part in parts if part.get("text") is not None)
    if not isinstance(text, str):
        raise ValueError("the text is not a text")
    return text


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _logprobs(value: Any) -> tuple[TokenLogprob, ...]:
    """Read the tokens of an answer, in the layout of chats or of prompts.

    What is in neither layout is as good as absent: asking again would not change it.
    """
    if not isinstance(value, dict):
        return ()
    try:
        if value.get("content"):
            return tuple(map(_chat_token, value["content"]))
        if value.get("tokens"):
            return _prompt_tokens(value)
    except (AttributeError, KeyError, TypeError, ValueError):
        return ()
    return ()


def _chat_token(entry: Mapping[str, Any]) -> TokenLogprob:
    """Read ``{"token", "logprob", "top_logprobs": [{"token", "logprob"}, …]}``."""
    top = {each["token"]: each["logprob"] for each in entry.get("top_logprobs") or ()}
    return TokenLogprob(entry["token"], _logprob(entry["logprob"]), _likeliest_first(top))


def _prompt_tokens(value: Mapping[str, Any]) -> tuple[TokenLogprob, ...]:
    """Read ``{"tokens", "token_logprobs", "top_logprobs": [{token: logprob}, …]}``."""
    tokens = value["tokens"]
    tops = value.get("top_logprobs") or [None] * len(tokens)
    return tuple(
        TokenLogprob(token, _logprob(logprob), _likeliest_first(top or {}))
        for token, logprob, top in zip(tokens, value["token_logprobs"], tops, strict=True)
    )


def _likeliest_first(top: Mapping[str, float]) -> tuple[Choice, ...]:
    choices = [Choice(token, _logprob(logprob)) for token, logprob in top.items()]
    return tuple(sorted(choices, key=lambda choice: -choice.logprob))


def _logprob(value: Any) -> float:
    """Read a number; null is what servers give the first token of a text."""
    return float("nan") if value is None else float(value)
