"""Every format gives the documents that were written."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.files import RECORDS, documents_of, jsonl, packed, parquet, sharded
from tokkit.corpus import datasets, open_corpus
from tokkit.errors import CorpusError, MissingExtraError


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.parquet", "a.PARQUET"])
def test_records_are_documents(tmp_path, name, compression):
    data = parquet(RECORDS) if "parquet" in name.lower() else jsonl(RECORDS)
    path = tmp_path / (name + compression)
    path.write_bytes(packed(data, compression))
    assert documents_of(path) == [text.encode() for text in RECORDS]


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
@pytest.mark.parametrize("name", ["a.txt", "a", "a.weird"])
def test_any_other_file_is_one_text(tmp_path, name, compression):
    text = "\n".join(RECORDS).encode()
    path = tmp_path / (name + compression)
    path.write_bytes(packed(text, compression))
    assert documents_of(path) == [text]


@pytest.mark.parametrize(
    "type_", [pa.string(), pa.large_string(), pa.binary(), pa.string_view()]
)
def test_any_text_column_of_parquet_will_do(tmp_path, type_):
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet(RECORDS, "body", type_))
    assert documents_of(path, text_column="body") == [text.encode() for text in RECORDS]
    encoded = pa.table({"text": pa.array(RECORDS).dictionary_encode()})
    pq.write_table(encoded, path)
    assert documents_of(path) == [text.encode() for text in RECORDS]


def test_folders_globs_and_files_come_in_a_fixed_order(tmp_path):
    for name in ["b/2.txt", "b/1.txt", "a.txt", "b/c/d.txt", ".hidden", "b/.git/x", "[x].txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    in_folder = [b"[x].txt", b"a.txt", b"b/1.txt", b"b/2.txt", b"b/c/d.txt"]
    assert documents_of(tmp_path) == in_folder
    assert documents_of(tmp_path / "b" / "*.txt") == in_folder[2:4]
    assert documents_of(tmp_path / "**" / "*.txt") == in_folder
    assert documents_of(tmp_path / "[x].txt") == [b"[x].txt"]


def test_a_byte_order_mark_and_blank_lines_are_no_records(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"text": "a"}\r\n\r\n \n{"text": ""}\n{"text": "b"}')
    assert documents_of(path) == [b"a", b"b"]


@pytest.mark.parametrize("data", [b"some text", jsonl(["one", "two"])])
def test_standard_input_is_read_once_and_can_be_divided(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    corpus = open_corpus(["-"])
    expected = [b"one", b"two"] if data.startswith(b"{") else [b"some text"]
    assert list(corpus.documents()) == expected == list(corpus.documents())
    assert [document for shard in sharded(corpus, 3) for document in shard] == expected
    spooled = corpus.sources[0].path
    assert os.path.exists(spooled)
    del corpus
    assert not os.path.exists(spooled)


def test_pipes_are_read_as_standard_input_is(tmp_path):
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", f"printf 'some text' > {pipe}"]):
        corpus = open_corpus([pipe])
    assert list(corpus.documents()) == [b"some text"] == list(corpus.documents())


def test_errors_in_standard_input_name_it(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"{}\n{")))
    with pytest.raises(CorpusError, match="standard input, line 1: no column 'text'"):
        documents_of("-")


def test_a_dataset_reference_has_name_configuration_and_split(tmp_path):
    assert datasets.parse_dataset("a/b") == ("a/b", None, "train")
    assert datasets.parse_dataset("a/b/c:test") == ("a/b", "c", "test")
    assert datasets.parse_dataset("imdb:test") == ("imdb", None, "test")
    assert datasets.parse_dataset(f"{tmp_path}:x") == (str(tmp_path), None, "x")


@pytest.mark.filterwarnings("default")
def test_datasets_are_streamed(tmp_path, monkeypatch):
    pytest.importorskip("datasets", reason="the datasets extra is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(3):
        records = jsonl(f"{number} {row}" for row in range(10))
        (folder / f"train-{number}.jsonl").write_bytes(records)
    corpus = open_corpus([f"hf:{folder}"])
    expected = [f"{number} {row}".encode() for number in range(3) for row in range(10)]
    assert list(corpus.documents()) == expected
    assert [document for shard in sharded(corpus, 2) for document in shard] == expected
    with pytest.raises(CorpusError, match="cannot be opened"):
        open_corpus([f"hf:{folder}:validation"])
    with pytest.raises(CorpusError, match="shard 0, record 1: no column 'body'"):
        documents_of(f"hf:{folder}", text_column="body")


@pytest.mark.parametrize(
    ("name", "module"),
    [("a.txt.zst", "zstandard"), ("a.parquet", "pyarrow"), ("hf:a/b", "datasets")],
)
def test_a_missing_extra_is_named(tmp_path, monkeypatch, name, module):
    for loaded in list(sys.modules):
        if loaded.partition(".")[0] == module:
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "a.txt.zst").write_bytes(packed(b"text", ".zst"))
    (tmp_path / "a.parquet").write_bytes(parquet(["text"]))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingExtraError, match=rf"{module}.*tokkit-toolkit\[data\]"):
        documents_of(name)


def test_text_needs_no_pyarrow_and_no_zstandard(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    program = (
        "import sys; from tokkit.corpus import open_corpus;"
        f"assert list(open_corpus([{str(tmp_path)!r}]).documents()) == [b'text'];"
        "assert not {'pyarrow', 'zstandard', 'datasets'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
