"""Less-is-Better: published figures, sizes, losslessness and resuming."""

from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest

from tests.reference import lib_contexts
from tests.reference.longest import longest_match
from tokkit.corpus import open_corpus
from tokkit.errors import CorpusError, JobError, UsageError
from tokkit.learn import lib
from tokkit.learn.options import LIB_PRESETS, Job, LiB, Options
from tokkit.patterns import PATTERNS
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

QUICK = LiB(document_size=60, epochs=60)


def learn(corpus, job=None, settings=QUICK, vocab_size=100_000, **options):
    options = Options(vocab_size=vocab_size, pattern=PATTERNS["none"], lib=settings, **options)
    return lib.learn(corpus, options, job or Job())


def corpus_of(tmp_path, text):
    path = tmp_path / "corpus.txt"
    path.write_text(text, encoding="utf-8", newline="")
    return open_corpus([path])


@pytest.fixture(scope="module")
def learned(shakespeare):
    return learn(shakespeare[0])


def f1(correct, found, wanted):
    return 200 * correct / (found + wanted)


def scores(tokenizer, sentences):
    """Boundary and token F1 in percent, as the notebook of ray306/LiB computes them.

    It learns units of up to 12 characters but cuts with those of up to 10.
    """
    ranks = tokenizer.vocab.ids
    short = [token if len(token) <= 10 else b"" for token in tokenizer.vocab.tokens]
    tokenizer = Tokenizer(Vocabulary(tuple(short)), LongestMatch(short))
    found, wanted, correct = [], [], 0
    for words in sentences:
        ids = tokenizer.encode("".join(words))
        units = [part for i in ids for part in lib.parts(ranks, short[i])]
        found += units
        wanted += words
        correct += sum(unit.decode() in set(words) for unit in units)
    edges = [set(accumulate(map(len, units))) for units in (found, wanted)]
    boundary = f1(len(edges[0] & edges[1]), len(edges[0]), len(edges[1]))
    return boundary, f1(correct, len(found), len(wanted))


@pytest.mark.parametrize("seed", [0, 1])
def test_child_directed_speech_without_spaces_is_cut_as_published(shared, tmp_path, seed):
    """Published after 5000 epochs: 84.4 and 63.1."""
    lines = (shared / "corpora/br-text.txt").read_text().split("\n")
    sentences = [line.split() for line in lines if line]
    corpus = corpus_of(tmp_path, "\n".join("".join(words) for words in sentences))
    tokenizer, history = learn(corpus, settings=LIB_PRESETS["2020"], seed=seed)
    assert 1800 < history.summary["units"] < 2100
    boundary, token = scores(tokenizer, sentences)
    assert boundary >= 83
    assert token >= 61


def test_the_revision_of_2023_reproduces_its_published_lexicon_sizes(shared):
    """The sizes that its demonstration prints for this corpus, with its own random numbers."""
    text = (shared / "corpora/br-text.txt").read_text().strip()
    sentences = [line.strip().replace(" ", "  ").split("  ") for line in text.split("\n")]
    marked = ["".join(f"{word} " for word in words) for words in sentences]
    model = lib_contexts.Model(marked, alpha=0.25, omega=0.01, life=3, delta=0.1)
    sizes = {}
    for step in range(201):
        model.step(200)
        sizes[step] = len(model.lexicon)
    model.clean()
    assert [sizes[0], sizes[100], sizes[200], len(model.lexicon)] == [415, 2015, 2338, 2145]


def test_any_bytes_come_back(learned):
    tokenizer, _ = learned
    for data in [b"", bytes(range(256)), "unseen é日🙂\n\n\r\n".encode(), b"\xff\xfe the king"]:
        assert tokenizer.decode(tokenizer.encode(data)) == data


def test_characters_bytes_and_special_tokens_are_tokens(shakespeare):
    tokenizer, _ = learn(shakespeare[0], specials=("<|end|>",), vocab_size=330)
    tokens = tokenizer.vocab.tokens
    assert len(tokens) == len(set(tokens)) == 330
    assert tokens[0] == b""
    assert tokenizer.vocab.specials == {"<|end|>": 0}
    assert {bytes([byte]) for byte in range(256)} < set(tokens)


def test_text_is_cut_as_it_was_for_reading(learned, shakespeare):
    tokenizer, _ = learned
    for text in shakespeare[1][:40]:
        expected = longest_match(dict(tokenizer.vocab.ids), text.encode())
        assert tokenizer.encode(text).tolist() == expected


def test_no_unit_goes_past_a_newline(learned):
    tokens = learned[0].vocab.tokens
    assert any(token.endswith(b"\n") and len(token) > 1 for token in tokens)
    assert not any(b"\n" in token.rstrip(b"\n") for token in tokens)


def test_units_need_not_hold_newlines(shakespeare):
    tokenizer, _ = learn(shakespeare[0], settings=replace(QUICK, line_ends=False))
    assert [token for token in tokenizer.vocab.tokens if b"\n" in token] == [b"\n"]


def test_a_smaller_vocabulary_keeps_the_most_used_units_in_order(learned, shakespeare):
    everything, history = learned
    size = len(everything) - 500
    smaller, _ = learn(shakespeare[0], vocab_size=size)
    assert len(smaller) == size
    left = iter(everything.vocab.tokens)
    assert all(token in left for token in smaller.vocab.tokens)  # a subsequence
    dropped = set(everything.vocab.tokens) - set(smaller.vocab.tokens)
    text = [speech.encode() for speech in shakespeare[1]]
    ids = np.concatenate(everything.encode_batch(text))
    used = np.bincount(ids, minlength=len(everything))
    of = everything.vocab.ids
    kept = [t for t in smaller.vocab.tokens if len(t) > 1]
    assert max(used[of[token]] for token in dropped) <= min(used[of[t]] for t in kept) + 2
    assert history.summary["lexicon"] == len(everything)


@pytest.mark.parametrize("target", [800, 1500])
def test_search_finds_the_exact_size(shakespeare, target):
    settings = replace(QUICK, epochs=20, target_size=target)
    tokenizer, history = learn(shakespeare[0], settings=settings)
    assert len(tokenizer) == target
    assert history.summary["lexicon"] >= target


def test_search_says_how_large_the_lexicon_got(tmp_path):
    settings = replace(QUICK, target_size=5000)
    with pytest.raises(JobError, match=r"no more than \d+ tokens .* not 5000"):
        learn(corpus_of(tmp_path, "to be or not to be\n" * 9), settings=settings)


def test_the_same_seed_gives_the_same_vocabulary(learned, shakespeare):
    assert learn(shakespeare[0])[0].vocab == learned[0].vocab
    assert learn(shakespeare[0], seed=1)[0].vocab != learned[0].vocab


class KilledError(Exception):
    pass


def test_a_killed_job_goes_on_to_the_same_result(learned, shakespeare, tmp_path, monkeypatch):
    monkeypatch.setattr("tokkit.learn.lexicon.SAVE_SECONDS", 0.0)

    def die(stage, done, total):
        if done == 40:
            raise KilledError

    with pytest.raises(KilledError):
        learn(shakespeare[0], Job(workspace=tmp_path, progress=die))
    assert [path.name for path in tmp_path.iterdir()] == ["lexicon.npz"]
    seen = []
    job = Job(workspace=tmp_path, progress=lambda stage, done, total: seen.append(done))
    tokenizer, history = learn(shakespeare[0], job)
    assert min(seen) > 20
    assert tokenizer.vocab == learned[0].vocab
    assert history == learned[1]


def test_a_state_of_other_settings_or_half_a_file_is_left_alone(learned, shakespeare, tmp_path):
    learn(shakespeare[0], Job(workspace=tmp_path), seed=3)
    tokenizer, _ = learn(shakespeare[0], Job(workspace=tmp_path))
    assert tokenizer.vocab == learned[0].vocab
    (tmp_path / "lexicon.npz").write_bytes(b"PK\x03\x04 half")
    tokenizer, _ = learn(shakespeare[0], Job(workspace=tmp_path))
    assert tokenizer.vocab == learned[0].vocab


def test_an_extended_tokenizer_keeps_its_ids(learned, shakespeare):
    first, _ = learn(shakespeare[0], vocab_size=500, specials=("<s>",))
    more, _ = learn(shakespeare[0], init=first, specials=("<s>", "</s>"), vocab_size=900)
    assert more.vocab.tokens[:500] == first.vocab.tokens
    assert dict(more.vocab.specials) == {"<s>": 0, "</s>": 500}
    assert len(more) == 900
    assert more.encode("<s>the king</s>")[[0, -1]].tolist() == [0, 500]


def test_rare_characters_can_be_spelled_in_bytes(tmp_path):
    corpus = corpus_of(tmp_path, "ab é ab\n" * 5 + "日\n")
    everything, _ = learn(corpus)
    common, _ = learn(corpus, min_count=2)
    assert "日".encode() in everything.vocab.tokens
    assert "日".encode() not in common.vocab.tokens
    assert common.decode(common.encode("日")).decode() == "日"


def test_the_history_describes_vocabulary_and_reading(learned):
    tokenizer, history = learned
    summary = history.summary
    assert summary["bytes_per_token"] == summary["bytes"] / summary["tokens"]
    assert summary["description_length_bits"]["total"] > 0
    shares = [summary[f"{kind}_share"] for kind in ("subword", "word", "multi_word")]
    assert sum(shares) == pytest.approx(1)
    assert min(shares) > 0
    assert summary["documents"] == history.curve[-1]["documents"] == QUICK.epochs
    assert history.curve[-1]["units"] == summary["units"]
    assert history.curve[-1]["characters_per_token"] > history.curve[0]["characters_per_token"]
    assert summary["unused_tokens"] < len(tokenizer)


@pytest.mark.parametrize("preset", LIB_PRESETS)
def test_every_preset_learns(shakespeare, preset):
    tokenizer, _ = learn(shakespeare[0], settings=replace(LIB_PRESETS[preset], epochs=10))
    assert len(tokenizer) > 400


@pytest.mark.parametrize("text", ["a", "  \n \n\n", "\n" * 5000, "x" * 9000, "a\0b", "é\r\n"])
def test_odd_corpora_learn_something_lossless(tmp_path, text):
    tokenizer, _ = learn(corpus_of(tmp_path, text))
    assert tokenizer.decode(tokenizer.encode(text)).decode() == text


def test_no_text_is_an_error(tmp_path):
    with pytest.raises(CorpusError):
        learn(corpus_of(tmp_path, ""))
    with pytest.raises(CorpusError, match="no line"):
        learn(corpus_of(tmp_path, "\n\n"), settings=replace(QUICK, line_ends=False))


@pytest.mark.parametrize(
    "change", [{"alpha": 1.5}, {"delta": 1.0}, {"omega": -0.1}, {"life": 0}, {"epochs": 0}]
)
def test_settings_that_mean_nothing_are_refused(shakespeare, change):
    with pytest.raises(UsageError, match=next(iter(change))):
        learn(shakespeare[0], settings=replace(QUICK, **change))


def test_a_vocabulary_below_the_alphabet_is_refused(shakespeare):
    with pytest.raises(UsageError, match="too small"):
        learn(shakespeare[0], vocab_size=200)


def test_a_large_corpus_is_sampled(shakespeare):
    small = replace(QUICK, text_limit=50_000)
    tokenizer, history = learn(shakespeare[0], settings=small)
    assert 20_000 < history.summary["bytes"] <= 51_000
    assert learn(shakespeare[0], settings=small)[0].vocab == tokenizer.vocab


def test_units_come_apart_into_stronger_ones():
    ranks = {b"that": 5, b"'s": 9, b"that's": 20, b"a": 1, b"that'sa": 30, b"th": 7, b"at": 8}
    assert list(lib.parts(ranks, b"that's")) == [b"that", b"'s"]
    assert list(lib.parts(ranks, b"that'sa")) == [b"that", b"'s", b"a"]
    assert list(lib.parts(ranks, b"that'sa", levels=1)) == [b"that's", b"a"]
    assert list(lib.parts(ranks, b"that")) == [b"that"]
