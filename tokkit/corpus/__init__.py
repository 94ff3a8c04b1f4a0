"""Corpora: documents from files, folders, standard input and datasets, larger than memory.

`sources` finds the files, `streams` decompresses them, `records` reads documents out of them
(`texts`, `parquet` and `datasets` with it), `shards` divides the work, `problems` counts what
was read and what was skipped.
"""

from tokkit.corpus.corpus import Corpus, open_corpus
from tokkit.corpus.problems import Tally
from tokkit.corpus.shards import Batch, Shard, make_batch
from tokkit.corpus.sources import OnError

__all__ = ["Batch", "Corpus", "OnError", "Shard", "Tally", "make_batch", "open_corpus"]
