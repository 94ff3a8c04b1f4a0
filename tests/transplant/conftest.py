"""Tokenizers that tests of transplanting share."""

import pytest

import tokkit

PATHS = {
    "llama2": "llama2/tokenizer.model",
    "llama3": "hf/llama3",
    "gpt2": "hf/gpt2",
    "cl100k": "hf/cl100k",
}


@pytest.fixture(scope="session")
def real(shared):
    """Load a real tokenizer by its short name; each once."""
    loaded = {}

    def load(name):
        if name not in loaded:
            loaded[name] = tokkit.load(shared / "tokenizers" / PATHS[name])
        return loaded[name]

    return load
