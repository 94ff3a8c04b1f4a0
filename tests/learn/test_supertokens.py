"""Stochastic chunks: their distribution, their seeds, and what is learned from them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tokkit.corpus import make_batch
from tokkit.errors import UsageError
from tokkit.learn import bpe, supertokens
from tokkit.learn.options import Job, Options, Supertokens
from tokkit.patterns import find_pattern

CL100K = find_pattern("cl100k")
LENGTHS = supertokens.length_table(supertokens.DEFAULT_CHUNKS)


def learn(corpus, job=None, **options):
    options = Options(vocab_size=1200, pattern=CL100K, **options)
    return supertokens.learn(corpus, options, job or Job())


@pytest.fixture(scope="module")
def learned(shakespeare):
    return learn(shakespeare[0])


def lengths_of(documents, seed=0):
    pieces = supertokens.cut(make_batch([text.encode() for text in documents]), LENGTHS, seed)
    return [len(piece.decode()) for piece in pieces.as_bytes()]


def test_lengths_follow_the_published_distribution():
    found = np.bincount(lengths_of(["é" * 1_000_000])[:-1], minlength=24)
    weights = supertokens.DEFAULT_CHUNKS
    for (least, most), weight in weights.items():
        share = weight / sum(weights.values())
        assert found[least : most + 1].sum() / found.sum() == pytest.approx(share, abs=0.005)
        # Within a range every length is as likely as the others.
        assert found[least] / found[most] == pytest.approx(1, abs=0.15)
    assert found[:4].sum() == 0


def test_chunks_of_a_document_depend_on_seed_and_document_only():
    assert lengths_of(["x" * 99, "y" * 99]) == lengths_of(["x" * 99]) + lengths_of(["y" * 99])
    assert lengths_of(["x" * 99]) != lengths_of(["y" * 99])
    assert lengths_of(["x" * 99], seed=1) != lengths_of(["x" * 99])


def test_the_length_table_holds_running_sums():
    table = supertokens.length_table({(4, 5): 1.0, (6, 6): 3.0})
    assert table.tolist() == [[4, 2, 250_000], [6, 1, 1_000_000]]


@pytest.mark.parametrize(
    "chunks", [{(0, 3): 1.0}, {(5, 4): 1.0}, {(1, 2): -1.0}, {(1, 2): 0.0}]
)
def test_distributions_that_mean_nothing_are_refused(chunks, shakespeare):
    with pytest.raises(UsageError, match="chunk lengths"):
        learn(shakespeare[0], supertokens=Supertokens(chunks=chunks))


def test_tokens_are_no_longer_than_allowed(shakespeare):
    tokenizer, _ = learn(shakespeare[0], supertokens=Supertokens(max_bytes=5))
    assert max(map(len, tokenizer.vocab.tokens)) == 5
    with pytest.raises(UsageError, match="max_bytes"):
        learn(shakespeare[0], supertokens=Supertokens(max_bytes=1))


def test_tokens_reach_across_words_and_whole_texts_are_encoded(shakespeare, learned):
    tokenizer, history = learned
    assert history.summary["multi_word_share"] > 0.05
    encoded = tokenizer.encode_batch(shakespeare[1])
    assert history.summary["tokens"] == sum(map(len, encoded))
    assert history.curve[-1]["tokens"] > history.summary["tokens"]
    text = shakespeare[1][5]
    assert tokenizer.decode(tokenizer.encode(text)).decode() == text
    assert tokenizer.pattern.name == "none"


def test_shards_and_executors_do_not_matter(shakespeare, learned):
    with ThreadPoolExecutor(2) as executor:
        tokenizer, history = learn(shakespeare[0], Job(executor=executor, parts=3))
    assert tokenizer.vocab == learned[0].vocab
    assert history == learned[1]


def test_another_seed_learns_other_tokens(shakespeare, learned):
    assert learn(shakespeare[0], seed=1)[0].vocab != learned[0].vocab


def test_training_without_chunks_inside_documents_is_bpe_of_documents(shakespeare):
    corpus, speeches = shakespeare
    counts = {}
    for speech in speeches:
        if speech:
            counts[speech.encode()] = counts.get(speech.encode(), 0) + 1
    from tokkit.words import from_words

    whole, _ = bpe.learn_from_counts(
        from_words(counts), Options(vocab_size=1200, pattern=find_pattern("none")), Job()
    )
    long = Supertokens(chunks={(10**6, 10**6): 1.0}, max_bytes=10**6)
    assert learn(corpus, supertokens=long)[0].vocab == whole.vocab
