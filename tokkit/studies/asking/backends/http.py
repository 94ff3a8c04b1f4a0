"""Sending JSON to a server, with a time limit that nothing gets around."""

import asyncio
import logging
import ssl
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from tokkit.errors import MissingExtraError, UsageError
from tokkit.studies.asking.backends.address import Address, Redaction
from tokkit.studies.asking.request import TryAgain

_CONNECTING = 10.0
"""The most seconds that making a connection may take."""


class Reply(NamedTuple):
    """What a server replied.

    Attributes:
        status: Of HTTP.
        headers: Without regard to case.
        text: The body, without secrets.
    """

    status: int
    headers: Mapping[str, str]
    text: str


class Client:
    """Connections to one server, shared by threads.

    The work is done in an event loop in a thread of its own: only there a request can be
    stopped at any point, such as when a server sends a byte now and then, for ever.

    Args:
        address: Where the server is.
        key: What to be let in with, if anything.
        connections: The most at once.
        timeout: After how many seconds a request is given up, however far it got.

    Raises:
        MissingExtraError: If httpx is not installed.
        UsageError: If the key cannot be sent.
    """

    def __init__(self, address: Address, key: str, *, connections: int, timeout: float) -> None:
        httpx = _httpx()
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise UsageError("the key of the server has characters that no key has")
        self.address = address
        self.timeout = timeout
        self.redact = Redaction([key, *address.secrets()])
        self._query = f"?{address.query}" if address.query else ""
        self._client = httpx.AsyncClient(
            auth=address.login,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx.Limits(max_connections=connections),
            timeout=httpx.Timeout(None, connect=min(timeout, _CONNECTING)),
            verify=_trusted(),
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="http")
        self._thread.start()
        # It logs the whole URL of each request.
        logging.getLogger("httpx").addFilter(self._hide)

    def send(self, path: str, content: Mapping[str, Any] | None = None) -> Reply:
        """Send a request, a POST if there is content, and wait for the whole reply.

        Raises:
            TryAgain: If there is no reply, or not in time.
        """
        sending = self._send(path, content)
        return asyncio.run_coroutine_threadsafe(sending, self._loop).result()

    def close(self) -> None:
        """Close all connections."""
        if not self._loop.is_closed():
            closing = self._client.aclose()
            asyncio.run_coroutine_threadsafe(closing, self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            logging.getLogger("httpx").removeFilter(self._hide)

    async def _send(self, path: str, content: Mapping[str, Any] | None) -> Reply:
        """Do what `send` says, in the event loop."""
        httpx = _httpx()
        place, method = self.address.base, "GET" if content is None else "POST"
        url = f"{place}{path}{self._query}"
        try:
            async with asyncio.timeout(self.timeout):
                response = await self._client.request(method, url, json=content)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            reason = f"nothing answers at {place} ({self._describe(error)})"
            raise TryAgain(reason, unreachable=True) from None
        except (TimeoutError, httpx.TimeoutException):
            reason = f"{place} did not answer within {self.timeout:g} seconds"
            raise TryAgain(reason, billed=True) from None
        except httpx.HTTPError as error:
            reason = f"the connection to {place} broke ({self._describe(error)})"
            raise TryAgain(reason, billed=True) from None
        text = response.content.decode("utf-8", "replace")
        return Reply(response.status_code, response.headers, self.redact(text))

    def _describe(self, error: Exception) -> str:
        return self.redact(" ".join(str(error).split())) or type(error).__name__

    def _hide(self, record: logging.LogRecord) -> bool:
        """Keep secrets out of what httpx logs."""
        record.msg, record.args = self.redact(record.getMessage()), ()
        return True


def _httpx() -> Any:
    try:
        import httpx
    except ImportError as error:
        raise MissingExtraError("httpx", "servers") from error
    return httpx


@cache
def _trusted() -> ssl.SSLContext:
    """Return which certificates are believed: it takes a tenth of a second to read them."""
    context: ssl.SSLContext = _httpx().create_ssl_context()
    return context
