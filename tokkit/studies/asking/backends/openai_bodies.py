"""Requests as OpenAI and those who do as it does take them, one by one and in batches."""

from typing import Any

from tokkit.studies.asking.request import Request


def write_body(request: Request, model: str, limit: str) -> dict[str, Any]:
    """Write a request; what it leaves open is left to the server.

    Args:
        request: A chat or a prompt.
        model: The name of the model.
        limit: What the most tokens of an answer are called: ``"max_tokens"``, or
            ``"max_completion_tokens"`` for newer models.
    """
    decoding = request.decoding
    body: dict[str, Any] = {
        "model": model,
        "temperature": decoding.temperature,
        limit: decoding.max_tokens,
    }
    if decoding.seed is not None:
        body["seed"] = decoding.seed
    if decoding.stop:
        body["stop"] = list(decoding.stop)
    if request.messages:
        body["messages"] = [message._asdict() for message in request.messages]
        if decoding.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": decoding.top_logprobs}
        return body
    body["prompt"] = request.prompt
    if decoding.top_logprobs:
        body["logprobs"] = decoding.top_logprobs
    return body
