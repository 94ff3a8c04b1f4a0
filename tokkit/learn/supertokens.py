"""Supertokens: byte-pair encoding of chunks of random lengths (TokenAdapt, arXiv 2505.09738).

Every document is cut into chunks whose lengths, in characters, are drawn from a distribution;
pairs are merged inside chunks, wherever words begin and end. The finished tokenizer does not
cut text at all: ``options.pattern`` plays no part.

The authors' default weights sum to 1.1 and are refused by their own code; here weights are
divided by their sum. Their normalisation (NFC) and their removal of repeated characters from
the training text are left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from hashlib import blake2b

import numpy as np

from tokkit.corpus import Batch, Corpus, Shard, Tally
from tokkit.errors import UsageError
from tokkit.kernels import chunks as kernel
from tokkit.kernels._jit import Counts
from tokkit.learn import bpe
from tokkit.learn.figures import summarise
from tokkit.learn.merging import Rules
from tokkit.learn.options import History, Job, Options
from tokkit.learn.shards import run_shards
from tokkit.patterns import PATTERNS
from tokkit.pretokenize import Pieces
from tokkit.segment.bpe import BPE
from tokkit.tokenizer import Tokenizer
from tokkit.words import WordCounts
from tokkit.words.parts import Part
from tokkit.words.table import WordTable

DEFAULT_CHUNKS: Mapping[tuple[int, int], float] = {
    (4, 5): 0.044,
    (6, 7): 0.091,
    (8, 9): 0.146,
    (10, 11): 0.171,
    (12, 13): 0.185,
    (14, 15): 0.171,
    (16, 17): 0.146,
    (18, 19): 0.091,
    (20, 21): 0.044,
    (22, 23): 0.011,
}
"""The "Gaussian" weights of chunk lengths that the authors published."""

PRECISION = 10**6
"""Weights are rounded to so many parts."""


def learn(corpus: Corpus, options: Options, job: Job) -> tuple[Tokenizer, History]:
    """Learn a tokenizer from the chunks of a corpus.

    The seed of a document is a hash of ``options.seed`` and its bytes, so chunks depend on
    neither order nor shards. Memory grows with the corpus, as most chunks are unique. The
    history's curve counts tokens of chunks, its summary tokens of text as it is encoded.

    Raises:
        CorpusError: If the corpus has no text.
        UsageError: If the vocabulary is to be smaller than what it starts with, or the weights
            of chunk lengths mean nothing.
    """
    options = replace(options, pattern=PATTERNS["none"])
    bpe.beginning(options)  # fail before reading the corpus
    lengths = length_table(options.supertokens.chunks or DEFAULT_CHUNKS)
    if options.supertokens.max_bytes < 2:
        raise UsageError(
            f"max_bytes {options.supertokens.max_bytes} allows no merge: give 2 or more"
        )
    counts = count_chunks(corpus, lengths, options.seed, job)
    rules = Rules(max_bytes=options.supertokens.max_bytes)
    tokenizer, history = bpe.learn_from_counts(counts, options, job, rules=rules)
    totals = count_tokens(corpus, bpe.segmenter_of(tokenizer), job)
    history.summary |= summarise(tokenizer.vocab.tokens, totals)
    return tokenizer, history


def length_table(chunks: Mapping[tuple[int, int], float]) -> Counts:
    """Return the distribution as the kernel takes it, see `tokkit.kernels.chunks.cut_chunks`.

    Example: ``{(4, 5): 1.0, (6, 6): 3.0}`` -> ``[[4, 2, 250000], [6, 1, 1000000]]``.

    Raises:
        UsageError: If a range is empty, or weights are negative or all zero.
    """
    for (least, most), weight in chunks.items():
        if not 1 <= least <= most or not 0 <= weight < float("inf"):
            raise UsageError(
                f"chunk lengths {least} to {most} with weight {weight} mean nothing: "
                "lengths start at 1, weights at 0"
            )
    total = sum(chunks.values())
    if not total:
        raise UsageError("the weights of chunk lengths are all zero: give one that is not")
    sums = np.cumsum(list(chunks.values())) / total * PRECISION
    rows = [(least, most - least + 1) for least, most in chunks]
    return np.column_stack([rows, np.rint(sums)]).astype(np.int64)


def count_chunks(corpus: Corpus, lengths: Counts, seed: int, job: Job) -> WordCounts:
    """Count the chunks of a corpus, its shards wherever ``job.executor`` runs them."""
    table, tally = WordTable(), Tally()
    task = partial(_count_shard, lengths=lengths, seed=seed)
    for part in run_shards(task, corpus, job, "chunks"):
        part.add_to(table, tally)
    corpus.record(tally)
    return WordCounts(*table.sorted(), {})


def _count_shard(shard: Shard, lengths: Counts, seed: int) -> Part:
    """Count the chunks of one shard: what runs in a worker."""
    table, tally = WordTable(), Tally()
    for batch in shard.batches(tally=tally):
        pieces = cut(batch, lengths, seed)
        table.add(pieces.data, pieces.ends)
    return Part(*table.sorted(), tally)


def cut(batch: Batch, lengths: Counts, seed: int) -> Pieces:
    """Cut the documents of a batch into chunks."""
    seeds = np.array(list(_seeds(batch, seed)), dtype=np.int64)
    cuts = np.empty(batch.data.size, dtype=np.int64)
    count = kernel.cut_chunks(batch.data, batch.ends, seeds, lengths, cuts)
    return Pieces(batch.data, cuts[:count].copy())


def _seeds(batch: Batch, seed: int) -> Iterator[tuple[int, int]]:
    """Yield the initial state of the random numbers for each document."""
    start = 0
    for end in batch.ends.tolist():
        state = blake2b(f"{seed} ".encode(), digest_size=16)
        state.update(batch.data[start:end].tobytes())
        first = int.from_bytes(state.digest()[:8], "little")
        second = int.from_bytes(state.digest()[8:], "little")
        yield (
            1 + first % (kernel.FIRST_MODULUS - 1),
            1 + second % (kernel.SECOND_MODULUS - 1),
        )
        start = end


def count_tokens(corpus: Corpus, segmenter: BPE, job: Job) -> Counts:
    """Count how often each token occurs in a corpus that is not cut: ``int64[size]``."""
    totals = np.zeros(segmenter.size, dtype=np.int64)
    task = partial(_count_tokens_of, segmenter=segmenter)
    for part in run_shards(task, corpus, job, "measuring"):
        totals += part
    return totals


def _count_tokens_of(shard: Shard, segmenter: BPE) -> Counts:
    """Count the tokens of one shard: what runs in a worker."""
    totals = np.zeros(segmenter.size, dtype=np.int64)
    for batch in shard.batches():
        ids, _ = segmenter.segment(Pieces(*batch))
        totals += np.bincount(ids, minlength=segmenter.size)
    return totals
