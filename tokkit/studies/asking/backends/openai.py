"""Servers that speak as OpenAI's does, as most do."""

from collections.abc import Sequence

from tokkit.studies.asking.request import Answer, Request


class OpenAIBackend:
    """A server with ``/v1/chat/completions`` or ``/v1/completions``.

    Args:
        url: Where it is, with or without ``/v1`` and what follows that.
        model: The name of the model; None: the only one the server has.
        key_variable: The environment variable with the key, if the server wants one.
        workers: How many requests may be under way at once.
        timeout: After how many seconds an attempt has failed, however far it got.
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
        self.model = f"{url} {model}"
        self.workers = workers
        self.timeout = timeout
        self.key_variable = key_variable

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Send a request and wait for its answer."""
        raise NotImplementedError
