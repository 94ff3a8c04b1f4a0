"""Counting the words of a corpus, in parts that run anywhere and need not run twice."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

from tokkit.corpus import Corpus, Shard, Tally
from tokkit.patterns import Pattern
from tokkit.pretokenize import Pieces, for_pattern
from tokkit.progress import Progress
from tokkit.unicode import Engine
from tokkit.words.engines import run_parts
from tokkit.words.metadata import describe
from tokkit.words.parts import Part, Workspace
from tokkit.words.table import WordTable
from tokkit.words.wordcounts import WordCounts

PART_SIZE = 32 << 20
MOST_PARTS = 1024
# What a batch becomes fits into the cache of a core, and is soon gone.
BATCH_SIZE = 1 << 20


def count_words(
    corpus: Corpus,
    pattern: Pattern,
    *,
    engine: Engine = "oniguruma",
    executor: Executor | None = None,
    parts: int = 1,
    progress: Progress | None = None,
    workspace: Path | None = None,
) -> WordCounts:
    """Count the pieces a pattern cuts a corpus into.

    The result depends neither on the executor nor on `parts`. Memory grows with the number of
    distinct words.

    Args:
        corpus: What to count.
        pattern: How text is cut.
        engine: Whose idea of Unicode it follows.
        executor: Where parts are counted, such as `local_executor` or `dask_executor`; in this
            process if None. Parts whose workers die are counted again.
        parts: Into how many parts to divide the corpus at least; there is one per 32 MiB.
        progress: Called as ``progress("count", done, total)``, in bytes on disk.
        workspace: A folder that keeps what each part counted, for when the job is started
            again; nothing is taken from it if files, pattern or version have changed.

    Raises:
        CorpusError: If the corpus has no text, or a bad record.
        JobError: If workers keep dying, or the workspace cannot be written to.
    """
    shards = corpus.shards(max(parts, 1, min(-(-corpus.size // PART_SIZE), MOST_PARTS)))
    table, tally = WordTable(), Tally()
    if executor is None and workspace is None:
        sizes = _count_here(shards, pattern, engine, table, tally)
    else:
        store = Workspace(workspace, pattern, engine) if workspace else None
        sizes = _count_parts(shards, pattern, engine, executor, store, table, tally)
    done, total = 0, sum(shard.size for shard in shards)
    for size in sizes:
        done += size
        if progress:
            progress("count", done, total)
    corpus.record(tally)
    return WordCounts(*table.sorted(), describe(pattern, engine, tally, corpus.skipped))


def _count_here(
    shards: Sequence[Shard], pattern: Pattern, engine: Engine, table: WordTable, tally: Tally
) -> Iterator[int]:
    """Count all shards into one table, in this process; yield the size of each when done."""
    pretokenizer = for_pattern(pattern, engine)
    for shard in shards:
        for batch in shard.batches(BATCH_SIZE, tally):
            pieces = pretokenizer.split(Pieces(*batch))
            table.add(pieces.data, pieces.ends)
        yield shard.size


def count_shard(shard: Shard, pattern: Pattern, engine: Engine) -> Part:
    """Count the words of one shard: what runs in a worker."""
    table, tally = WordTable(), Tally()
    for _ in _count_here([shard], pattern, engine, table, tally):
        pass
    return Part(*table.sorted(), tally)


def _count_parts(
    shards: Sequence[Shard],
    pattern: Pattern,
    engine: Engine,
    executor: Executor | None,
    store: Workspace | None,
    table: WordTable,
    tally: Tally,
) -> Iterator[int]:
    """Add up the counts of shards, kept ones and new ones; yield the size of each when done."""
    missing = []
    for shard in shards:
        part = store.load(shard) if store else None
        if part is None:
            missing.append(shard)
        else:
            part.add_to(table, tally)
            yield shard.size
    task = partial(count_shard, pattern=pattern, engine=engine)
    for index, part in run_parts(task, missing, executor):
        if store:
            store.save(missing[index], part)
        part.add_to(table, tally)
        yield missing[index].size
