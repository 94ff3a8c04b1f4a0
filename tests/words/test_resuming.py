"""Counting into a file: interrupted, refused, resumed, started over."""

import pytest

from tokkit.corpus import open_corpus
from tokkit.errors import CorpusError, UsageError
from tokkit.words import count_into


class Interrupt:
    """A progress callback that stops the job after its second part."""

    def __init__(self):
        self.calls = 0

    def __call__(self, stage, done, total):
        self.calls += 1
        if self.calls == 2:
            raise KeyboardInterrupt


@pytest.fixture
def interrupted(corpus, pattern, tmp_path):
    """The file to be written by a job that stopped early."""
    path = tmp_path / "counts.parquet"
    with pytest.raises(KeyboardInterrupt):
        count_into(path, corpus, pattern, parts=20, progress=Interrupt())
    return path


def test_what_an_interrupted_job_leaves_is_not_a_result(interrupted):
    assert not interrupted.exists()
    assert list(interrupted.with_name("counts.parquet.partial").glob("*.npz"))


def test_it_is_not_touched_unless_asked(corpus, pattern, interrupted):
    with pytest.raises(UsageError, match="--resume continues it"):
        count_into(interrupted, corpus, pattern)
    assert list(interrupted.with_name("counts.parquet.partial").glob("*.npz"))


@pytest.mark.parametrize("way", ["force", "resume"])
def test_resumed_or_started_over_it_gives_the_same(
    corpus, pattern, interrupted, reference, way
):
    count_into(interrupted, corpus, pattern, parts=20, **{way: True})
    assert interrupted.read_bytes() == reference
    assert [path.name for path in interrupted.parent.iterdir()] == ["counts.parquet"]


def test_a_corpus_that_cannot_be_read_leaves_nothing(pattern, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"text": 1}\n')
    with pytest.raises(CorpusError):
        count_into(tmp_path / "counts.parquet", open_corpus([tmp_path / "bad.jsonl"]), pattern)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.jsonl"]
