"""What tests of corpora share."""

import pytest

from tokkit.corpus import texts


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 64 bytes, so that small files have many."""
    monkeypatch.setattr(texts, "BLOCK", 64)
    monkeypatch.setattr(texts, "WINDOW", 16)
