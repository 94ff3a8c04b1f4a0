"""Exact Markov chains over bytes, as sources, and tokenizers of a few tokens by hand."""

from itertools import pairwise

import numpy as np

from tokkit.added import Added, AddedTokens
from tokkit.byteprobs.results import END
from tokkit.errors import ImpossibleError
from tokkit.lm import Usage
from tokkit.segment.bpe import BPE
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

BYTES = [bytes([byte]) for byte in range(256)]


class Chain:
    """A source whose next outcome depends on the last byte: rows[None] at the beginning.

    `rows` maps a byte (or None) to probabilities of outcomes: ``{97: 0.5, END: 0.5}``.
    """

    def __init__(self, rows):
        self.rows = rows
        self.usage = Usage()

    def distribution(self, last):
        probs = np.zeros(END + 1)
        for outcome, p in self.rows.get(last, {}).items():
            probs[outcome] = p
        return probs

    def logprob(self, data, end=False):
        """The closed form, in plain Python."""
        outcomes = [None, *data, *([END] if end else [])]
        return sum(
            np.log(self.rows.get(last, {}).get(each, 0.0)) for last, each in pairwise(outcomes)
        )

    def stream(self, prefix=b""):
        stream = ChainStream(self)
        for byte in prefix.encode() if isinstance(prefix, str) else prefix:
            stream.push(byte)
        return stream


class ChainStream:
    def __init__(self, chain):
        self.chain = chain
        self.last = None
        self.logp_prefix = 0.0

    @property
    def logprobs(self):
        self.chain.usage.calls += 1
        with np.errstate(divide="ignore"):
            return np.log(self.chain.distribution(self.last))

    def push(self, byte):
        p = self.chain.rows.get(self.last, {}).get(byte, 0.0)
        if p == 0:
            raise ImpossibleError(f"{byte} after {self.last}")
        self.logp_prefix += float(np.log(p))
        self.last = byte


def letters(text="abc", end=0.1, first=None):
    """Every letter after every letter, in uneven proportions that differ from row to row."""
    codes = list(text.encode())
    rows = {}
    for number, last in enumerate([None, *codes]):
        weights = np.array([1.0 + (3 * number + 2 * place) % 5 for place in range(len(codes))])
        weights *= (1 - end) / weights.sum()
        rows[last] = dict(zip(codes, weights.tolist(), strict=True)) | {END: end}
    if first is not None:
        rows[None] = {ord(first): 1.0}
    return Chain(rows)


def fixed(text, end=True):
    """Exactly one text, byte by byte; each byte may occur once only."""
    data = text if isinstance(text, bytes) else text.encode()
    outcomes = [None, *data, END] if end else [None, *data, data[0]]
    return Chain({last: {after: 1.0} for last, after in pairwise(outcomes)})


def make_tokenizer(*specials, merges=()):
    """All bytes, merges, then special tokens, ``<s>`` and ``</s>`` first."""
    tokens = [*BYTES]
    rows = []
    for left, right in merges:
        rows.append((tokens.index(left), tokens.index(right), len(tokens)))
        tokens.append(left + right)
    names = ("<s>", "</s>", *specials)
    ids = {name: len(tokens) + place for place, name in enumerate(names)}
    spelled = (*tokens, *[b""] * len(names))
    return Tokenizer(
        Vocabulary(spelled, ids),
        BPE(spelled, np.array(rows, dtype=np.int32).reshape(-1, 3)),
        added=AddedTokens(tuple(Added(name, each) for name, each in ids.items())),
    )
