"""Small corpora, written the ways people write them."""

import gzip
import io
import json
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tokkit.corpus import open_corpus

RECORDS = ["one", "zwei\nzeilen", "трі", "四 \N{GRINNING FACE}", "nul\0", " ", "x" * 300]


def packed(data, compression):
    if compression == ".gz":
        return gzip.compress(data[:50]) + gzip.compress(data[50:])
    if compression == ".zst":
        compressor = zstandard.ZstdCompressor()
        return compressor.compress(data[:50]) + compressor.compress(data[50:])
    return data


def jsonl(records):
    return b"".join(json.dumps({"id": 1, "text": text}).encode() + b"\n" for text in records)


def parquet(records, column="text", type_=None, rows=2):
    sink = io.BytesIO()
    table = pa.table({"id": [1] * len(records), column: pa.array(records, type=type_)})
    pq.write_table(table, sink, row_group_size=rows)
    return sink.getvalue()


def documents_of(path, **settings):
    return list(open_corpus([path], **settings).documents())


def sharded(corpus, parts):
    shards = [pickle.loads(pickle.dumps(shard)) for shard in corpus.shards(parts)]
    return [list(shard.documents()) for shard in shards]
