"""Two stages: what the second may merge, and that training counts what encoding does."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.reference import merges as reference
from tokkit.corpus import open_corpus
from tokkit.errors import UsageError
from tokkit.learn import bpe, superbpe
from tokkit.learn.options import Job, Options, SuperBPE
from tokkit.patterns import PATTERNS, find_pattern, recognise
from tokkit.pretokenize import Pieces, for_pattern
from tokkit.vocab import flatten

CL100K = find_pattern("cl100k")


def learn(corpus, vocab_size=1500, job=None, pattern=CL100K, **options):
    return superbpe.learn(
        corpus, Options(vocab_size=vocab_size, pattern=pattern, **options), job or Job()
    )


@pytest.fixture(scope="module")
def learned(shakespeare):
    return learn(shakespeare[0], specials=("<s>",))


def test_the_first_stage_is_bpe(shakespeare, learned):
    first, _ = bpe.learn(
        shakespeare[0], Options(vocab_size=1125, pattern=CL100K, specials=("<s>",)), Job()
    )
    tokenizer, history = learned
    assert history.summary["transition"] == 1125
    assert tokenizer.vocab.tokens[:1125] == first.vocab.tokens
    assert len(tokenizer) == 1500


def test_training_counts_what_encoding_does(shakespeare, learned):
    tokenizer, history = learned
    encoded = tokenizer.encode_batch(shakespeare[1])
    assert history.summary["tokens"] == sum(map(len, encoded))
    sizes = [row["vocab_size"] for row in history.curve]
    assert sizes == sorted(sizes)
    assert history.curve[-1]["tokens"] == history.summary["tokens"]


def test_the_second_stage_merges_as_the_oracle_does(shakespeare, tmp_path):
    speeches = shakespeare[1][:60]
    path = tmp_path / "speeches.jsonl"
    path.write_text("".join(json.dumps({"text": speech}) + "\n" for speech in speeches))
    tokenizer, history = learn(
        open_corpus([path]), 480, superbpe=SuperBPE(transition=0.9, max_words=2)
    )
    transition = history.summary["transition"]
    tokens, merges = tokenizer.vocab.tokens, bpe.merges_of(tokenizer).tolist()
    first = [merge for merge in merges if merge[2] < transition]
    runs = {}
    cut = for_pattern(PATTERNS["superbpe-stage2"])
    pieces = cut.split(Pieces(*flatten([text.encode() for text in speeches if text])))
    for piece in pieces.as_bytes():
        runs[piece] = runs.get(piece, 0) + 1
    words = []
    for piece, count in runs.items():
        ids = [tokens.index(bytes([byte])) for byte in piece]
        for left, right, merged in first:
            if (left, right) in reference.windows(ids):
                ids = reference.merge_word(ids, (left, right), merged)
        words.append((ids, count))
    expected, found, _ = reference.learn_merges(
        words,
        tokens[:transition],
        480,
        may_join=lambda left, right: (
            len((left + right).split()) <= 2 and b": " not in left + right
        ),
    )
    assert tokens[transition:] == tuple(expected[transition:])
    assert [list(merge) for merge in found] == merges[len(first) :]


def test_tokens_hold_few_words_and_no_colon_with_a_space(shakespeare, learned):
    tokens = learned[0].vocab.tokens[1125:]
    assert max(len(token.split()) for token in tokens) == 3
    assert not any(b": " in token for token in tokens)
    assert learned[1].summary["multi_word_share"] > 0.08
    narrow, _ = learn(shakespeare[0], superbpe=SuperBPE(max_words=2))
    assert max(len(token.split()) for token in narrow.vocab.tokens) == 2


def test_compression_is_better_than_that_of_bpe(shakespeare, learned):
    single, _ = bpe.learn(shakespeare[0], Options(vocab_size=1500, pattern=CL100K), Job())
    super_tokens = sum(map(len, learned[0].encode_batch(shakespeare[1])))
    assert super_tokens < 0.95 * sum(map(len, single.encode_batch(shakespeare[1])))


def test_shards_and_executors_do_not_matter(shakespeare, learned):
    with ThreadPoolExecutor(2) as executor:
        job = Job(executor=executor, parts=3)
        tokenizer, history = learn(shakespeare[0], specials=("<s>",), job=job)
    assert tokenizer.vocab == learned[0].vocab
    assert history == learned[1]


def test_an_existing_tokenizer_takes_the_place_of_the_first_stage(shakespeare):
    corpus, speeches = shakespeare
    first, _ = bpe.learn(corpus, Options(vocab_size=1000, pattern=CL100K), Job())
    tokenizer, history = learn(corpus, 1200, init=first)
    assert tokenizer.vocab.tokens[:1000] == first.vocab.tokens
    assert history.summary["transition"] == 1000
    assert any(len(token.split()) > 1 for token in tokenizer.vocab.tokens[1000:])
    assert history.summary["tokens"] == sum(map(len, tokenizer.encode_batch(speeches)))


@pytest.mark.parametrize("name", ["superbpe", "none"])
def test_a_pattern_that_does_not_cut_words_gives_way(name):
    assert superbpe.first_pattern(PATTERNS[name]) == PATTERNS["superbpe-stage1"]
    assert superbpe.first_pattern(CL100K) == CL100K


def test_settings_out_of_range_are_refused(shakespeare):
    for settings in (SuperBPE(transition=1.5), SuperBPE(max_words=0)):
        with pytest.raises(UsageError, match="transition"):
            learn(shakespeare[0], superbpe=settings)


def test_text_of_one_byte_is_a_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a")
    tokenizer, history = learn(open_corpus([path]), 300)
    assert len(tokenizer) == 256
    assert history.summary["exhausted"]


@pytest.mark.parametrize("engine", ["regex", "oniguruma", "rust"])
def test_what_is_written_is_recognised_when_read_again(engine):
    for name in ("superbpe", "superbpe-stage2", "none"):
        for digits in ("keep", "single", "l2r3", "r2l3"):
            pattern = find_pattern(name, digits)
            again = recognise(pattern.for_engine(engine), engine)
            assert again is not None
            assert again.scanner == pattern.scanner
