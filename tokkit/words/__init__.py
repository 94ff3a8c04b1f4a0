"""Counting words: the one step of learning a vocabulary that needs many machines.

`counting` reads shards and counts them with `table`, wherever `engines` runs them; `parts`
keeps what is done for a job that is started again (`resuming`); `files` writes and reads
counts, `merging` adds up such files.
"""

from tokkit.words.counting import count_words
from tokkit.words.engines import dask_executor, local_executor
from tokkit.words.files import read_counts, write_counts
from tokkit.words.merging import merge_counts
from tokkit.words.resuming import count_into
from tokkit.words.wordcounts import WordCounts, from_words

__all__ = [
    "WordCounts",
    "count_into",
    "count_words",
    "dask_executor",
    "from_words",
    "local_executor",
    "merge_counts",
    "read_counts",
    "write_counts",
]
