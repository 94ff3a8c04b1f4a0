"""What tests of asking share."""

import pytest

from tests.studies.asking.server import FakeServer
from tokkit.studies.asking.backends.openai import OpenAIBackend


@pytest.fixture
def served():
    """Start a server with a behaviour, and a backend that asks it."""
    opened = []

    def start(behaviour=None, *, models=("small",), path="", **options):
        server = FakeServer(behaviour, models).__enter__()
        opened.append(server)
        backend = OpenAIBackend(server.url + path, **options)
        opened.insert(0, backend)
        return server, backend

    yield start
    for each in opened:
        each.__exit__(None, None, None)
