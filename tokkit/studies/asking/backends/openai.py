"""Servers that speak as OpenAI's does, as most do."""

import os
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NoReturn

from tokkit.errors import JobError, ModelError, UsageError
from tokkit.studies.asking.backends.address import Address
from tokkit.studies.asking.backends.http import Client, Reply
from tokkit.studies.asking.backends.openai_bodies import write_body
from tokkit.studies.asking.backends.openai_replies import (
    codes_of,
    parse,
    read_answer,
    status_of,
    words_of,
)
from tokkit.studies.asking.backends.patience import requested_wait
from tokkit.studies.asking.request import Answer, Request, TryAgain

_NO_MONEY = {"insufficient_quota", "billing_not_active", "billing_hard_limit_reached"}
_SHOWN_MODELS = 10


class OpenAIBackend:
    """A server with ``/v1/chat/completions`` for chats and ``/v1/completions`` for prompts.

    The key is read from the environment, sent to the server, and nowhere else: it is taken
    out of whatever the server says, and what of the URL may be a key is treated alike.

    Args:
        url: Where it is, with or without ``/v1`` and the path of an endpoint.
        model: The name of the model; None: the only one the server has.
        key_variable: The environment variable with the key, if the server wants one.
        workers: How many requests may be under way at once.
        timeout: After how many seconds an attempt has failed, however far it got.

    Attributes:
        model: The address of the server and the name of the model.

    Raises:
        UsageError: If the URL or the key cannot be used, or the server has several models.
        ModelError: If the server does not say which models it has.
        MissingExtraError: If httpx is not installed.
    """

    batch_size = 1
    keeps = True

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        key_variable: str = "OPENAI_API_KEY",
        workers: int = 8,
        timeout: float = 120.0,
    ) -> None:
        key = os.environ.get(key_variable, "").strip()
        address = Address.parse(url)
        self.workers = workers
        self._place = address.base
        self._key_variable = key_variable
        self._has_key = bool(key)
        self._limit_name = "max_tokens"
        self._client = Client(address, key, connections=workers, timeout=timeout)
        try:
            self._name = model or self._only_model()
        except BaseException:
            self.close()
            raise
        self.model = f"{self._place} {self._name}"

    def __enter__(self) -> "OpenAIBackend":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Send a request, one at a time, and wait for its answer.

        Raises:
            TryAgain: After 408, 409, 425, 429 and 5xx, without an answer in time, and if what
                came is no answer.
            ModelError: After 401, 403 and 404, and where the server sends one elsewhere.
            JobError: If there is no money left.
        """
        [request] = requests
        path = "/chat/completions" if request.messages else "/completions"
        body = write_body(request, self._name, self._limit_name)
        reply = self._client.send(path, body)
        try:
            content = parse(reply.text)
            status = status_of(reply.status, content)
            if status < HTTPStatus.MULTIPLE_CHOICES:
                return [read_answer(content)]
        except ValueError as error:
            if reply.status < HTTPStatus.MULTIPLE_CHOICES:
                reason = f"what {self._place} sent is no answer ({error})"
                raise TryAgain(reason, billed=True) from None
            content, status = {}, reply.status
        return [self._refused(status, reply, content, body)]

    def _refused(
        self, status: int, reply: Reply, content: dict[str, Any], body: dict[str, Any]
    ) -> Answer:
        """Say what a failure means: for this request, for this attempt, or for all of them."""
        words = words_of(content)
        said = f"{self._place} says {status}" + (f" ({words})" if words else "")
        if status == HTTPStatus.BAD_REQUEST and self._knows_another_limit(words, body):
            raise TryAgain(said, after=0.0)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            self._not_let_in(status, said)
        if status == HTTPStatus.NOT_FOUND or status < HTTPStatus.BAD_REQUEST:
            raise ModelError(f"{said}: see that the URL and the model's name are right")
        if status == HTTPStatus.PAYMENT_REQUIRED or codes_of(content) & _NO_MONEY:
            raise JobError(f"{said}: pay, then run the same again; what was answered is kept")
        if status in (408, 409, 425, 429) or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            after = requested_wait(reply.headers)
            crowded = status == HTTPStatus.TOO_MANY_REQUESTS or after is not None
            raise TryAgain(said, after=after, everyone=crowded)
        return Answer(error=said)

    def _knows_another_limit(self, words: str, body: dict[str, Any]) -> bool:
        """Whether the server wants the number of tokens under its newer name; so be it."""
        if "max_tokens" in body and "max_completion_tokens" in words:
            self._limit_name = "max_completion_tokens"
            return True
        return False

    def _not_let_in(self, status: int, said: str) -> NoReturn:
        """Say which key is wrong; what servers say then may quote parts of it."""
        if not self._has_key:
            problem = "wants a key: put it into"
        elif status == HTTPStatus.FORBIDDEN:
            raise ModelError(f"{said}: see what the key in {self._key_variable} may do")
        else:
            problem = "refuses the key: put the right one into"
        raise ModelError(f"{self._place} {problem} {self._key_variable} ({status})")

    def _only_model(self) -> str:
        """Ask the server for its model."""
        try:
            reply = self._client.send("/models")
            if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                self._not_let_in(reply.status, f"{self._place} says {reply.status}")
            names = sorted(str(each["id"]) for each in parse(reply.text)["data"])
        except TryAgain as failure:
            raise ModelError(f"{failure.reason}: see that the server runs") from None
        except (ValueError, KeyError, TypeError):
            names = []
        if len(names) == 1:
            return names[0]
        if not names:
            raise ModelError(f"{self._place} does not say which models it has: name one")
        shown = ", ".join(names[:_SHOWN_MODELS]) + (", …" if len(names) > _SHOWN_MODELS else "")
        raise UsageError(f"{self._place} has {len(names)} models: name one of {shown}")
