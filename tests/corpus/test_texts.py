"""Long texts are cut where the rule says, and there only."""

import io

import numpy as np
import pytest
import regex
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corpus.files import documents_of, jsonl, packed, sharded
from tokkit.corpus import open_corpus, streams, texts

texts_with_spaces = st.lists(
    st.sampled_from(["a", "b ", "\n", " ", ".\n", "/", "é", "\u3000", "\u00a0", "7", "'s"]),
    max_size=200,
).map("".join)


def word_cut(text, low, high):
    """The cut between words in UTF-8 text, found by looking at every character; or None."""
    sizes = np.cumsum([0, *(len(character.encode()) for character in text)]).tolist()
    places = [(size, index) for index, size in enumerate(sizes) if low <= size < high]

    def visible(index):
        return 0 <= index < len(text) and not text[index].isspace()

    for size, index in places:
        is_line_end = index > 0 and text[index - 1] == "\n"
        if is_line_end and visible(index - 2) and visible(index) and text[index] != "/":
            return size
    for size, index in places:
        if text[index : index + 1] == " " and visible(index - 1) and visible(index + 1):
            return size
    return None


@given(texts_with_spaces, st.integers(1, 80), st.integers(1, 40))
def test_cuts_are_where_the_rule_says(text, low, window):
    data = text.encode()
    if low >= len(data):
        return
    high = min(low + window, len(data))
    cut, expected = texts.safe_cut(data, low, high), word_cut(text, low, high)
    if expected is None:
        assert low <= cut < low + 4
        assert (data[:cut].decode() + data[cut:].decode()) == text
    else:
        assert cut == expected


# As published for GPT-2, cl100k and o200k; see tests of the patterns for their sources.
PATTERNS = [
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
]


@given(texts_with_spaces, st.integers(1, 60))
@pytest.mark.parametrize("pattern", PATTERNS)
def test_cuts_at_words_change_no_piece_of_the_named_patterns(pattern, text, low):
    data = text.encode()
    cut = word_cut(text, low, len(data))
    if cut is not None:
        parts = data[:cut].decode(), data[cut:].decode()
        pieces = [piece for part in parts for piece in regex.findall(pattern, part)]
        assert pieces == regex.findall(pattern, text)


@pytest.mark.usefixtures("small_blocks")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts_with_spaces, st.integers(1, 9))
def test_blocks_of_a_text_do_not_depend_on_who_reads_them(text, first):
    data = text.encode()
    blocks = list(texts.read_blocks(io.BytesIO(data), 0, 1 << 40))
    assert b"".join(block for _, block in blocks) == data
    assert all(len(block) <= 64 + 16 for _, block in blocks)
    last = -(-len(data) // 64)
    if first < last:
        parts = [(0, first), (first, last)]
        halves = [list(texts.read_blocks(io.BytesIO(data), *part)) for part in parts]
        assert halves[0] + halves[1] == blocks
    assert [block for _, block in blocks] == list(texts.divide(data, 64))


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.txt.zst"])
def test_a_word_of_ten_megabytes_comes_in_blocks(tmp_path, name):
    data = b"one " + "é".encode() * 5_000_000 + b" two"
    (tmp_path / name).write_bytes(packed(data, name[5:]))
    documents = documents_of(tmp_path / name)
    assert b"".join(documents) == data
    assert max(map(len, documents)) <= texts.BLOCK + texts.WINDOW
    assert all(document.decode() for document in documents)


def test_a_record_of_ten_megabytes_comes_in_blocks(tmp_path):
    text = "word " * 2_000_000
    (tmp_path / "a.jsonl").write_bytes(jsonl([text, "next"]))
    documents = documents_of(tmp_path / "a.jsonl")
    assert b"".join(documents) == (text + "next").encode()
    assert max(map(len, documents)) <= texts.BLOCK + texts.WINDOW
    shards = sharded(open_corpus([tmp_path / "a.jsonl"]), 5)
    assert [document for shard in shards for document in shard] == documents


def test_chunks_of_any_stream_are_bounded(tmp_path):
    path = tmp_path / "zeros.zst"
    path.write_bytes(zstandard.compress(bytes(50_000_000)))
    with streams.open_stream(str(path), "zst") as stream:
        assert len(stream.read(10)) == 10
        assert sum(map(len, iter(lambda: stream.read(1 << 20), b""))) == 50_000_000 - 10
