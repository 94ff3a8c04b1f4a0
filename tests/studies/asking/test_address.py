"""Addresses of servers: every way to write them, and what must not be read of them."""

import pytest

from tokkit.errors import UsageError
from tokkit.studies.asking.backends.address import Address, Redaction


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("localhost:8000", "http://localhost:8000/v1"),
        ("127.0.0.1:8000/", "http://127.0.0.1:8000/v1"),
        ("[::1]:8000", "http://[::1]:8000/v1"),
        ("api.openai.com", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("http://HOST:80/v1/chat/completions", "http://host:80/v1"),
        ("http://host/v1/completions?a=b", "http://host/v1"),
        ("https://host/api", "https://host/api/v1"),
        ("https://host/api/v1", "https://host/api/v1"),
        ("https://host/v1beta/openai/", "https://host/v1beta/openai"),
        ("https://host/deployments/d/chat/completions", "https://host/deployments/d"),
        ("https://host/v1/models", "https://host/v1"),
        ("https://someone:secret@host:1/", "https://host:1/v1"),
    ],
)
def test_addresses(url, base):
    assert Address.parse(url).base == base


@pytest.mark.parametrize(
    "url", ["", "http://", "ftp://host", "http://host:port", "http://[::1"]
)
def test_what_is_no_address(url):
    with pytest.raises(UsageError, match="cannot be read"):
        Address.parse(url)


def test_no_part_of_a_secret_is_shown():
    address = Address.parse("https://someone:secret-word@host/v1?key=query-secret&v=1")
    assert address.query == "key=query-secret&v=1"
    assert address.login == ("someone", "secret-word")
    assert repr(address) == "Address(base='https://host/v1')"
    # The middle one is what goes over the line: base64 of "someone:secret-word".
    hidden = Redaction(address.secrets())
    text = "secret-word, c29tZW9uZTpzZWNyZXQtd29yZA== and query-secret, v=1"
    assert hidden(text) == "[key], [key] and [key], v=1"
    assert "secret" not in repr(hidden)


def test_secrets_that_a_url_cannot_have_as_they_are():
    address = Address.parse("https://me:a%2Fb%40cdefg@host/?key=x%2By+z-12345")
    assert address.login == ("me", "a/b@cdefg")
    hidden = Redaction(address.secrets())
    assert hidden("a/b@cdefg x+y z-12345 x%2By+z-12345") == "[key] [key] [key]"


def test_what_is_no_secret_stays():
    assert Redaction(["", "none", "1234567890"])("none: 1234567890") == "none: 1234567890"


def test_a_secret_within_another_leaves_nothing_of_it():
    assert Redaction(["abcdefgh", "abcdefgh-ijkl"])("abcdefgh-ijkl") == "[key]"
