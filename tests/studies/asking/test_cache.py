"""Caches: what goes in comes out, to threads and processes alike, and to nothing else."""

import json
import math
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.studies.asking.questions import chat, prompt
from tokkit.errors import JobError, UsageError
from tokkit.studies.asking import Answer, AnswerCache, Choice, TokenLogprob

TEXTS = st.text(st.characters(), max_size=20)
NUMBERS = st.floats(allow_nan=False)
CHOICES = st.builds(Choice, TEXTS, NUMBERS)
TOKENS = st.builds(TokenLogprob, TEXTS, NUMBERS, st.lists(CHOICES, max_size=3).map(tuple))
ANSWERS = st.builds(
    Answer,
    text=TEXTS,
    prompt_tokens=st.none() | st.integers(0, 2**40),
    completion_tokens=st.none() | st.integers(0, 2**40),
    finish_reason=st.none() | TEXTS,
    logprobs=st.lists(TOKENS, max_size=3).map(tuple),
    seconds=st.floats(0, 1e6),
)


def put(cache, number, text="fine"):
    cache.put(f"{number:064x}", "model", chat(str(number)), Answer(text=text))


@given(ANSWERS)
def test_an_answer_comes_out_as_it_went_in(answer):
    with AnswerCache() as cache:
        cache.put("a" * 64, "model", chat("a"), answer)
        assert cache.get("a" * 64) == answer
        assert cache.get("b" * 64) is None


def test_a_logprob_that_is_not_known_stays_so():
    with AnswerCache() as cache:
        unknown = Answer(logprobs=(TokenLogprob("a", math.nan),))
        cache.put("a", "model", chat("a"), unknown)
        assert math.isnan(cache.get("a").logprobs[0].logprob)


def test_what_was_asked_can_be_looked_at(tmp_path):
    file = tmp_path / "answers.db"
    with AnswerCache(file) as cache:
        cache.put("1", "model", chat("é\ud800", max_tokens=7), Answer(text="a"))
        cache.put("2", "model", prompt("b"), Answer(text="c"))
        [(model, content, answer), _] = cache
        assert cache.count() == 2
    assert (model, answer) == ("model", Answer(text="a"))
    assert content["messages"] == [["user", "é\ud800"]]
    assert content["decoding"]["max_tokens"] == 7
    with sqlite3.connect(file) as plain:
        rows = plain.execute("SELECT request, answer FROM answers").fetchall()
        found = [(json.loads(request), json.loads(answer)) for request, answer in rows]
        assert [request["prompt"] for request, _ in found] == [None, "b"]
        assert [answer["text"] for _, answer in found] == ["a", "c"]
    plain.close()


def test_the_first_answer_stays():
    with AnswerCache() as cache:
        put(cache, 1, "first")
        put(cache, 1, "second")
        assert cache.get(f"{1:064x}").text == "first"


def test_errors_are_not_kept():
    with AnswerCache() as cache, pytest.raises(ValueError, match="not an answer"):
        cache.put("1", "model", chat("a"), Answer(error="no"))


@pytest.mark.parametrize(
    "content", [b"a text", b"SQLite format 3\0 and no more" * 9, b"\0" * 9]
)
def test_other_files_are_left_as_they_are(tmp_path, content):
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="is not a cache of answers"):
        AnswerCache(file)
    assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


def test_other_databases_are_left_as_they_are(tmp_path):
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE answers (a)")
    other.close()
    before = file.read_bytes()
    with pytest.raises(UsageError, match="is not a cache of answers"):
        AnswerCache(file)
    assert file.read_bytes() == before


def test_later_versions_are_left_as_they_are(tmp_path):
    file = tmp_path / "later.db"
    AnswerCache(file).close()
    with sqlite3.connect(file) as later:
        later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(UsageError, match="a later version"):
        AnswerCache(file)


def test_an_empty_file_becomes_a_cache(tmp_path):
    file = tmp_path / "empty"
    file.touch()
    with AnswerCache(file) as cache:
        put(cache, 1)


@pytest.mark.parametrize("name", ["absent/answers.db", "."])
def test_places_that_cannot_be_written(tmp_path, name):
    with pytest.raises(JobError, match="see that its folder exists"):
        AnswerCache(tmp_path / name)


def test_a_full_disk(tmp_path):
    """A limit on the size of the file is to SQLite what a full disk is."""
    with AnswerCache(tmp_path / "answers.db") as cache:
        put(cache, 0)
        cache.database.execute("PRAGMA max_page_count = 12")
        with pytest.raises(JobError, match=r"disk is full.*has space"):
            put(cache, 1, "long " * 100_000)
        assert cache.get(f"{0:064x}").text == "fine"


def test_a_file_that_may_not_be_written(tmp_path):
    with AnswerCache(tmp_path / "answers.db") as cache:
        cache.database.execute("PRAGMA query_only = 1")
        with pytest.raises(JobError, match="readonly"):
            put(cache, 1)


def test_many_threads():
    with AnswerCache() as cache:

        def write(first):
            for number in range(first, 400, 8):
                put(cache, number, str(number))
                assert cache.get(f"{number:064x}").text == str(number)

        threads = [threading.Thread(target=write, args=(first,)) for first in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert cache.count() == 400


WRITER = """
import sys
from tokkit.studies.asking import Answer, AnswerCache, Message, Request
request = Request(key="a", messages=(Message("user", "a"),))
sys.stdin.readline()
with AnswerCache(sys.argv[1]) as cache:
    for number in range(int(sys.argv[2]), 300, 3):
        cache.put(str(number), "model", request, Answer(text=str(number)))
"""


def test_many_processes_that_begin_at_once(tmp_path):
    """Three processes make the same file and fill it."""
    file = tmp_path / "answers.db"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, file, str(first)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for first in range(3)
    ]
    for writer in writers:
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    assert [writer.communicate()[1] for writer in writers] == [b""] * 3
    with AnswerCache(file) as cache:
        assert sorted(int(answer.text) for *_, answer in cache) == list(range(300))


def test_a_copy_without_its_log_is_whole_up_to_the_last_checkpoint(tmp_path):
    """What a process leaves that is killed: the file and its log, read by the next one."""
    cache = AnswerCache(tmp_path / "answers.db")
    put(cache, 1)
    left = tmp_path / "left"
    left.mkdir()
    for path in Path(tmp_path).glob("answers.db*"):
        shutil.copy(path, left)
    cache.close()
    with AnswerCache(left / "answers.db") as found:
        assert json.dumps([each[2].text for each in found]) == '["fine"]'
