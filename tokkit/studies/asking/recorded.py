"""Answers as columns of a table, in the form of the tables of arXiv 2402.14903."""

import json
from collections.abc import Mapping
from typing import Any

from tokkit.studies.asking.request import Answer, Choice, TokenLogprob

COLUMNS = (
    "response",
    "logprobs_json",
    "prompt_tokens",
    "completion_tokens",
    "finish_reason",
    "error",
)
"""What a row says of its answer."""


def write_columns(answer: Answer | None) -> dict[str, Any]:
    """Return what a row says of its answer; of one that nobody gave, nothing but the error."""
    if answer is None:
        return {**dict.fromkeys(COLUMNS), "error": "not asked"}
    told = answer.error is None
    return {
        "response": answer.text if told else None,
        "logprobs_json": _write_logprobs(answer),
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "finish_reason": answer.finish_reason,
        "error": answer.error,
    }


def read_columns(row: Mapping[str, Any]) -> Answer | None:
    """Return the answer that a row records; None if it has none.

    An answer of no characters is one if its tokens were counted: a CSV file cannot tell it
    from none otherwise.

    Raises:
        ValueError: If its log probabilities cannot be read.
    """
    response = row.get("response")
    counted = _count(row.get("completion_tokens")) is not None
    if not isinstance(response, str) or not (response or counted):
        return None
    return Answer(
        text=response,
        prompt_tokens=_count(row.get("prompt_tokens")),
        completion_tokens=_count(row.get("completion_tokens")),
        finish_reason=_text(row.get("finish_reason")),
        logprobs=_read_logprobs(row.get("logprobs_json")),
    )


def _write_logprobs(answer: Answer) -> str | None:
    """Write tokens as the published tables do, whose key says five however many there are."""
    if not answer.logprobs:
        return None
    return json.dumps(
        [
            {
                "token": step.token,
                "logprob": step.logprob,
                "top_5_logprobs": [choice._asdict() for choice in step.top],
            }
            for step in answer.logprobs
        ],
        ensure_ascii=False,
    )


def _read_logprobs(value: Any) -> tuple[TokenLogprob, ...]:
    steps = json.loads(value) if isinstance(value, str) and value else value
    if not isinstance(steps, list):
        return ()
    try:
        return tuple(
            TokenLogprob(
                step["token"],
                float(step["logprob"]),
                tuple(Choice(each["token"], float(each["logprob"])) for each in _top(step)),
            )
            for step in steps
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"log probabilities without {error}") from error


def _top(step: Mapping[str, Any]) -> list[Any]:
    return step.get("top_5_logprobs") or step.get("top_logprobs") or []


def _count(value: Any) -> int | None:
    """Read a number of tokens, which a CSV file has as text."""
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
