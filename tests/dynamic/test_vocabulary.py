"""Frequent words of a corpus, and files of tokens."""

from collections import Counter

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from tests.dynamic.test_merging import small
from tests.transplant.folders import byte_level, write
from tokkit import load
from tokkit.corpus import open_corpus
from tokkit.dynamic.writing.vocabulary import (
    frequent_tokens,
    new_tokens,
    read_tokens,
    write_tokens,
)
from tokkit.errors import UsageError, VocabularyError
from tokkit.patterns import PATTERNS

TEXT = "the cat, the hat\nthe cat and 12 hats; été été the cat\n"


@pytest.fixture
def tokenizer(tmp_path):
    return load(write(tmp_path / "tokenizer", byte_level(["<s>"], [("t", "h"), ("th", "e")])))


def corpus(tmp_path, *texts):
    paths = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.txt"
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    return open_corpus(paths)


def brute(texts, words):
    """Count words in a row with a regular expression, a counter and loops."""
    counted = Counter()
    for text in texts:
        pieces = regex.findall(PATTERNS["gpt2"].regex, text)
        counted.update(pieces)
        is_word = [piece[-1].isalnum() for piece in pieces]
        for count in range(2, words + 1):
            for place in range(len(pieces) - count + 1):
                own = pieces[place : place + count]
                if all(is_word[place : place + count]) and all(p[0] == " " for p in own[1:]):
                    counted["".join(own)] += 1
    return {piece.encode(): count for piece, count in counted.items()}


@pytest.mark.parametrize("words", [1, 2, 3])
@pytest.mark.parametrize("min_count", [1, 2])
def test_words_are_counted_as_by_hand(tmp_path, tokenizer, words, min_count):
    texts = [TEXT, "cat the\n", "the cat\n"]
    found = frequent_tokens(
        tokenizer, corpus(tmp_path, *texts), 10_000, words=words, min_count=min_count
    )
    counted = brute(texts, words)
    expected = [
        token
        for token in sorted(counted, key=lambda token: (-counted[token], token))
        if token not in tokenizer.vocab.ids and counted[token] >= min_count
    ]
    assert found == expected
    assert " été".encode() in found
    assert b"the" not in found


def test_there_are_as_many_as_there_is_room_for(tmp_path, tokenizer):
    whole = frequent_tokens(tokenizer, corpus(tmp_path, TEXT), 10_000)
    few = frequent_tokens(tokenizer, corpus(tmp_path, TEXT), len(tokenizer) + 2)
    assert few == whole[:2]
    with pytest.raises(UsageError, match="no room"):
        frequent_tokens(tokenizer, corpus(tmp_path, TEXT), len(tokenizer))


def test_a_tokenizer_that_cuts_nothing_still_has_words(tmp_path):
    found = frequent_tokens(small(), corpus(tmp_path, "one two one two\n"), 1000)
    assert b" two" in found
    assert all(b" " not in token[1:] for token in found)


def test_only_new_tokens_are_new(tokenizer):
    assert new_tokens(tokenizer, [b"the", b"xyz", b"", b"xyz", b"ab"]) == [b"xyz", b"ab"]


@given(st.lists(st.binary(max_size=6)))
def test_files_of_tokens_are_read_as_they_were_written(tmp_path_factory, tokens):
    path = tmp_path_factory.mktemp("tokens") / "tokens.jsonl"
    write_tokens(path, tokens)
    assert read_tokens(path) == tokens


def test_tokens_may_be_written_in_three_ways(tmp_path):
    path = tmp_path / "tokens.jsonl"
    path.write_text('" the"\n\n{"text": " the"}\n{"hex": "20746865"}\n')
    assert read_tokens(path) == [b" the"] * 3


@pytest.mark.parametrize("line", ["3", "{", '{"hex": "zz"}', '{"text": 3}', "{}", '{"hex": 3}'])
def test_other_lines_are_named(tmp_path, line):
    path = tmp_path / "tokens.jsonl"
    path.write_text(f'" a"\n{line}\n')
    with pytest.raises(VocabularyError, match=r"tokens\.jsonl:2: no token"):
        read_tokens(path)
