"""Unigram models learned by sentencepiece: the same ids there, here and at Hugging Face."""

import random

import pytest
import sentencepiece

import tokkit
from tokkit.corpus import open_corpus
from tokkit.errors import CorpusError, UsageError
from tokkit.formats import save
from tokkit.learn import unigram
from tokkit.learn.lines import read_lines
from tokkit.learn.options import Job, Options
from tokkit.patterns import PATTERNS


def options(vocab_size=1000, **others):
    return Options(vocab_size=vocab_size, pattern=PATTERNS["none"], **others)


@pytest.fixture(scope="module")
def learned(shakespeare):
    return unigram.learn(shakespeare[0], options(specials=("<s>", "<pad>")), Job())


def odd_texts():
    rng = random.Random(0)
    alphabet = "abe  \n\t<0x0A><unk>é日🙂'.,K\x00"
    yield from ["".join(rng.choices(alphabet, k=40)) for _ in range(100)]
    yield "the king <0x0A> <s> <unk>  \n\n and queen"


def test_ids_are_those_of_sentencepiece(learned, shakespeare):
    lines = read_lines(shakespeare[0], True, unigram.TEXT_LIMIT, 0)
    model = unigram.train(lines, options(specials=("<s>", "<pad>")))
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    for text in [*shakespeare[1][:300], *odd_texts()]:
        assert learned[0].encode(text).tolist() == processor.encode(text)


def test_ids_are_those_of_the_exported_tokenizer(learned, shakespeare, tmp_path):
    transformers = pytest.importorskip("transformers")
    save(learned[0], tmp_path / "hf", to="hf")
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")
    again = tokkit.load(tmp_path / "hf")
    for text in [*shakespeare[1][:300], "".join(shakespeare[1])]:
        ids = learned[0].encode(text).tolist()
        assert loaded.encode(text, add_special_tokens=False) == ids
        assert again.encode(text).tolist() == ids
    for text in odd_texts():
        ids = learned[0].encode(text, parse_specials=True).tolist()
        assert loaded.encode(text, add_special_tokens=False) == ids


def test_text_comes_back(learned):
    for text in odd_texts():
        assert learned[0].decode(learned[0].encode(text)).decode() == text


def test_special_tokens_come_first_then_the_unknown_and_bytes(learned):
    tokenizer, history = learned
    assert dict(tokenizer.vocab.specials) == {"<s>": 0, "<pad>": 1, "<unk>": 2}
    assert tokenizer.vocab.tokens[3:259] == tuple(bytes([byte]) for byte in range(256))
    assert len(tokenizer) == 1000
    assert history.summary["bytes_per_token"] == history.curve[-1]["bytes_per_token"] > 2


def test_the_same_text_gives_the_same_model(learned, shakespeare):
    again, _ = unigram.learn(shakespeare[0], options(specials=("<s>", "<pad>")), Job())
    assert again.digest == learned[0].digest


def test_long_lines_are_learned_from_too(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("abc abd " * 20_000)
    tokenizer, _ = unigram.learn(open_corpus([path]), options(vocab_size=285), Job())
    assert max(map(len, tokenizer.vocab.tokens)) >= 3


def test_sizes_that_cannot_be_are_refused(shakespeare):
    with pytest.raises(UsageError, match=r"at most \d+ tokens, not 90000"):
        unigram.learn(shakespeare[0], options(vocab_size=90_000), Job())
    with pytest.raises(UsageError, match=r"too small: .* are 3"):
        unigram.learn(shakespeare[0], options(vocab_size=260), Job())


def test_what_unigram_cannot_do_is_refused(learned, shakespeare, tmp_path):
    with pytest.raises(UsageError, match="extended"):
        unigram.learn(shakespeare[0], options(init=learned[0]), Job())
    with pytest.raises(UsageError, match="minimal count"):
        unigram.learn(shakespeare[0], options(min_count=2), Job())
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(CorpusError):
        unigram.learn(open_corpus([tmp_path / "empty.txt"]), options(), Job())
