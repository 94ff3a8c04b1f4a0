"""Every defect is one line that names its place, or is counted and skipped."""

import gzip
import os
import random

import pyarrow as pa
import pytest
import zstandard

from tests.corpus.files import RECORDS, documents_of, jsonl, packed, parquet
from tokkit.corpus import open_corpus
from tokkit.errors import CorpusError

GOOD = b'{"text": "good"}\n'
BAD_RECORDS = [
    (b'{"text": "caf\xe9"}\n', "invalid UTF-8", r"line 3: byte 14 \(0xe9\) is not UTF-8"),
    (b'{"text": "\\ud800"}\n', "invalid UTF-8", "line 3: .* half of a surrogate pair"),
    (b'{"text": "un\n', "bad JSON", "line 3: not JSON"),
    (b'["text"]\n', "bad JSON", "line 3: not a JSON object"),
    (b"[" * 100000 + b"\n", "bad JSON", "line 3: not JSON"),
    (b'{"text": ' + b"1" * 5000 + b"}\n", "bad JSON", "line 3: not JSON"),
    (b'{"body": "x"}\n', "missing column", r"line 3: no column 'text' \(columns: body\)"),
    (b'{"text": 5}\n', "not a string", "line 3: column 'text' holds int, not text"),
    (b'{"text": null}\n', "not a string", "line 3: column 'text' holds NoneType"),
]


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
@pytest.mark.parametrize(("record", "reason", "message"), BAD_RECORDS)
def test_a_bad_record_is_named_or_skipped(tmp_path, record, reason, message, compression):
    path = tmp_path / ("bad.jsonl" + compression)
    path.write_bytes(packed(GOOD + b"\n" + record + GOOD, compression))
    with pytest.raises(CorpusError, match=rf"bad\.jsonl\S*, {message}.*--on-error skip"):
        documents_of(path)
    corpus = open_corpus([path], on_error="skip")
    assert list(corpus.documents()) == [b"good", b"good"]
    assert corpus.skipped == {reason: 1}


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("compression", ["", ".gz"])
def test_a_line_of_text_that_is_not_utf_8_is_named_or_skipped(tmp_path, compression):
    path = tmp_path / ("a.txt" + compression)
    lines = [b"line %d is good\n" % number for number in range(100)]
    bad = [*lines[:70], b"li\xffne\n", *lines[70:]]
    path.write_bytes(packed(b"".join(bad), compression))
    with pytest.raises(
        CorpusError, match=r"a\.txt\S*, line 71: byte \d+ \(0xff\) is not UTF-8"
    ):
        documents_of(path)
    corpus = open_corpus([path], on_error="skip")
    kept = b"".join(corpus.documents())
    assert kept == b"".join(lines)
    assert corpus.skipped == {"invalid UTF-8": 1}


def test_bad_rows_of_parquet_are_named_or_skipped(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet([b"a", b"b", None, b"\xff", b"c"], type_=pa.binary()))
    with pytest.raises(
        CorpusError, match=r"a\.parquet, record 3: column 'text' holds NoneType"
    ):
        documents_of(path)
    corpus = open_corpus([path], on_error="skip")
    assert list(corpus.documents()) == [b"a", b"b", b"c"]
    assert corpus.skipped == {"not a string": 1, "invalid UTF-8": 1}


def test_a_column_that_is_missing_or_not_text(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet([1, 2, 3], "n"))
    with pytest.raises(CorpusError, match="has no column 'text'; choose one of id, n"):
        documents_of(path)
    with pytest.raises(CorpusError, match="record 1: column 'n' holds int, not text"):
        documents_of(path, text_column="n")
    with pytest.raises(CorpusError, match="no text"):
        documents_of(path, on_error="skip")


DAMAGED = {
    "cut.jsonl.gz": gzip.compress(GOOD * 1000)[:-20],
    "wrong.jsonl.gz": b"not a gzip file",
    "flipped.txt.gz": bytes([*gzip.compress(GOOD * 1000)[:-6], *bytes(6)]),
    "cut.jsonl.zst": zstandard.compress(random.Random(1).randbytes(9999).hex().encode())[:-9],
    "cut_early.txt.zst": zstandard.compress(GOOD)[:5],
    "wrong.txt.zst": b"not a zstd file",
    "wrong.parquet": b"PAR1 not a parquet file PAR1",
    "cut.parquet": parquet(RECORDS)[:-30],
    "empty.parquet": b"",
    "wrong.parquet.gz": gzip.compress(b"not parquet"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_named_or_skipped(tmp_path, name):
    (tmp_path / name).write_bytes(DAMAGED[name])
    (tmp_path / "z.txt").write_text("good")
    with pytest.raises(CorpusError, match=rf"{name} is damaged or incomplete \(.+\)"):
        documents_of(tmp_path)
    corpus = open_corpus([tmp_path], on_error="skip")
    assert list(corpus.documents())[-1] == b"good"
    assert corpus.skipped == {"corrupt file": 1}


def test_what_precedes_the_damage_is_kept_when_skipping(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(jsonl(str(n) for n in range(50000)), 1)[:-20])
    kept = documents_of(path, on_error="skip")
    assert len(kept) > 40000
    assert kept == [str(n).encode() for n in range(len(kept))]


def test_bytes_of_parquet_flipped_at_random_never_escape_as_something_else(tmp_path):
    source = random.Random(2)
    good = parquet([text * 5 for text in RECORDS] * 20, rows=30)
    path = tmp_path / "a.parquet"
    for _ in range(150):
        data = bytearray(good)
        for _ in range(source.randrange(1, 6)):
            data[source.randrange(len(data))] ^= 1 << source.randrange(8)
        path.write_bytes(data)
        try:
            documents_of(path)
        except CorpusError as error:
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.txt", "missing.txt cannot be read: No such file"),
        ("*.missing", r"no file matches .*\*.missing"),
        ("folder", "the folder .*folder holds no files"),
    ],
)
def test_what_is_not_there_is_named_or_skipped(tmp_path, name, message):
    (tmp_path / "folder").mkdir()
    good = tmp_path / "good.txt"
    good.write_text("good")
    with pytest.raises(CorpusError, match=message):
        open_corpus([tmp_path / name])
    corpus = open_corpus([tmp_path / name, good], on_error="skip")
    assert list(corpus.documents()) == [b"good"]
    assert sum(corpus.skipped.values()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_without_permission(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("secret")
    path.chmod(0)
    with pytest.raises(CorpusError, match=r"a\.txt cannot be read: Permission denied"):
        open_corpus([path])


def test_a_file_that_vanishes_after_it_was_found(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("text")
    corpus = open_corpus([path])
    path.unlink()
    with pytest.raises(CorpusError, match=r"a\.txt cannot be read: No such file"):
        list(corpus.documents())


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", b""), ("a.jsonl", b'\n{"text": ""}\n')]
)
def test_an_empty_corpus_is_an_error_and_white_space_is_none(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match="contains no text"):
        documents_of(tmp_path)
    with pytest.raises(CorpusError, match="contains no text"):
        open_corpus([tmp_path], sample=0).digest  # noqa: B018
    (tmp_path / "b.txt").write_text(" \n")
    assert documents_of(tmp_path) == [b" \n"]
