"""Files of counts, and adding them up."""

import os
import random
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.corpus import open_corpus
from tokkit.errors import CorpusError, JobError, MissingExtraError
from tokkit.patterns import find_pattern
from tokkit.words import (
    count_words,
    files,
    from_words,
    merge_counts,
    merging,
    read_counts,
    write_counts,
)
from tokkit.words.files import Run

METADATA = {
    "pattern": "gpt2",
    "regex": "x",
    "digits": "keep",
    "engine": "oniguruma",
    "unicode": "16.0",
    "digest": "0" * 31 + "a",
    "documents": "1",
    "bytes": "2",
    "skipped": '{"bad JSON": 1}',
}

dictionaries = st.dictionaries(
    st.one_of(st.binary(min_size=1, max_size=3), st.binary(min_size=1, max_size=40)),
    st.integers(1, 2**50),
    max_size=30,
)


def write(counts, path, **metadata):
    write_counts(from_words(counts, METADATA | metadata), path)
    return path


def test_what_is_written_is_read(tmp_path):
    counts = {b"a": 1, b"\xff\0": 2**62, b"x" * 100000: 3, b"a\0": 4}
    words = read_counts(write(counts, tmp_path / "a.parquet"))
    assert words.to_dict() == counts
    assert list(words.words()) == sorted(counts)
    assert words.metadata == METADATA
    assert words.data.flags.writeable
    assert words.ends.dtype == words.counts.dtype == np.int64


def test_anyone_can_read_the_columns(tmp_path):
    table = pq.read_table(write({b"b": 2, b"a": 1}, tmp_path / "a.parquet"))
    assert table.schema.field("word").type == pa.binary()
    assert table.schema.field("count").type == pa.int64()
    assert table.to_pylist() == [{"word": b"a", "count": 1}, {"word": b"b", "count": 2}]
    assert table.schema.metadata[b"pattern"] == b"gpt2"


@pytest.fixture
def small_groups(monkeypatch):
    """Row groups of 7 words or 60 bytes, written as soon as they are full."""
    monkeypatch.setattr(files, "GROUP_ROWS", 7)
    monkeypatch.setattr(files, "GROUP_BYTES", 60)
    monkeypatch.setattr(files, "ENOUGH", 1)


@pytest.mark.usefixtures("small_groups")
def test_row_groups_depend_on_the_words_alone(tmp_path):
    source = random.Random(4)
    counts = {source.randbytes(source.choice([1, 2, 3, 30])): n + 1 for n in range(500)}
    whole = from_words(counts, METADATA)
    write_counts(whole, tmp_path / "whole")
    run = Run(whole.data, whole.ends, whole.counts)
    for step in (1, 13, 200):
        with files.CountsWriter(tmp_path / "parts", METADATA) as writer:
            for first in range(0, len(whole), step):
                writer.write(run.part(first, min(first + step, len(whole))))
        assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()
    with pq.ParquetFile(tmp_path / "whole") as whole_file:
        sizes = [whole_file.metadata.row_group(group).num_rows for group in range(9)]
    assert max(sizes) == 7
    assert min(sizes) < 7


@given(st.lists(dictionaries, min_size=1, max_size=6), st.integers(1, 9))
def test_merged_runs_are_sums_of_dictionaries(parts, rows):
    sources = []
    for part in parts:
        words = from_words(part)
        run = Run(words.data, words.ends, words.counts)
        steps = range(0, len(words), rows)
        sources.append(iter([run.part(i, min(i + rows, len(words))) for i in steps]))
    total = Counter()
    for part in parts:
        total.update(part)
    merged = {}
    for run in merging.merge_runs(sources):
        words = [run.word(index) for index in range(len(run.ends))]
        merged.update(zip(words, run.counts.tolist(), strict=True))
    assert list(merged) == sorted(total)
    assert merged == total


@pytest.mark.parametrize("fan_in", [64, 2])
def test_merging_parts_gives_the_file_of_the_whole(
    folder, pattern, reference, tmp_path, monkeypatch, fan_in
):
    monkeypatch.setattr(merging, "FAN_IN", fan_in)
    monkeypatch.setattr(merging, "ROWS_IN_MEMORY", 500)
    paths = []
    for path in sorted(folder.iterdir()):
        paths.append(tmp_path / f"{path.stem}.parquet")
        write_counts(count_words(open_corpus([path]), pattern), paths[-1])
    merge_counts([*reversed(paths)], tmp_path / "merged.parquet")
    assert (tmp_path / "merged.parquet").read_bytes() == reference
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(path.name for path in paths),
        "merged.parquet",
    ]


@pytest.mark.usefixtures("small_groups")
def test_a_hundred_files_with_small_row_groups(tmp_path):
    source = random.Random(6)
    total, paths = Counter(), []
    for number in range(100):
        part = {source.randbytes(2): source.randrange(1, 99) for _ in range(50)}
        total.update(part)
        paths.append(write(part, tmp_path / str(number)))
    merge_counts(paths, tmp_path / "sum")
    words = read_counts(tmp_path / "sum")
    assert words.to_dict() == dict(sorted(total.items()))
    assert words.metadata["digest"] == f"{100 * 10:032x}"
    assert words.metadata["documents"] == "100"
    assert words.metadata["skipped"] == '{"bad JSON": 100}'


def test_one_row_group_at_a_time_is_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "GROUP_ROWS", 2000)
    source = random.Random(10)
    path = write({source.randbytes(100): 1 for _ in range(100_000)}, tmp_path / "a")
    before = pa.total_allocated_bytes()
    allocated = [pa.total_allocated_bytes() for _ in files.CountsReader(path).runs(500)]
    assert len(allocated) == 200
    assert max(allocated) - before < 10 * 2000 * 100


MERGE = """
import sys
from tokkit.words import merge_counts, merging
merging.FAN_IN = 4
merge_counts(sys.argv[2:], sys.argv[1])
"""


def test_a_merge_killed_anywhere_leaves_nothing_half_done(tmp_path):
    source = random.Random(9)
    parts = [{source.randbytes(3): 1 for _ in range(20000)} for _ in range(10)]
    paths = [write(part, tmp_path / str(number)) for number, part in enumerate(parts)]
    output = tmp_path / "sum"
    command = [sys.executable, "-c", MERGE, str(output), *map(str, paths)]
    for sight in (".sum.parts", ".sum.parts/0/1.parquet", ".sum.tmp"):
        with subprocess.Popen(command) as process:
            while not (tmp_path / sight).exists() and process.poll() is None:
                time.sleep(0.0005)
            process.kill()
        assert process.returncode == -9
        assert not output.exists()
    merge_counts(paths, output)
    total = Counter()
    for part in parts:
        total.update(part)
    assert read_counts(output).to_dict() == total
    assert {path.name for path in tmp_path.iterdir()} == {*(path.name for path in paths), "sum"}


@pytest.mark.parametrize("key", ["pattern", "regex", "digits", "engine", "unicode"])
def test_counts_cut_differently_do_not_add_up(tmp_path, key):
    paths = [write({b"a": 1}, tmp_path / "a"), write({b"a": 1}, tmp_path / "b", **{key: "y"})]
    with pytest.raises(CorpusError, match=rf"b was counted with {key} 'y', .*a with"):
        merge_counts(paths, tmp_path / "sum")
    assert not (tmp_path / "sum").exists()


def test_sums_beyond_63_bits_are_refused(tmp_path):
    paths = [write({b"a": 2**62}, tmp_path / name) for name in "ab"]
    with pytest.raises(JobError, match="more than"):
        merge_counts(paths, tmp_path / "sum")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_no_files_cannot_be_merged(tmp_path):
    with pytest.raises(CorpusError, match="no counts to merge"):
        merge_counts([], tmp_path / "sum")


def table(words, counts, metadata=METADATA):
    columns = {"word": pa.array(words, pa.binary()), "count": pa.array(counts, pa.int64())}
    return pa.table(columns).replace_schema_metadata(metadata)


WRONG = {
    "descending": table([b"b", b"a"], [1, 1]),
    "repeated": table([b"a", b"a"], [1, 1]),
    "not positive": table([b"a"], [0]),
    "empty word": table([b""], [1]),
    "missing word": table([None], [1]),
    "no metadata": table([b"a"], [1], {}),
    "other columns": pa.table({"word": [b"a"]}).replace_schema_metadata(METADATA),
    "text": pa.table({"word": ["a"], "count": [1]}).replace_schema_metadata(METADATA),
}


@pytest.mark.parametrize("defect", WRONG)
def test_files_that_are_no_counts_are_refused(tmp_path, defect):
    pq.write_table(WRONG[defect], tmp_path / "a")
    with pytest.raises(CorpusError, match=r"a (is not in|does not hold).*count"):
        read_counts(tmp_path / "a")
    with pytest.raises(CorpusError, match=r"a (is not in|does not hold).*count"):
        merge_counts([tmp_path / "a"], tmp_path / "sum")


def test_damaged_metadata_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="damaged metadata"):
        merge_counts([write({b"a": 1}, tmp_path / "a", digest="?")], tmp_path / "sum")


def test_files_that_are_missing_or_something_else_are_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"no file .*a; check"):
        read_counts(tmp_path / "a")
    (tmp_path / "a").write_text("no parquet")
    with pytest.raises(CorpusError, match="does not hold word counts"):
        read_counts(tmp_path / "a")


def test_flipped_bytes_are_refused_in_one_line_or_harmless(tmp_path):
    source = random.Random(7)
    good = write({source.randbytes(3): 1 for _ in range(300)}, tmp_path / "a").read_bytes()
    refused = 0
    for _ in range(150):
        data = bytearray(good)
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)
        (tmp_path / "a").write_bytes(data)
        try:
            read_counts(tmp_path / "a")
        except CorpusError as error:
            refused += 1
            assert "\n" not in str(error)  # noqa: PT017
    assert refused > 50


def test_a_place_that_cannot_be_written_to(tmp_path):
    with pytest.raises(JobError, match="cannot be written"):
        write({b"a": 1}, tmp_path / "missing" / "a")
    if os.path.exists("/dev/full"):
        (tmp_path / ".a.tmp").symlink_to("/dev/full")
        with pytest.raises(JobError, match=r"a cannot be written \(.*No space left.*\)"):
            write({b"a": 1}, tmp_path / "a")
        assert os.listdir(tmp_path) == []


def test_counts_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="pyarrow"):
        write({b"a": 1}, tmp_path / "a")


def test_find_pattern_names_survive_the_file(tmp_path, corpus):
    pattern = find_pattern("cl100k", "single")
    write_counts(count_words(corpus, pattern), tmp_path / "a")
    metadata = read_counts(tmp_path / "a").metadata
    assert metadata["digits"] == "single"
    assert metadata["regex"] == pattern.regex
