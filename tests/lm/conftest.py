"""A tokenizer of a few dozen tokens, made by the library that others use."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from tokkit import load

LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]


def write_tokenizer(folder: Path, specials=("<s>", "</s>")) -> Path:
    """Write a byte-level BPE with the letters, a few merges and special tokens first."""
    merges = [("t", "h"), ("th", "e"), ("i", "n"), ("a", "n")]
    tokens = [*specials, "Ġ", *LETTERS, *("".join(pair) for pair in merges)]
    bpe = models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges)
    tokenizer = Tokenizer(bpe)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(specials))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    return load(write_tokenizer(tmp_path_factory.mktemp("tokenizer")))


@pytest.fixture(scope="session")
def bare_tokenizer(tmp_path_factory):
    return load(write_tokenizer(tmp_path_factory.mktemp("bare"), specials=()))
