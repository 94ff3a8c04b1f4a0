"""Counting, at once and in parts, here and elsewhere, interrupted and not."""

import json
import os
import signal
import subprocess
import sys
import time
import unicodedata

import pytest

from tokkit.corpus import open_corpus
from tokkit.errors import CorpusError, JobError
from tokkit.patterns import find_pattern
from tokkit.words import WordCounts, count_words, counting, from_words, write_counts
from tokkit.words.metadata import LETTERS_SINCE, unicode_version


def file_of(words, tmp_path):
    path = tmp_path / "counts.parquet"
    write_counts(words, path)
    return path.read_bytes()


def test_counts_are_those_of_regex_and_a_dictionary(corpus, pattern, expected, texts):
    counts = count_words(corpus, pattern)
    assert counts.to_dict() == expected
    assert list(counts.words()) == sorted(expected)
    assert len(counts) == len(expected)
    assert counts.metadata["documents"] == str(len(list(filter(None, texts))))
    assert counts.metadata["bytes"] == str(sum(len(text.encode()) for text in texts))
    assert counts.metadata["digest"] == corpus.digest
    assert counts.metadata["pattern"] == "gpt2"
    assert counts.metadata["regex"] == pattern.regex


@pytest.mark.parametrize("parts", [2, 5, 1000])
def test_parts_change_nothing(corpus, pattern, reference, tmp_path, parts):
    assert file_of(count_words(corpus, pattern, parts=parts), tmp_path) == reference
    kept = count_words(corpus, pattern, parts=parts, workspace=tmp_path / "work")
    assert file_of(kept, tmp_path) == reference


def test_patterns_without_a_scanner_are_counted_as_well(corpus, texts):
    counts = count_words(corpus, find_pattern(r"k\w"))
    assert counts.to_dict()[b"ka"] == sum(text.count("ka") for text in texts)


def test_weights_count(folder, pattern, expected):
    counts = count_words(open_corpus([folder], weights=[3]), pattern)
    assert counts.to_dict() == {word: 3 * count for word, count in expected.items()}


def test_progress_ends_at_the_total(corpus, pattern):
    seen = []
    count_words(corpus, pattern, parts=4, progress=lambda *step: seen.append(step))
    assert [step[0] for step in seen] == ["count"] * len(seen)
    assert [step[1] for step in seen] == sorted(step[1] for step in seen)
    assert seen[-1][1] == seen[-1][2]


def test_what_was_skipped_is_known_afterwards(tmp_path, pattern):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n{"text": 1}\n{"body": "b"}\n')
    corpus = open_corpus([tmp_path / "a.jsonl", tmp_path / "b"], on_error="skip")
    counts = count_words(corpus, pattern, parts=2, workspace=tmp_path / "work")
    skipped = {"missing column": 1, "not a string": 1, "unreadable file": 1}
    assert json.loads(counts.metadata["skipped"]) == skipped
    assert corpus.skipped == skipped


def test_a_corpus_without_text_is_an_error(tmp_path, pattern):
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(CorpusError, match="no text"):
        count_words(open_corpus([tmp_path]), pattern)


def test_unicode_versions_are_told_by_their_letters(pattern):
    for version, letter in LETTERS_SINCE.items():
        major, minor = map(int, unicodedata.unidata_version.split(".")[:2])
        since = tuple(map(int, version.split(".")))
        assert (unicodedata.category(chr(letter))[0] == "L") == (since <= (major, minor))
    assert float(unicode_version(pattern, "oniguruma")) >= 14


def test_words_counted_elsewhere():
    counts = from_words({b"b": 2**40, b"a": 1, b"a\0": 3}, {"pattern": "x"})
    assert isinstance(counts, WordCounts)
    assert counts.to_dict() == {b"a": 1, b"a\0": 3, b"b": 2**40}
    assert counts.metadata == {"pattern": "x"}
    assert len(from_words({})) == 0


# --- starting again ------------------------------------------------------------------------


def no_counting(*_, **__):
    raise AssertionError("counted again")


def test_finished_parts_are_not_counted_again(
    corpus, pattern, reference, tmp_path, monkeypatch
):
    work = tmp_path / "work"
    count_words(corpus, pattern, parts=6, workspace=work)
    monkeypatch.setattr(counting, "count_shard", no_counting)
    again = count_words(corpus, pattern, parts=6, workspace=work)
    assert file_of(again, tmp_path) == reference


def test_parts_of_other_files_patterns_and_settings_are_not_taken(
    tmp_path, pattern, monkeypatch
):
    path = tmp_path / "a.txt"
    path.write_text("one two")
    work = tmp_path / "work"
    count_words(open_corpus([path]), pattern, workspace=work)
    other = count_words(open_corpus([path]), find_pattern("none"), workspace=work)
    assert other.to_dict() == {b"one two": 1}
    weighted = count_words(open_corpus([path], weights=[2]), pattern, workspace=work)
    assert weighted.to_dict() == {b"one": 2, b" two": 2}
    path.write_text("six two")
    os.utime(path, ns=(0, 10**18))
    changed = count_words(open_corpus([path]), pattern, workspace=work)
    assert changed.to_dict() == {b"six": 1, b" two": 1}


def test_damaged_parts_are_counted_again(corpus, pattern, reference, tmp_path):
    work = tmp_path / "work"
    count_words(corpus, pattern, parts=4, workspace=work)
    for number, path in enumerate(sorted(work.iterdir())):
        content = path.read_bytes()
        flipped = bytearray(content)
        flipped[len(content) // 2] ^= 1
        path.write_bytes([b"", content[: len(content) // 2], bytes(flipped)][number % 3])
    again = count_words(corpus, pattern, parts=4, workspace=work)
    assert file_of(again, tmp_path) == reference


def test_a_workspace_that_cannot_be_made(corpus, pattern, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JobError, match="file/work cannot be written to"):
        count_words(corpus, pattern, workspace=tmp_path / "file" / "work")


COUNT = """
import sys
from pathlib import Path
from tokkit.corpus import open_corpus
from tokkit.patterns import find_pattern
from tokkit.words import count_words, write_counts
folder, work, output = map(Path, sys.argv[1:])
words = count_words(open_corpus([folder]), find_pattern("gpt2"), parts=40, workspace=work)
write_counts(words, output)
"""


def test_killed_anywhere_and_started_again_it_writes_the_same(folder, reference, tmp_path):
    work, output = tmp_path / "work", tmp_path / "counts.parquet"
    command = [sys.executable, "-c", COUNT, str(folder), str(work), str(output)]
    work.mkdir()
    (work / "words-0.tmp").write_text("left by a killed process")
    finished = []
    for wanted in (1, 2, 3):
        process = subprocess.Popen(command)
        while len(list(work.glob("*.npz"))) < wanted and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        finished.append(len(list(work.glob("*.npz"))))
    subprocess.run(command, check=True)
    assert output.read_bytes() == reference
    assert finished == sorted(finished)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []
