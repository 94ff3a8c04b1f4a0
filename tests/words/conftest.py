"""A corpus of a few megabytes that takes long enough to be interrupted, and its counts."""

import json
import random
from collections import Counter

import pytest
import regex

from tokkit.corpus import open_corpus
from tokkit.patterns import find_pattern
from tokkit.words import count_words, write_counts

SYLLABLES = ["ka", "lu", "mi", "to", "é", "ши", "四", "ing", "'s", "12", ".", " ", " ", "\n"]


@pytest.fixture(scope="session")
def texts():
    """Distinct documents of all kinds of pieces."""
    source = random.Random(3)
    return ["".join(source.choices(SYLLABLES, k=source.randrange(3000))) for _ in range(600)]


@pytest.fixture(scope="session")
def folder(texts, tmp_path_factory):
    """The documents as JSON lines in several files, one of them larger than a block."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = [json.dumps({"text": text}) for text in texts]
    for number, first in enumerate([0, 400, 500]):
        last = [400, 500, 600][number]
        (folder / f"{number}.jsonl").write_text("\n".join(lines[first:last]) + "\n")
    return folder


@pytest.fixture
def corpus(folder):
    """The documents as a corpus."""
    return open_corpus([folder])


@pytest.fixture(scope="session")
def pattern():
    """GPT-2's."""
    return find_pattern("gpt2")


@pytest.fixture(scope="session")
def expected(texts):
    """The counts, by the `regex` library and a dictionary; the pattern as published."""
    published = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    words = (word for text in texts for word in regex.findall(published, text))
    return dict(sorted((word.encode(), count) for word, count in Counter(words).items()))


@pytest.fixture(scope="session")
def reference(folder, pattern, tmp_path_factory):
    """The bytes of the file of counts that one process writes."""
    path = tmp_path_factory.mktemp("counts") / "reference.parquet"
    write_counts(count_words(open_corpus([folder]), pattern), path)
    return path.read_bytes()
