"""Small corpora for learning."""

import json

import pytest

from tokkit.corpus import open_corpus


@pytest.fixture(scope="session")
def shakespeare(shared, tmp_path_factory):
    """The first 300 kB of Tiny Shakespeare: a corpus of speeches, and their texts."""
    text = (shared / "corpora" / "tiny_shakespeare.txt").read_text()[:300_000]
    speeches = text.split("\n\n")
    path = tmp_path_factory.mktemp("corpus") / "speeches.jsonl"
    path.write_text("".join(json.dumps({"text": speech}) + "\n" for speech in speeches))
    return open_corpus([path]), speeches
