"""Where a server is, and what of that nobody may read."""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, unquote_plus, urlsplit, urlunsplit

from tokkit.errors import UsageError

HIDDEN = "[key]"
_ENDPOINT = re.compile(r"/(chat/completions|completions|models)$")
_VERSION = re.compile(r"/v\d")
_LOCAL = re.compile(r"(localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\])(:|/|$)")
_SHORTEST_SECRET = 8
"""Shorter keys are words such as "none" for servers that want no key, and occur in answers."""


@dataclass(frozen=True)
class Address:
    """A server that can be spoken of without telling its secrets.

    Attributes:
        base: Its URL up to the version, such as ``https://api.openai.com/v1``: without user,
            password or query.
        query: What followed the question mark, which every request repeats.
        login: A user and a password, if the URL had them.
    """

    base: str
    query: str = field(default="", repr=False)
    login: tuple[str, str] | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read a URL, which may or may not have ``/v1``, and the path of an endpoint.

        ``localhost:8000``, ``http://localhost:8000/`` and
        ``http://localhost:8000/v1/chat/completions`` are the same address. A path that ends
        in an endpoint is believed; others get ``/v1`` if they have no version.

        Raises:
            UsageError: If it is no URL of a server.
        """
        whole = url if "://" in url else f"{'http' if _LOCAL.match(url) else 'https'}://{url}"
        try:
            parts = urlsplit(whole)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in ("http", "https") or not host:
            raise UsageError(
                "the address of the server cannot be read: give one such as "
                "http://localhost:8000/v1"
            )
        place = f"[{host}]" if ":" in host else host
        path = parts.path.rstrip("/")
        shorter = _ENDPOINT.sub("", path)
        if shorter == path and not _VERSION.search(path):
            shorter += "/v1"
        base = (parts.scheme, f"{place}:{port}" if port else place, shorter, "", "")
        has_login = parts.username is not None or parts.password is not None
        login = (unquote(parts.username or ""), unquote(parts.password or ""))
        return cls(urlunsplit(base), parts.query, login if has_login else None)

    def secrets(self) -> list[str]:
        """Return whatever in the URL may be a key, as it is written and as it is meant."""
        written = [part.partition("=")[2] for part in self.query.split("&")]
        found = [*written, *map(unquote_plus, written)]
        if self.login:
            pair = ":".join(self.login).encode()
            found += [*self.login, *map(quote, self.login), base64.b64encode(pair).decode()]
        return found


class Redaction:
    """Takes secrets out of texts.

    Args:
        secrets: What must not be read. Words of less than 8 characters and mere numbers are
            left: as a key they protect nothing, and answers may have them.
    """

    def __init__(self, secrets: list[str]) -> None:
        kept = {
            each for each in secrets if len(each) >= _SHORTEST_SECRET and not each.isdigit()
        }
        longest_first = sorted(kept, key=lambda secret: (-len(secret), secret))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def __call__(self, text: str) -> str:
        """Return a text without secrets."""
        return self._pattern.sub(HIDDEN, text)

    def __repr__(self) -> str:
        return "Redaction(…)"
