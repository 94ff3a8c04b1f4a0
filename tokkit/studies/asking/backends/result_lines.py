"""Lines of result files, in the layouts of the providers and of public transcripts.

OpenAI and those who do as it does: ``{"custom_id", "response": {"status_code", "body"},
"error"}``, in output and error files alike. Anthropic: ``{"custom_id", "result": {"type",
"message" or "error"}}``. Transcripts of arXiv 2410.19730: ``{"id", "result": TEXT}`` and
``{"id", "response": TEXT}``.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokkit.studies.asking.backends.openai_replies import read_answer, words_of
from tokkit.studies.asking.request import Answer

_SHOWN = 5
_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}
"""What Anthropic calls why an answer ended, and what OpenAI does."""
_log = logging.getLogger("tokkit")


@dataclass
class BadLines:
    """Lines that could not be read.

    Attributes:
        reasons: Where each is and what is wrong with it, as ``FILE:LINE: REASON``.
    """

    reasons: list[str] = field(default_factory=list)

    def log(self) -> None:
        """Name the first of them on the logger ``tokkit``, and count the rest."""
        for reason in self.reasons[:_SHOWN]:
            _log.warning("%s", reason)
        if len(self.reasons) > _SHOWN:
            _log.warning("%d more lines cannot be read", len(self.reasons) - _SHOWN)


def read_objects(path: Path, bad: BadLines) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the content of each line that is a JSON object; note the others."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                content = json.loads(line)
            except ValueError as error:
                cut = "" if line.endswith(b"\n") else " (the file is cut off?)"
                bad.reasons.append(f"{path}:{number}: not JSON: {error}{cut}")
                continue
            if isinstance(content, dict):
                yield number, content
            else:
                bad.reasons.append(f"{path}:{number}: not a JSON object")


def read_results(path: Path, bad: BadLines) -> Iterator[tuple[str, Answer]]:
    """Yield what each result of a file is called, and the answer; note lines that have none."""
    for number, content in read_objects(path, bad):
        name = name_of(content)
        try:
            answer = read_result(content)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            bad.reasons.append(f"{path}:{number}: no result of a batch ({error})")
            continue
        if name is None:
            bad.reasons.append(f"{path}:{number}: a result without custom_id")
        else:
            yield name, answer


def name_of(content: Mapping[str, Any]) -> str | None:
    """Return what a line calls its request."""
    found = next((content[key] for key in ("custom_id", "key", "id") if key in content), None)
    return str(found) if isinstance(found, str | int) else None


def read_result(content: Mapping[str, Any]) -> Answer:
    """Return the answer, or the error, that a line has.

    Raises:
        ValueError: If it has neither.
    """
    if isinstance(content.get("result"), Mapping):
        return _anthropic(content["result"])
    if isinstance(content.get("response"), Mapping) or content.get("error"):
        return _openai(content)
    text = content.get("result", content.get("response"))
    if not isinstance(text, str):
        raise ValueError("neither a response nor a result nor an error")
    return Answer(text=text)


def _openai(content: Mapping[str, Any]) -> Answer:
    response = content.get("response") or {}
    body = response.get("body") or {}
    if response.get("status_code") == 200 and "choices" in body:
        return read_answer(body)
    words = words_of(content if content.get("error") else body)
    return Answer(
        error=f"{response.get('status_code') or 'no answer'}: {words or 'no reason given'}"
    )


def _anthropic(result: Mapping[str, Any]) -> Answer:
    kind = result.get("type")
    if kind != "succeeded":
        error = result.get("error") or {}
        words = (error.get("error") or error).get("message") or "no reason given"
        return Answer(error=f"{kind}: {words}")
    message = result["message"]
    parts: Sequence[Mapping[str, Any]] = message["content"]
    usage = message.get("usage") or {}
    reason = message.get("stop_reason")
    return Answer(
        text="".join(part.get("text", "") for part in parts if part.get("type") == "text"),
        prompt_tokens=usage.get("input_tokens"),
        completion_tokens=usage.get("output_tokens"),
        finish_reason=_REASONS.get(reason, reason),
    )
