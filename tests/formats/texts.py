"""Texts to compare tokenizers on."""

import random

from tokkit.formats.check import awkward_texts
from tokkit.tokenizer import Tokenizer


def awkward_and_random(tokenizer: Tokenizer, count: int, seed: int = 0) -> list[str]:
    """The awkward texts, and random ones of characters and of the tokenizer's own tokens."""
    source = random.Random(seed)
    tokens = [token.decode("utf-8", "ignore") for token in tokenizer.vocab.tokens]
    texts = awkward_texts(tokenizer)
    for _ in range(count):
        parts = [
            source.choice(tokens)
            if source.random() < 0.7
            else source.choice((" ", "▁", "\n", chr(source.randrange(1, 0x3000)), "👍", "쀍"))
            for _ in range(source.randrange(1, 12))
        ]
        texts.append("".join(parts))
    return texts
