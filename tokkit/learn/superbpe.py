"""SuperBPE: merge inside words first, then across them (arXiv 2503.13423).

The first stage is `tokkit.learn.bpe` with ``options.pattern``, up to ``transition`` of the
vocabulary. The second cuts text by the pattern ``superbpe-stage2`` only, which keeps words with
single spaces or newlines together and breaks at numbers and at runs of symbols or of spaces;
every piece is segmented with the merges of the first stage, exactly as the finished tokenizer
does, and merging goes on over all pairs that the rules of the authors' trainer allow: at most
``max_words`` words and no ``": "``. A word is a run of bytes other than ASCII white space; the
authors count what lies between spaces, so that a newline does not end a word.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from tokkit.corpus import Corpus, Shard, Tally
from tokkit.errors import UsageError
from tokkit.learn import bpe
from tokkit.learn.merging import Rules, Words, learn_merges
from tokkit.learn.options import History, Job, Options
from tokkit.learn.shards import run_shards
from tokkit.patterns import Pattern, find_pattern
from tokkit.pretokenize import Pieces, for_pattern
from tokkit.segment.bpe import BPE
from tokkit.tokenizer import Tokenizer
from tokkit.words.parts import Part
from tokkit.words.table import WordTable

UNCUT = ("superbpe", "superbpe-stage2", "none")
"""Patterns that do not cut between words: the first stage has ``superbpe-stage1`` instead."""


def learn(corpus: Corpus, options: Options, job: Job) -> tuple[Tokenizer, History]:
    """Learn a tokenizer from a corpus, in two stages.

    A tokenizer in ``options.init`` takes the place of the first stage, as far as it reaches.

    Raises:
        CorpusError: If the corpus has no text.
        UsageError: If the vocabulary is to be smaller than what it starts with, or a setting is
            out of range.
    """
    settings = options.superbpe
    if not 0 <= settings.transition <= 1 or settings.max_words < 1:
        raise UsageError(
            f"transition {settings.transition} and max_words {settings.max_words} cannot be: "
            "the first lies between 0 and 1, the second is at least 1"
        )
    tokens, _ = bpe.beginning(options)
    first = replace(options, pattern=first_pattern(options.pattern))
    first = replace(
        first, vocab_size=max(len(tokens), round(settings.transition * options.vocab_size))
    )
    counts = bpe.count(corpus, first, job)
    tokenizer, history = bpe.learn_from_counts(counts, first, job, warn=False)
    del counts
    return learn_across_words(corpus, replace(options, init=tokenizer), history, job)


def first_pattern(pattern: Pattern) -> Pattern:
    """Return the pattern of the first stage: the one given, if it cuts between words."""
    if pattern.name in UNCUT:
        return find_pattern("superbpe-stage1", pattern.digits)
    return pattern


def learn_across_words(
    corpus: Corpus, options: Options, history: History, job: Job
) -> tuple[Tokenizer, History]:
    """Extend ``options.init`` by tokens that may reach across words.

    Args:
        corpus: What to learn from.
        options: What to learn.
        history: Of the first stage.
        job: With what means.
    """
    init = options.init
    assert init is not None
    options = replace(options, pattern=find_pattern("superbpe-stage2", options.pattern.digits))
    tokens, specials = bpe.beginning(options)
    earlier = bpe.merges_of(init)
    learned = learn_merges(
        count_runs(corpus, bpe.extended(tokens, init), options.pattern, job),
        tokens,
        options.vocab_size,
        min_count=options.min_count,
        rules=Rules(max_words=options.superbpe.max_words, colon_space=False),
        reserved=bpe.reserve(specials),
        earlier=earlier,
        progress=job.progress,
        stage="merging across words",
    )
    merges = np.concatenate([earlier, learned.merges])
    tokenizer = bpe.build(learned, merges, specials, options)
    second = bpe.history_of(learned, options)
    second.summary["transition"] = len(tokens)
    return tokenizer, History(history.curve + second.curve, second.summary)


def count_runs(corpus: Corpus, segmenter: BPE, pattern: Pattern, job: Job) -> Words:
    """Count the runs of tokens that may be merged with each other.

    A run is a piece of text, as segmented so far.
    """
    table, tally = WordTable(), Tally()
    task = partial(_count_shard, segmenter=segmenter, pattern=pattern)
    for part in run_shards(task, corpus, job, "runs of words"):
        part.add_to(table, tally)
    data, ends, counts = table.sorted()
    del table
    width = _width(segmenter)
    return Words(data.view(width).astype(np.int32), ends // width().itemsize, counts)


def _width(segmenter: BPE) -> type[np.uint16] | type[np.uint32]:
    """Return the smallest type that holds every id: runs are counted as strings of bytes."""
    return np.uint16 if segmenter.size <= 1 << 16 else np.uint32


def _count_shard(shard: Shard, segmenter: BPE, pattern: Pattern) -> Part:
    """Count the runs of one shard: what runs in a worker."""
    table, tally = WordTable(), Tally()
    pretokenizer, width = for_pattern(pattern), _width(segmenter)
    for batch in shard.batches(tally=tally):
        ids, ends = segmenter.segment(pretokenizer.split(Pieces(*batch)))
        table.add(ids.astype(width).view(np.uint8), ends * width().itemsize)
    return Part(*table.sorted(), tally)
