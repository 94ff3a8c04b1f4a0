"""What holds for every algorithm."""

import json
import math

import pytest

from tokkit.corpus import open_corpus
from tokkit.errors import CorpusError, UsageError
from tokkit.formats import load, save
from tokkit.formats.check import awkward_texts
from tokkit.learn import ALGORITHMS
from tokkit.learn.options import Job, LiB, Options
from tokkit.patterns import find_pattern

AWKWARD = ["", " ", "\n\r\t \u00a0", "naïve 日本語 🤯🏽", "a\0b", "x" * 1000, "1234567 ::: 8,9"]
QUICK = LiB(epochs=40)


def learn(name, corpus, **options):
    settings = {"vocab_size": 700, "pattern": find_pattern("gpt2"), "lib": QUICK, **options}
    return ALGORITHMS[name](corpus, Options(**settings), Job())


@pytest.fixture(scope="module", params=ALGORITHMS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def learned(name, shakespeare):
    return learn(name, shakespeare[0], specials=("<|end|>",))


def test_every_text_comes_back(learned, shakespeare):
    tokenizer, _ = learned
    for text in [*AWKWARD, *shakespeare[1][:50]]:
        assert tokenizer.decode(tokenizer.encode(text)).decode() == text


def test_transformers_reads_what_is_written_with_equal_ids(learned, shakespeare, tmp_path):
    transformers = pytest.importorskip("transformers")
    tokenizer, _ = learned
    save(tokenizer, tmp_path / "hf")
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")
    again = load(tmp_path / "hf")
    for text in [*AWKWARD, "<|end|> a<|end|>", *awkward_texts(tokenizer), *shakespeare[1][:50]]:
        expected = theirs.encode(text, add_special_tokens=False)
        assert again.encode(text).tolist() == expected
        assert tokenizer.encode(text, parse_specials=True).tolist() == expected


def test_the_vocabulary_is_as_large_as_asked_for_with_special_tokens_first(learned):
    tokenizer, _ = learned
    assert len(tokenizer) == 700
    assert tokenizer.vocab.specials["<|end|>"] == 0


def test_the_history_says_what_came_out(learned):
    _, history = learned
    summary = history.summary
    assert {"bytes_per_token", "description_length_bits", "multi_word_share"} <= summary.keys()
    assert math.isfinite(summary["bytes_per_token"])
    assert history.curve
    json.dumps([history.curve, summary])


def test_learning_again_gives_the_same(name, learned, shakespeare):
    tokenizer, history = learn(name, shakespeare[0], specials=("<|end|>",))
    assert tokenizer.vocab == learned[0].vocab
    assert history == learned[1]


def test_too_small_a_vocabulary_is_refused(name, shakespeare):
    with pytest.raises(UsageError, match="too small"):
        learn(name, shakespeare[0], vocab_size=200)


def test_a_corpus_without_text_is_refused(name, tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("")
    with pytest.raises(CorpusError):
        learn(name, open_corpus([path]))
