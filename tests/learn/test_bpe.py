"""Merges, ids and errors of byte-pair encoding, against Hugging Face's trainer."""

import gzip
import json
import logging

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from tokkit import formats
from tokkit.alphabet import BYTE_LEVEL, from_byte_level
from tokkit.corpus import open_corpus
from tokkit.errors import CorpusError, UsageError
from tokkit.learn import bpe
from tokkit.learn.options import Job, Options
from tokkit.patterns import PATTERNS, find_pattern
from tokkit.words import from_words

NONE = PATTERNS["none"]


def learn(words, vocab_size, pattern=NONE, **options):
    """Learn from ``{b"word": count}``."""
    counts = from_words(words)
    return bpe.learn_from_counts(
        counts, Options(vocab_size=vocab_size, pattern=pattern, **options), Job()
    )


def merges_of(tokenizer):
    tokens = tokenizer.vocab.tokens
    return [(tokens[left], tokens[right]) for left, right, _ in bpe.merges_of(tokenizer)]


def train_theirs(texts, vocab_size, pattern=None, min_frequency=0, specials=()):
    """Train with Hugging Face; the whole text is one word if there is no pattern."""
    theirs = Tokenizer(models.BPE())
    cut = [] if pattern is None else [pre_tokenizers.Split(Regex(pattern), "isolated")]
    spell = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    theirs.pre_tokenizer = pre_tokenizers.Sequence([*cut, spell])
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=list(specials),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    theirs.train_from_iterator(texts, trainer)
    return theirs


def their_merges(theirs):
    merges = json.loads(theirs.to_str())["model"]["merges"]
    return [tuple(map(from_byte_level, merge)) for merge in merges]


@settings(max_examples=50)
@given(
    st.dictionaries(st.text("abcé ", min_size=1, max_size=12), st.integers(1, 9), min_size=1),
    st.integers(0, 60),
    st.integers(0, 4),
)
def test_merges_are_those_of_hugging_face_on_any_counts(counts, merges, min_count):
    theirs = train_theirs(
        (word for word, count in counts.items() for _ in range(count)),
        256 + merges,
        min_frequency=min_count,
    )
    words = {word.encode(): count for word, count in counts.items()}
    ours, _ = learn(words, 256 + merges, min_count=min_count)
    assert merges_of(ours) == their_merges(theirs)
    assert len(ours) == theirs.get_vocab_size()


@pytest.fixture(scope="module")
def documents(shared):
    """About 2 MB of prose, code and thirteen languages."""
    with gzip.open(shared / "corpora" / "docs_en.jsonl.gz", "rt", encoding="utf-8") as file:
        prose = [json.loads(line)["text"] for _, line in zip(range(40), file, strict=False)]
    with gzip.open(shared / "corpora" / "code.jsonl.gz", "rt", encoding="utf-8") as file:
        code = [json.loads(line)["text"] for _, line in zip(range(40), file, strict=False)]
    path = shared / "corpora" / "parallel_fastapi.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [json.loads(line)["text"] for _, line in zip(range(6), file, strict=False)]
    return [*prose, *code, *(text for line in lines for text in line.values())]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "cl100k"])
def test_ids_are_those_of_hugging_face_on_real_text(name, documents, tmp_path):
    pattern = find_pattern(name)
    specials = ("<|endoftext|>", "<|pad|>")
    theirs = train_theirs(documents, 8192, pattern.for_engine("oniguruma"), specials=specials)
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in documents))
    options = Options(vocab_size=8192, pattern=pattern, specials=specials)
    ours, history = bpe.learn(open_corpus([path]), options, Job())
    assert merges_of(ours) == their_merges(theirs)
    assert ours.vocab.ids == {
        from_byte_level(token): token_id
        for token, token_id in theirs.get_vocab().items()
        if token not in specials
    }
    assert history.summary["tokens"] == sum(map(len, ours.encode_batch(documents)))


def test_ids_are_specials_then_bytes_then_merges():
    ours, _ = learn({b"ab": 3}, 260, specials=("<s>", "</s>"))
    theirs = train_theirs(["ab"] * 3, 260, specials=("<s>", "</s>"))
    assert ours.vocab.specials == {"<s>": 0, "</s>": 1}
    assert ours.vocab.tokens[:2] == (b"", b"")
    assert ours.vocab.tokens[258:] == (b"ab",)
    assert [BYTE_LEVEL[ours.vocab.tokens[token][0]] for token in range(2, 258)] == [
        theirs.id_to_token(token) for token in range(2, 258)
    ]


def test_counts_past_32_bits_are_counted():
    """HF tokenizers 0.23.3 and rustbpe 0.1.0 learn only "cd" from text with these counts."""
    ours, _ = learn({b"ab" * 10: 2**31 // 10, b"cd": 2}, 258)
    assert merges_of(ours) == [(b"a", b"b"), (b"ab", b"ab")]


def test_special_tokens_are_never_made_of_text():
    ours, _ = learn({b"<s>": 9, b"<sb": 2}, 300, specials=("<s>",))
    assert b"<s>" not in ours.vocab.tokens
    assert merges_of(ours)[0] == (b"<", b"s")
    assert ours.decode(ours.encode("<s>", parse_specials=False)) == b"<s>"


@pytest.mark.parametrize("specials", [("a",), ("",), ("<s>", "<s>"), ("Ġ",)])
def test_special_tokens_that_files_cannot_hold_are_refused(specials):
    with pytest.raises(UsageError, match="special token"):
        learn({b"ab": 1}, 300, specials=specials)


def test_too_small_a_vocabulary_is_refused():
    with pytest.raises(UsageError, match="257"):
        learn({b"ab": 1}, 256, specials=("<s>",))
    ours, history = learn({b"ab": 1}, 256)
    assert len(ours) == 256
    assert not history.summary["exhausted"]


def test_no_words_are_refused():
    with pytest.raises(CorpusError, match="no text"):
        learn({}, 300)


def test_a_text_that_supports_less_says_so(caplog):
    with caplog.at_level(logging.WARNING, "tokkit"):
        ours, history = learn({b"abc": 5, b"x y": 1}, 1000, min_count=2)
    assert ours.vocab.tokens[256:] == (b"ab", b"abc")
    assert history.summary["exhausted"]
    assert "258 tokens, not 1000" in caplog.text


def test_extending_keeps_ids_and_goes_on_where_learning_stopped():
    text = "the cat sat on the mat, the other cat sat on the other mat; " * 3
    counts = {}
    for word in regex.findall(r" ?\p{L}+|[^\p{L}]", text):
        counts[word.encode()] = counts.get(word.encode(), 0) + 1
    whole, _ = learn(counts, 290)
    half, _ = learn(counts, 270)
    extended, _ = learn(counts, 290, init=half)
    assert extended.vocab == whole.vocab
    assert merges_of(extended) == merges_of(whole)
    more, _ = learn(counts, 300, init=half, specials=("<new>",))
    assert more.vocab.tokens[:270] == half.vocab.tokens
    assert more.vocab.specials == {"<new>": 270}
    with pytest.raises(UsageError, match="271"):
        learn(counts, 270, init=half, specials=("<new>",))


def test_bytes_that_a_tokenizer_lacks_are_added(shared):
    path = shared / "tokenizers" / "superbpe_180k_200k" / "tokenizer.json"
    init = formats.load(path)
    assert b"\xc0" not in init.vocab.ids
    ours, _ = learn({"the ©\t".encode(): 3}, len(init) + 40, init=init)
    assert ours.vocab.tokens[: len(init)] == init.vocab.tokens
    assert all(bytes([byte]) in ours.vocab.ids for byte in range(256))


def test_only_byte_level_bpe_can_be_extended(shared):
    init = formats.load(shared / "tokenizers" / "llama2" / "tokenizer.model")
    with pytest.raises(UsageError, match="only byte-level BPE"):
        learn({b"ab": 1}, 40_000, init=init)


def test_words_counted_with_another_pattern_are_refused():
    counts = from_words({b"ab": 1}, {"regex": "a"})
    with pytest.raises(UsageError, match="count again"):
        bpe.learn_from_counts(counts, Options(vocab_size=300, pattern=NONE), Job())


def test_the_history_counts_tokens_as_encoding_does():
    words = {b"banana": 3, b"bandana": 2, b"ananas": 1}
    ours, history = learn(words, 262)
    tokens = sum(len(ours.encode(word)) * count for word, count in words.items())
    assert history.summary["tokens"] == history.curve[-1]["tokens"] == tokens
    assert history.summary["bytes"] == 6 * 3 + 7 * 2 + 6
    assert history.curve[0] == {"vocab_size": 256, "tokens": 38, "bytes_per_token": 1.0}


def test_one_very_long_word_is_no_problem():
    word = bytes(range(97, 123)) * 20_000
    ours, _ = learn({word: 1}, 290)
    assert len(ours) == 290
    assert b"abcdefghijklmnopqrstuvwxyz" in ours.vocab.tokens
