"""Sampled vocabularies, against algorithm 1 said with dictionaries."""

import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import substrings as reference
from tokkit.errors import CorpusError, UsageError
from tokkit.hypernet.sampling import ALWAYS, IN_A_ROW, Sampler
from tokkit.hypernet.substrings import (
    STRIDE,
    Substrings,
    across_words_too,
    anywhere,
    cut_lines,
    within_words,
)
from tokkit.patterns import find_pattern
from tokkit.pretokenize import Pieces, Whole, for_pattern
from tokkit.vocab import flatten

WORDS = for_pattern(find_pattern("gpt2"))
SILENT = (-700.0, 0.0)
"""Noise that is next to none."""

SYLLABLES = ["ka", "no", "shi", "tre", "é", "字", "\n", "\n\n  ", "  ", "\t", ", ", "12"]


def block(number):
    """Some texts of few syllables, drawn anew for each number."""
    random = np.random.default_rng(number)
    return [
        "".join(random.choice(SYLLABLES + [" the", " of the", " cat"] * 4, 60)).encode()
        for _ in range(8)
    ]


def sampler(texts=block, words=WORDS, **options):
    return Sampler(texts, words, **({"size": 500, "queue": 3, "noise": SILENT} | options))


def words_of(texts):
    return WORDS.split(Pieces(*flatten(texts))).as_bytes()


def counted(table):
    """A table of substrings as a counter."""
    return Counter(
        dict(zip(table.spell(np.arange(len(table.keys))), table.weights.tolist(), strict=True))
    )


texts = st.lists(
    st.lists(st.sampled_from(SYLLABLES), max_size=8).map(lambda each: "".join(each).encode())
    | st.binary(max_size=12),
    max_size=4,
)


@settings(max_examples=50)
@given(texts, st.integers(2, 30))
def test_substrings_of_words_weigh_their_count_times_their_length(batch, longest):
    found = counted(within_words(batch, WORDS, longest))
    assert found == reference.substrings(words_of(batch), longest, STRIDE)


@settings(max_examples=50)
@given(texts, st.integers(2, 30))
def test_words_in_a_row_weigh_besides(batch, longest):
    lines = [words_of([line]) for line in cut_lines(batch).as_bytes()]
    words = [word for line in lines for word in line]
    wanted = reference.substrings(words, longest, STRIDE) + reference.spans(lines, longest)
    assert counted(across_words_too(batch, WORDS, longest)) == wanted


@settings(max_examples=50)
@given(texts, st.integers(2, 30))
def test_anywhere_lines_are_what_words_are_elsewhere(batch, longest):
    found = counted(anywhere(batch, WORDS, longest))
    assert found == reference.substrings(cut_lines(batch).as_bytes(), longest, STRIDE)


def test_lines_end_with_their_line_feeds_and_with_texts():
    batch = [b"a\nb\n\n", b"\n", b"", b"c\r\n\nd", b"\ne"]
    wanted = [b"a\n", b"b\n\n", b"\n", b"c\r\n\n", b"d", b"\n", b"e"]
    assert cut_lines(batch).as_bytes() == wanted
    assert cut_lines([]).as_bytes() == []


def weights_of(numbers, longest=16):
    weights = Counter()
    for number in numbers:
        weights += reference.substrings(words_of(block(number)), longest, STRIDE)
    return weights


def may_be_sampled(token):
    return len(token) > 1 and sum(map(token.count, (b" ", b"\n", b"\t"))) <= 1


@pytest.mark.parametrize(
    ("step", "numbers"), [(0, [0]), (1, [0, 1]), (2, [0, 1, 2]), (7, [5, 6, 7])]
)
def test_without_noise_it_is_the_heaviest_of_the_latest_blocks(step, numbers):
    vocab = sampler().vocabulary(step)
    weights = weights_of(numbers)
    total = sum(weights.values())
    ranked = sorted(filter(may_be_sampled, weights), key=lambda each: (-weights[each], each))
    best = ranked[: 500 - len(ALWAYS)]
    assert vocab.tokens == (*ALWAYS, *best)
    wanted = [min(weights.values())] * len(ALWAYS) + [weights[token] for token in best]
    np.testing.assert_allclose(np.exp(vocab.scores), np.array(wanted) / total)


def test_always_present_are_all_bytes_and_runs_of_white_space():
    """The 135 runs of the authors' program: one of three, then 1 to 15 times one of three."""
    assert len(set(ALWAYS)) == len(ALWAYS) == 256 + 135
    assert {b"\0", b"\xff", b" " * 16, b"\n" + b" " * 15, b"\t\t"} <= set(ALWAYS)
    assert b" " * 17 not in ALWAYS


@pytest.mark.parametrize("across_words", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("noise", [SILENT, (math.log(1e-3), 2.0)])
def test_any_bytes_come_back(across_words, noise):
    chosen = sampler(across_words=across_words, noise=noise)
    batch = [*block(99), b"", bytes(range(256)) * 2, b"\xc3\xc3\xa9\xff  \n\n\n x", b"a" * 99]
    for step in range(4):
        vocab = chosen.vocabulary(step)
        assert len(set(vocab.tokens)) == len(vocab.tokens) == len(vocab.scores)
        for text, ids in zip(batch, chosen.segment(vocab, batch), strict=True):
            assert ids.dtype == np.int32
            assert b"".join(vocab.tokens[i] for i in ids) == text


def test_cutting_is_the_best_way_within_words():
    chosen = sampler()
    vocab = chosen.vocabulary(4)
    scores = dict(zip(vocab.tokens, vocab.scores.tolist(), strict=True))
    batch = [text[:80] for text in block(1)]
    for text, ids in zip(batch, chosen.segment(vocab, batch), strict=True):
        wanted = [
            token
            for word in words_of([text])
            for token in reference.best_segmentation(word, scores)
        ]
        assert [vocab.tokens[i] for i in ids] == wanted


def test_runs_of_white_space_are_cut_into_as_few_tokens_as_can_be():
    chosen = sampler(words=Whole())
    vocab = chosen.vocabulary(0)
    (ids,) = chosen.segment(vocab, [b" " * 40])
    assert len(ids) == 3


def test_vocabularies_depend_on_seed_and_step_alone():
    options = {"across_words": 0.5, "noise": (math.log(1e-4), 2.0), "seed": 3}
    ordered = sampler(**options)
    wanted = [ordered.vocabulary(step) for step in range(8)]
    assert {vocab.across_words for vocab in wanted} == {False, True}
    shuffled = sampler(**options)
    for step in (7, 0, 5, 5, 6, 1, 3, 2, 4, 7):
        found = shuffled.vocabulary(step)
        assert found.tokens == wanted[step].tokens
        assert found.scores.tobytes() == wanted[step].scores.tobytes()
    other = sampler(**options | {"seed": 4}).vocabulary(5)
    assert other.tokens != wanted[5].tokens


def test_a_block_is_read_once_while_it_is_in_the_queue():
    asked = []

    def texts(number):
        asked.append(number)
        return block(number)

    chosen = sampler(texts)
    for step in range(6):
        chosen.vocabulary(step)
    assert asked == [0, 1, 2, 3, 4, 5]


def test_after_a_block_that_could_not_be_read_it_goes_on_as_before():
    broken = {3}

    def texts(number):
        if number in broken:
            raise OSError(number)
        return block(number)

    chosen = sampler(texts)
    chosen.vocabulary(1)
    with pytest.raises(OSError, match="3"):
        chosen.vocabulary(4)
    assert chosen.vocabulary(2).tokens == sampler().vocabulary(2).tokens
    broken.clear()
    assert chosen.vocabulary(4).tokens == sampler().vocabulary(4).tokens


def test_threads_get_what_one_would():
    options = {"across_words": 0.5, "noise": (math.log(1e-4), 2.0)}
    chosen, alone = sampler(**options), sampler(**options)
    steps = [0, 4, 1, 5, 2, 3]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(chosen.vocabulary, steps))
    for step, vocab in zip(steps, found, strict=True):
        assert vocab.tokens == alone.vocabulary(step).tokens


def test_noise_is_normal_with_the_deviation_drawn():
    """Of pieces so probable that none is lost, the noise can be read off the scores."""
    deviation = 1e-5
    chosen = sampler(noise=(math.log(deviation), 0.0), queue=1, size=len(ALWAYS) + 100)
    clean = sampler(queue=1).vocabulary(0)
    probable = dict(zip(clean.tokens, np.exp(clean.scores), strict=True))
    vocab = chosen.vocabulary(0)
    noise = [
        np.exp(score) - probable[token]
        for token, score in zip(vocab.tokens[391:], vocab.scores[391:], strict=True)
        if probable.get(token, 0.0) > 100 * deviation
    ]
    assert len(noise) > 60
    assert np.std(noise) == pytest.approx(deviation, rel=0.25)
    assert np.mean(noise) == pytest.approx(0, abs=4 * deviation / math.sqrt(len(noise)))


def test_deviations_of_the_noise_are_log_normal():
    """Of noise far above all probabilities, the positive half shows the deviation."""
    chosen = sampler(lambda _: block(0), noise=(math.log(10), 0.7), size=100_000, queue=1)
    deviations = []
    for step in range(100):
        noisy = np.exp(chosen.vocabulary(step).scores[len(ALWAYS) :])
        deviations.append(math.log(np.sqrt(np.mean(noisy**2))))
    assert np.mean(deviations) == pytest.approx(math.log(10), abs=0.2)
    assert np.std(deviations) == pytest.approx(0.7, abs=0.15)


def test_pieces_that_noise_leaves_no_probability_are_dropped():
    vocab = sampler(noise=(math.log(0.1), 0.0), size=100_000, queue=1).vocabulary(0)
    whole = sampler(size=100_000, queue=1).vocabulary(0)
    kept = len(vocab.tokens) - len(ALWAYS)
    there = len(whole.tokens) - len(ALWAYS)
    assert 0.4 * there < kept < 0.65 * there
    assert set(vocab.tokens) < set(whole.tokens)


def test_across_words_tokens_are_whole_words_that_occur_twice():
    chosen = sampler(across_words=1.0, queue=1, size=2000, seed=seed_of("in a row"))
    vocab = chosen.vocabulary(0)
    assert vocab.across_words
    lines = [words_of([line]) for line in cut_lines(block(0)).as_bytes()]
    inner = reference.substrings([word for line in lines for word in line], 24, 4)
    spans = reference.spans(lines, IN_A_ROW.longest)
    longer = {token for token in vocab.tokens[len(ALWAYS) :] if token not in inner}
    assert b" of the" in longer
    assert all(spans[token] >= 2 * len(token) for token in longer)


def test_anywhere_tokens_begin_and_end_in_words_and_occur_often():
    chosen = sampler(across_words=1.0, queue=1, size=2000, seed=seed_of("anywhere"))
    vocab = chosen.vocabulary(0)
    assert vocab.across_words
    weights = reference.substrings(cut_lines(block(0)).as_bytes(), 16, 4)
    sampled = vocab.tokens[len(ALWAYS) :]
    assert b"of the " in sampled
    assert all(weights[token] >= 8 * len(token) for token in sampled)


def seed_of(kind):
    """A seed whose first vocabulary, across words, is of a kind."""
    is_wanted = {"in a row": lambda drawn: drawn >= 0.5, "anywhere": lambda drawn: drawn < 0.5}
    drawn = ((seed, np.random.default_rng([seed, 0]).random()) for seed in range(99))
    return next(seed for seed, value in drawn if is_wanted[kind](value))


def test_across_words_lines_are_cut_and_words_joined():
    texts, seed = [b"one of the cats\n" * 9], seed_of("in a row")
    chosen = sampler(lambda _: texts, across_words=1.0, size=450, seed=seed)
    vocab = chosen.vocabulary(0)
    (ids,) = chosen.segment(vocab, [b"one of the cats\none of the"])
    assert [vocab.tokens[i] for i in ids] == [b"one of the cats\n", b"one of the"]


def test_a_table_is_taken_away_again():
    one, other = (within_words(block(number), WORDS, 16) for number in (1, 2))
    both = Substrings.none(16).plus(one).plus(other)
    assert counted(both) == counted(one) + counted(other)
    assert counted(both.plus(one, -1)) == counted(other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 391}, "391 tokens has no room beside the 391 bytes"),
        ({"longest": 1}, "at most 1 bytes.*2 to 62"),
        ({"longest": 63}, "at most 63 bytes.*2 to 62"),
        ({"queue": 0}, "queue of 0"),
        ({"across_words": 1.5}, "1.5 is no probability"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        sampler(**options)


def test_a_pretokenizer_that_rewrites_is_refused():
    class Rewriting(Whole):
        rewrites = True

    with pytest.raises(UsageError, match="rewrites text"):
        sampler(words=Rewriting())


def test_no_text_is_an_error_that_names_the_step():
    with pytest.raises(CorpusError, match="step 4"):
        sampler(lambda _: [b""]).vocabulary(4)
