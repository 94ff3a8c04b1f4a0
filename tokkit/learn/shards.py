"""Doing something with every shard of a corpus, wherever the job runs its parts."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from tokkit.corpus import Corpus, Shard
from tokkit.learn.options import Job
from tokkit.words.engines import run_parts

Result = TypeVar("Result")


def run_shards(
    task: Callable[[Shard], Result], corpus: Corpus, job: Job, stage: str
) -> Iterator[Result]:
    """Yield what `task` makes of each shard, in any order, and tell how far it is.

    Args:
        task: Given a shard; picklable, since ``job.executor`` may send it elsewhere.
        corpus: What to go through.
        job: With what means.
        stage: What progress calls it.
    """
    shards = corpus.shards(job.parts)
    done, total = 0, sum(shard.size for shard in shards)
    for index, result in run_parts(task, shards, job.executor):
        yield result
        done += shards[index].size
        job.progress(stage, done, total)
