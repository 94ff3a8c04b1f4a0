"""Pairs accepts exactly what real tokenizers write."""

import gzip
import json
from itertools import pairwise

import numba
import numpy as np
import pytest

from tests.reference import pairs as reference
from tokkit.canonical.pairs import Pairs, supports
from tokkit.canonical.protocols import NEVER
from tokkit.formats import load
from tokkit.pretokenize import Pieces
from tokkit.vocab import flatten

pytestmark = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="slow without compilation"
)


def cut(segmenter, pieces):
    ids, ends = segmenter.segment(Pieces(*flatten(pieces)))
    return [tuple(part.tolist()) for part in np.split(ids, ends)[: len(pieces)]]


FILES = {
    "gpt2": "tokenizers/hf/gpt2",
    "cl100k": "tokenizers/hf/cl100k",
    "o200k": "tokenizers/hf/o200k",
    "llama3": "tokenizers/hf/llama3",
    "superbpe": "tokenizers/superbpe_180k_200k",
    "llama2": "tokenizers/llama2/tokenizer.model",
    "mistral": "tokenizers/mistral/tokenizer.model.v1",
}


@pytest.fixture(scope="module", params=FILES)
def real(request, shared):
    tokenizer = load(shared / FILES[request.param])
    assert supports(tokenizer.segmenter)
    return tokenizer, Pairs(tokenizer.segmenter, tokenizer.vocab.tokens)


@pytest.fixture(scope="module")
def texts(shared):
    with gzip.open(shared / "corpora" / "code.jsonl.gz", "rt") as lines:
        code = [json.loads(next(lines)) for _ in range(5)]
    rights = (shared / "corpora" / "udhr.jsonl").read_text().splitlines()
    return [
        (shared / "corpora" / "wikitext2_valid.txt").read_text()[:60_000],
        *(record["text"][:5_000] for record in code),
        *(json.loads(line)["segments"]["preamble"] for line in rights),
    ]


def crossings(segmenter, tokens, count, rng):
    """Pairs at the cuts through tokens and neighbours: their spines have much in common."""
    by_bytes = segmenter.units == "bytes"
    chosen = rng.choice(tokens, (count, 2))
    lefts, rights = [], []
    for first, second in chosen.tolist():
        whole = segmenter.spellings[first] + segmenter.spellings[second]
        units = [bytes([byte]) for byte in whole] if by_bytes else list(whole.decode())
        cut_at = int(rng.integers(1, len(units)))
        empty = b"" if by_bytes else ""
        left, right = empty.join(units[:cut_at]), empty.join(units[cut_at:])
        lefts.append(left if by_bytes else left.encode())
        rights.append(right if by_bytes else right.encode())
    found = zip(cut(segmenter, lefts), cut(segmenter, rights), strict=True)
    return [(left[-1], right[0]) for left, right in found]


def test_real_pairs(real):
    tokenizer, pairs = real
    segmenter = tokenizer.segmenter
    rng = np.random.default_rng(0)
    spelled = [i for i, token in enumerate(segmenter.spellings[: segmenter.size]) if token]
    chosen = [*crossings(segmenter, spelled, 6_000, rng)]
    chosen += rng.choice(spelled, (2_000, 2)).tolist()
    unmade = [token for token in spelled if not pairs.begins[token]][:500]
    chosen += [(spelled[0], token) for token in unmade]
    both = [segmenter.spellings[left] + segmenter.spellings[right] for left, right in chosen]
    invalid = 0
    for (left, right), ids in zip(chosen, cut(segmenter, both), strict=True):
        state = reference.run(pairs.begin, pairs.follow, (left, right))
        ends = state != NEVER and pairs.may_end(state)
        assert ends == (ids == (left, right)), (left, right)
        assert (state != NEVER) == bool(
            pairs.begins[left] and pairs.following(pairs.begin(left))[right]
        )
        invalid += not ends
    assert 1_200 < invalid < 6_000


def test_real_texts(real, texts):
    tokenizer, pairs = real
    space = b"\xe2\x96\x81" if tokenizer.segmenter.units == "characters" else b" "
    stretches = [text.encode().replace(b" ", space) for text in texts]
    pieces = tokenizer.pretokenizer.split(Pieces(*flatten(stretches)))
    ids, ends = tokenizer.segmenter.segment(pieces)
    distinct = {tuple(part.tolist()) for part in np.split(ids, ends)[:-1] if part.size}
    assert sum(map(len, distinct)) > 5_000
    unknown = tokenizer.segmenter.unk_id
    for sequence in distinct:
        assert unknown not in sequence
        state = reference.run(pairs.begin, pairs.follow, sequence)
        assert state != NEVER, sequence
        assert pairs.may_end(state), sequence
        for token, following in pairwise(sequence[:8]):
            assert pairs.begin(token) == NEVER or pairs.following(pairs.begin(token))[following]
