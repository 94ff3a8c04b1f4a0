"""Every division of a corpus holds the same documents."""

import gzip
import json
import os
import random
from fractions import Fraction
from hashlib import blake2b

import numpy as np
import pytest

from tests.corpus.files import jsonl, packed, parquet, sharded
from tokkit.corpus import Tally, open_corpus
from tokkit.errors import UsageError


@pytest.fixture
def mixed(tmp_path, small_blocks):
    """A folder with every kind of file, most of them of several units."""
    source = random.Random(5)
    words = ["a", "bee", "see ", "\n", ". ", "é", "四"]
    long_text = "".join(source.choices(words, k=400))
    records = ["".join(source.choices(words, k=source.randrange(60))) for _ in range(60)]
    (tmp_path / "a.txt").write_text(long_text)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(long_text.encode()))
    (tmp_path / "c.jsonl").write_bytes(jsonl(records))
    (tmp_path / "d.jsonl.zst").write_bytes(packed(jsonl(records), ".zst"))
    (tmp_path / "e.parquet").write_bytes(parquet(records, rows=7))
    (tmp_path / "f.parquet.gz").write_bytes(packed(parquet(records, rows=7), ".gz"))
    (tmp_path / "g.txt").write_text("")
    return tmp_path


@pytest.mark.parametrize("settings", [{}, {"sample": 0.5, "seed": 3}, {"sample": 2.25}])
def test_shards_hold_the_same_documents_however_many_there_are(mixed, settings):
    corpus = open_corpus([mixed], **settings)
    whole = list(corpus.documents())
    for parts in (1, 2, 3, 7, 1000):
        shards = sharded(corpus, parts)
        assert len(shards) <= parts
        assert [document for shard in shards for document in shard] == whole
    assert len(sharded(corpus, 1000)) > 30


def test_batches_hold_documents_end_to_end(mixed):
    corpus = open_corpus([mixed])
    batches = list(corpus.batches(500))
    assert len(batches) > 5
    documents = []
    for batch in batches:
        assert batch.data.dtype == np.uint8
        assert batch.ends.dtype == np.int64
        assert batch.data.flags.writeable
        assert batch.ends[-1] == batch.data.size
        parts = np.split(batch.data, batch.ends[:-1])
        documents += [part.tobytes() for part in parts]
    assert documents == list(corpus.documents())


def test_the_digest_tells_content_and_nothing_else(mixed, tmp_path):
    corpus = open_corpus([mixed])
    total = Tally()
    for shard in corpus.shards(9):
        tally = Tally()
        list(shard.batches(100, tally))
        total.add(tally)
    assert total.digest == corpus.digest
    sums = sum(
        int.from_bytes(blake2b(document, digest_size=16).digest(), "little")
        for document in corpus.documents()
    )
    assert corpus.digest == f"{sums % 2**128:032x}"
    (mixed / "c.jsonl").write_bytes((mixed / "c.jsonl").read_bytes().replace(b"bee", b"bea", 1))
    assert open_corpus([mixed]).digest != corpus.digest
    assert Tally.from_json(json.loads(json.dumps(total.to_json()))) == total


def test_a_key_changes_with_every_setting_and_with_the_files(mixed):
    keys = {open_corpus([mixed]).key, open_corpus([mixed]).key}
    assert len(keys) == 1
    for settings in ({"sample": 0.5}, {"seed": 1}, {"text_column": "id"}, {"on_error": "skip"}):
        keys.add(open_corpus([mixed], **settings).key)
    os.utime(mixed / "a.txt", ns=(1, 1))
    keys.add(open_corpus([mixed]).key)
    assert len(keys) == 6


def test_weights_repeat_documents_and_their_fraction_draws(tmp_path):
    for name, size in (("a", 4000), ("b", 1000)):
        (tmp_path / f"{name}.jsonl").write_bytes(jsonl(f"{name}{i}" for i in range(size)))
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    drawn = list(open_corpus(paths, weights=[0.25, 2.5], seed=1).documents())
    of_a = [document for document in drawn if document.startswith(b"a")]
    of_b = [document for document in drawn if document.startswith(b"b")]
    # Within five standard deviations of binomial draws.
    assert abs(len(of_a) - 1000) < 5 * (4000 * 0.25 * 0.75) ** 0.5
    assert abs(len(of_b) - 2500) < 5 * (1000 * 0.25) ** 0.5
    assert len(set(of_a)) == len(of_a)
    assert {of_b.count(document) for document in set(of_b)} == {2, 3}
    again = list(open_corpus(paths, weights=[1, 10], sample=0.25, seed=1).documents())
    assert again == drawn
    other = list(open_corpus(paths, weights=[0.25, 2.5], seed=2).documents())
    assert 100 < len(set(of_a) & set(other)) < 400


def test_a_part_of_a_text_can_be_drawn(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("".join(f"line {number}\n" for number in range(300000)))
    drawn = open_corpus([path], sample=0.3)
    share = Fraction(sum(map(len, drawn.documents())), path.stat().st_size)
    assert 0.2 < share < 0.4
    assert all(len(document) < 2 * 16384 for document in drawn.documents())


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], [1, -1], [1, float("nan")]])
def test_impossible_weights_are_refused(mixed, weights):
    with pytest.raises(UsageError, match="weight"):
        open_corpus([mixed, mixed], weights=weights)
