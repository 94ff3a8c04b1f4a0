"""TokenAdapt's rows against its formulas, token by token."""

import hashlib
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import tokenadapt as reference
from tests.transplant import small
from tokkit.errors import ModelError, UsageError
from tokkit.transplant.align import align
from tokkit.transplant.context import (
    COMPOSED,
    MEAN,
    MEAN_ROW,
    MIXED,
    NEIGHBOURS,
    Context,
    Settings,
)
from tokkit.transplant.methods.tokenadapt import tokenadapt


class RandomVectors:
    """A vector per text, drawn by the text; texts that differ in case alone have the same."""

    def __init__(self, width=5):
        self.width = width
        self.calls = []

    def embed(self, texts):
        self.calls.append(list(texts))
        return np.array([self.one(text) for text in texts], dtype=np.float32)

    @staticmethod
    @lru_cache(maxsize=100_000)
    def draw(text, width):
        seed = hashlib.blake2b(text.encode(), digest_size=8).digest()
        draws = np.random.default_rng(int.from_bytes(seed, "little")).standard_normal(width)
        return draws.astype(np.float32)

    def one(self, text):
        return self.draw(text.lower(), self.width)


def made(context):
    """Rows of a method as dictionaries, checked against the rules every row keeps."""
    result = tokenadapt(context, "input")
    other = tokenadapt(context, "output")
    assert result.rows.ids.tolist() == other.rows.ids.tolist()
    assert result.rows.weights.tolist() == other.rows.weights.tolist()
    assert result.rows.ids.dtype == np.int32
    assert result.rows.weights.dtype == np.float32
    assert result.rows.ends.dtype == np.int64
    assert len(result.rows) == len(context.tokens) == result.origins.size
    rows = []
    for number in range(len(result.rows)):
        row = {}
        for token, weight in result.rows.row(number):
            row[token] = row.get(token, 0.0) + weight
        assert sum(row.values()) == pytest.approx(1, abs=1e-6)
        rows.append(row)
    return rows, result


def wanted(context):
    """The same rows by the formulas."""
    alignment = context.alignment
    starts = [0, *alignment.piece_ends.tolist()]
    pieces = alignment.piece_ids.tolist()
    return [
        reference.row(
            token,
            pieces[starts[number] : starts[number + 1]],
            context.source.vocab.tokens,
            alignment.used.tolist(),
            context.auxiliary.one,
            context.settings,
        )
        or {context.source_size + MEAN_ROW: 1.0}
        for number, token in enumerate(context.tokens)
    ]


def agree(context):
    rows, result = made(context)
    for row, right in zip(rows, wanted(context), strict=True):
        assert set(row) <= set(right)
        assert row == pytest.approx({token: right[token] for token in row}, abs=1e-6)
        assert all(right[token] < 1e-6 for token in set(right) - set(row))
    return result


WORDS = st.lists(
    st.text("abCé 語", min_size=2, max_size=6).map(str.encode), max_size=8, unique=True
)
SETTINGS = st.fixed_dictionaries(
    {
        "temperature": st.sampled_from([0.0, 0.1, 0.3, 2.0]),
        "top_k": st.integers(0, 5),
        "global_weight": st.sampled_from([0.0, 0.3, 0.5, 1.0]),
        "threshold": st.sampled_from([-1.0, 0.0, 0.4, 0.9, 1.5]),
    }
)
CHARACTERS = tuple(character.encode() for character in "abcABC é語")


@given(WORDS, WORDS, SETTINGS)
@settings(max_examples=60)
def test_texts_give_the_rows_of_the_formulas(old, new, options):
    source = small.tokenizer(*old, first=CHARACTERS)
    context = small.context(source, small.tokenizer(*new), auxiliary=RandomVectors(), **options)
    agree(context)


@given(WORDS, st.lists(st.binary(min_size=2, max_size=5), max_size=8, unique=True), SETTINGS)
@settings(max_examples=60)
def test_any_bytes_give_rows_by_the_rules_for_what_is_not_text(old, new, options):
    context = small.context(
        small.tokenizer(*old), small.tokenizer(*new), auxiliary=RandomVectors(), **options
    )
    agree(context)


def test_both_halves_and_where_a_row_comes_from():
    source = small.tokenizer(b" hel", b"lo", b" hi", b"HI")
    target = small.tokenizer(b" hello", b"\xff\xfe", b"\xe8\xaa\x9e")
    context = small.context(source, target, auxiliary=RandomVectors())
    result = agree(context)
    assert context.tokens == [b" hello", b"\xff\xfe", b"\xe8\xaa\x9e"]
    assert result.origins.tolist() == [MIXED, COMPOSED, MIXED]
    assert result.notes == {"tokens without text": 1, "pieces without text": 5}
    # Pieces come first, and then neighbours, the nearest first.
    ids = [token for token, _ in result.rows.row(0)]
    assert ids[:2] == [source.vocab.ids[b" hel"], source.vocab.ids[b"lo"]]
    assert len(ids) == 5


@pytest.mark.parametrize(
    ("options", "origins"),
    [
        ({"global_weight": 0.0}, [COMPOSED, COMPOSED]),
        ({"global_weight": 1.0}, [NEIGHBOURS, MEAN]),
        ({"global_weight": 1.0, "threshold": 1.5}, [MEAN, MEAN]),
        ({"threshold": 1.5}, [COMPOSED, COMPOSED]),
        ({"top_k": 0}, [COMPOSED, COMPOSED]),
    ],
)
def test_halves_can_be_left_out(options, origins):
    target = small.tokenizer(b" hello", b"\xff\xfe")
    context = small.context(small.tokenizer(), target, auxiliary=RandomVectors(), **options)
    assert agree(context).origins.tolist() == origins


@pytest.mark.parametrize(("share", "origin"), [(0.3, NEIGHBOURS), (0.0, MEAN)])
def test_a_token_that_nothing_spells_lives_on_its_neighbours(share, origin):
    source, target = small.tokenizer(b"ab", b"c"), small.tokenizer(b"xyz")
    context = small.context(source, target, auxiliary=RandomVectors(), global_weight=share)
    nothing = {"piece_ends": np.zeros(1, np.int64), "piece_ids": np.zeros(0, np.int32)}
    context = replace(context, alignment=replace(context.alignment, **nothing))
    assert agree(context).origins.tolist() == [origin]


def test_equal_vectors_are_taken_by_their_ids():
    source = small.tokenizer(b"HELLO", b"Hello", b"hello", b"hELLO")
    context = small.context(
        source, small.tokenizer(b"hEllO"), auxiliary=RandomVectors(), global_weight=1.0
    )
    result = agree(context)
    first = source.vocab.ids[b"HELLO"]
    assert result.rows.ids.tolist() == [first, first + 1, first + 2]
    assert result.rows.weights.tolist() == pytest.approx([1 / 3] * 3)


def test_special_tokens_are_nobodys_neighbours():
    source = small.tokenizer(b"a", specials=("<s>", "<b>"), first=())
    target = small.tokenizer(b"<s><b>", specials=(), first=())
    context = small.context(source, target, auxiliary=RandomVectors(), global_weight=1.0)
    assert not {1, 2} & set(tokenadapt(context, "input").rows.ids.tolist())
    assert "<s>" not in context.auxiliary.calls[0]


def test_what_the_user_says_is_not_mixed_with_neighbours():
    source, target = small.tokenizer(b"ab", b"cd"), small.tokenizer(b" xyz")
    token = target.vocab.ids[b" xyz"]
    said = [source.vocab.ids[b"ab"], source.vocab.ids[b"cd"]]
    context = small.context(
        source, target, overrides={token: said}, auxiliary=RandomVectors(), global_weight=0.5
    )
    result = tokenadapt(context, "input")
    assert result.rows.ids.tolist() == said


def test_a_special_token_of_several_pieces_gives_each_an_even_share():
    source, target = small.tokenizer(b"ab", b"c"), small.tokenizer(specials=("<eot>",))
    said = [source.vocab.ids[b"ab"], source.vocab.ids[b"c"]]
    context = small.context(
        source,
        target,
        overrides={target.vocab.specials["<eot>"]: said},
        auxiliary=RandomVectors(),
    )
    assert tokenadapt(context, "input").rows.weights.tolist() == [0.5, 0.5]


def test_nothing_new_needs_no_vectors():
    context = small.context(small.tokenizer(), small.tokenizer(), auxiliary=RandomVectors())
    assert not len(tokenadapt(context, "input").rows)


def test_the_local_half_alone_encodes_no_other_source_tokens():
    source, target = small.tokenizer(b"ab", b"cd", b"other"), small.tokenizer(b"abcd")
    context = small.context(source, target, auxiliary=RandomVectors(), global_weight=0.0)
    tokenadapt(context, "input")
    assert context.auxiliary.calls == [["abcd", "ab", "cd"]]


def test_an_encoder_is_needed():
    with pytest.raises(UsageError, match="--aux-model"):
        tokenadapt(small.context(small.tokenizer(), small.tokenizer(b"ab")), "input")


class Broken:
    def __init__(self, value, shape=None):
        self.value = value
        self.shape = shape

    def embed(self, texts):
        return np.full(self.shape or (len(texts), 3), self.value, dtype=np.float32)


@pytest.mark.parametrize("encoder", [Broken(np.nan), Broken(1.0, (2, 3)), Broken(np.inf)])
def test_an_encoder_gives_one_finite_vector_per_text(encoder):
    context = small.context(small.tokenizer(), small.tokenizer(b"ab"), auxiliary=encoder)
    with pytest.raises(ModelError, match="the encoder gave"):
        tokenadapt(context, "input")


def test_zero_vectors_are_like_nothing():
    source, target = small.tokenizer(b"ab", b"c"), small.tokenizer(b"abc")
    context = small.context(source, target, auxiliary=Broken(0.0), threshold=0.1)
    result = tokenadapt(context, "input")
    assert result.origins.tolist() == [COMPOSED]
    right = reference.local(b"abc", [b"ab", b"c"], lambda text: [0.0], 0.3)
    assert result.rows.weights.tolist() == pytest.approx(right, abs=1e-6)


@pytest.mark.slow
def test_llama2_onto_gpt2(real):
    source, target = real("llama2"), real("gpt2")
    alignment = align(source, target)
    tokens = [target.vocab.tokens[i] for i in alignment.new]
    auxiliary = RandomVectors(4)
    context = Context(source, target, alignment, tokens, Settings(), auxiliary=auxiliary)
    result = tokenadapt(context, "input")
    assert set(result.origins.tolist()) == {COMPOSED, MIXED}
    assert result.notes["tokens without text"] == sum(result.origins == COMPOSED)
    totals = np.add.reduceat(result.rows.weights, np.append(0, result.rows.ends[:-1]))
    assert np.allclose(totals, 1, atol=1e-6)
