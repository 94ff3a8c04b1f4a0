"""Small tokenizers for tests: any byte strings, cut by longest match."""

import numpy as np

from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.align import align
from tokkit.transplant.context import Context, Settings
from tokkit.vocab import Vocabulary

BYTES = tuple(bytes([byte]) for byte in range(256))


def tokenizer(*tokens, specials=("<s>", "</s>"), first=BYTES):
    """All bytes, some tokens, and special tokens at the end."""
    texts = (*first, *tokens)
    names = {text: len(texts) + number for number, text in enumerate(specials)}
    unknown = 0 if first is not BYTES else None
    return Tokenizer(
        Vocabulary((*texts, *(b"" for _ in specials)), names), LongestMatch(texts, unknown)
    )


def context(source, target, *, roles=None, output_roles=None, overrides=None, **changes):
    """What a method is given for two tokenizers."""
    alignment = align(
        source, target, roles=roles, output_roles=output_roles, overrides=overrides
    )
    tokens = [target.vocab.tokens[i] for i in alignment.new]
    seed = changes.pop("seed", 0)
    parts = {k: changes.pop(k) for k in ("auxiliary", "corpus", "donor") if k in changes}
    settings = Settings(**changes)
    return Context(source, target, alignment, tokens, settings, seed, **parts)


def matrix(tokenizer, width=5, seed=0, extra=0):
    """A random matrix with a row for each id."""
    rows = len(tokenizer.vocab) + extra
    return np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)
