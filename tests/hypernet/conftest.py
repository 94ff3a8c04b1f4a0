"""A tokenizer of a few merges, random models with it, and some text."""

import shutil

import numpy as np
import pytest

import tokkit
from tests.transplant import models
from tests.transplant.test_run import write_tokenizer

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
WORDS = ["the", "ing", "and", "Ġa", "Ġth", "Ġto"]


@pytest.fixture(scope="session")
def make_model(tmp_path_factory):
    """Write a random model with a tokenizer of its own, such as ``make_model("gpt2")``."""
    place = write_tokenizer(tmp_path_factory.mktemp("tokenizer"), WORDS, SPECIALS)
    config = (place / "tokenizer_config.json").read_text()[:-1]
    roles = ', "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"}'
    (place / "tokenizer_config.json").write_text(config + roles)
    size = len(tokkit.load(place))
    made = {}

    def make(name="llama", **changes):
        key = name, tuple(sorted(changes.items()))
        if key not in made:
            folder = tmp_path_factory.mktemp(name)
            models.save(name, folder, vocab_size=size, seed=3, **changes)
            for path in place.iterdir():
                shutil.copy(path, folder)
            made[key] = folder
        return made[key]

    return make


@pytest.fixture(scope="session")
def documents():
    """Sentences of few words, drawn at random: 60 documents."""
    words = b"the thing and another to sing then that string of ants in the den".split()
    chance = np.random.default_rng(5)
    return [
        b" ".join(words[each] for each in chance.integers(0, len(words), 40)) + b"\n"
        for _ in range(60)
    ]
