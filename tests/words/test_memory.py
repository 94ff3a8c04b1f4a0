"""Memory grows with the distinct words, not with the corpus."""

import json
import os
import random
import subprocess
import sys

import pytest

from tokkit.corpus import open_corpus
from tokkit.patterns import find_pattern
from tokkit.words import count_words

COUNT = """
import resource, sys
limit = int(sys.argv[1]) << 20
if limit:
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
from tokkit.corpus import open_corpus
from tokkit.patterns import find_pattern
from tokkit.words import count_words
counts = count_words(open_corpus(sys.argv[3:] * int(sys.argv[2])), find_pattern("gpt2"))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(peak, len(counts), counts.counts.sum(), counts.metadata["bytes"])
"""


def count_apart(path, copies=1, limit=0):
    """Peak memory in MiB, words, their sum and bytes, of counting in a process of its own."""
    command = [sys.executable, "-c", COUNT, str(limit), str(copies), str(path)]
    # Idle threads of the linear algebra library would reserve address space.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    return list(map(int, done.stdout.split()))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Four megabytes of text with 20,000 distinct words, all kernels for which are compiled."""
    source = random.Random(8)
    words = [source.randbytes(source.randrange(1, 12)).hex() for _ in range(20000)]
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_text(" ".join(source.choices(words, k=320_000)))
    count_words(open_corpus([path]), find_pattern("gpt2"))
    return path


def test_memory_does_not_grow_with_the_corpus(path):
    peak, words, total, size = count_apart(path)
    larger_peak, *larger = count_apart(path, copies=12)
    assert larger == [words, 12 * total, 12 * size]
    assert larger_peak - peak < 24


@pytest.mark.parametrize("text", ["word " * 4_000_000, "é" * 10_000_000])
def test_a_line_or_word_of_twenty_megabytes_is_counted_in_little_memory(path, tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    peak, *_, size = count_apart(tmp_path / "a.txt")
    assert size == len(text.encode())
    assert peak - count_apart(path)[0] < 24


def test_a_record_of_twenty_megabytes_takes_a_few_times_its_size(path, tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "word " * 4_000_000}))
    peak, *_, size = count_apart(tmp_path / "a.jsonl")
    assert size == 20_000_000
    assert peak - count_apart(path)[0] < 120


@pytest.mark.slow
def test_a_corpus_ten_times_the_memory_limit_is_counted(path):
    limit = 360
    copies = 10 * (limit << 20) // path.stat().st_size + 1
    words, total, size = count_apart(path)[1:]
    assert size * copies > 10 * (limit << 20)
    assert count_apart(path, copies, limit)[1:] == [words, total * copies, size * copies]
