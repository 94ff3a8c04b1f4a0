"""Canonical sequences, against those that foreign libraries produce."""

import itertools
import os
import random

import pytest

from tests.byteprobs.builders import Family
from tests.byteprobs.families import FAMILIES
from tests.reference.byteprobs import Ids

NODES = 30


def build_grammar(family: Family):
    from tokkit.canonical.build import build_grammar

    return build_grammar(family.tokenizer, family.tokens)


def spelled(family: Family, sequence: Ids) -> list[bytes]:
    return [family.tokens[token] for token in sequence]


def some_tokens(family: Family, source: random.Random) -> list[int]:
    """All tokens with text; where all bytes have some, those of the alphabet and a choice."""
    text = [token for token, data in enumerate(family.tokens) if data]
    if not family.rich:
        return text
    alphabet = set(f"{family.alphabet} ".encode())
    own = [token for token in text if alphabet.issuperset(family.tokens[token])]
    return sorted({*own, *source.sample(text, 12)})


def require_equal(family: Family, grammar, sequence: Ids, state: int, tokens) -> list[int]:
    """Compare which of some tokens may follow a canonical sequence; return them."""
    flags = grammar.allowed(state)
    expected = family.canonical.allowed(sequence, tokens)
    found = [token for token in tokens if flags[token]]
    missing, wrong = set(expected) - set(found), set(found) - set(expected)
    assert not missing, (spelled(family, sequence), "lacks", spelled(family, missing), missing)
    assert not wrong, (spelled(family, sequence), "has", spelled(family, wrong), wrong)
    ends = family.canonical.can_end(sequence)
    assert grammar.can_end(state) == ends, (spelled(family, sequence), "can end", ends)
    for token in tokens:
        assert (grammar.step(state, token) >= 0) == bool(flags[token])
    return expected


def walk(family: Family, source: random.Random) -> None:
    """Compare after canonical sequences: all short ones where tokens are few, and long ones."""
    grammar = build_grammar(family)
    waiting = [((), grammar.start)]
    for _ in range(NODES // 3 if family.rich else NODES):
        if not waiting:
            return
        sequence, state = waiting.pop(0 if len(waiting) < NODES else source.randrange(NODES))
        tokens = some_tokens(family, source)
        allowed = require_equal(family, grammar, sequence, state, tokens)
        chosen = allowed if len(sequence) < 2 else source.sample(allowed, min(len(allowed), 2))
        waiting += [((*sequence, token), grammar.step(state, token)) for token in chosen]


@pytest.mark.parametrize("name", FAMILIES)
def test_allowed_tokens_are_those_that_some_text_goes_on_with(name, tmp_path):
    walk(FAMILIES[name](tmp_path, 0), random.Random(0))


@pytest.mark.skipif(not os.environ.get("TOKKIT_EXHAUSTIVE"), reason="TOKKIT_EXHAUSTIVE=1")
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_for_more_tokenizers(name, seed, tmp_path):
    walk(FAMILIES[name](tmp_path, seed), random.Random(seed))


@pytest.mark.parametrize("name", FAMILIES)
def test_encodings_are_walked_to_their_end(name, tmp_path):
    family = FAMILIES[name](tmp_path, 7)
    grammar = build_grammar(family)
    source = random.Random(name)
    for _ in range(40):
        text = "".join(source.choices(family.alphabet, k=source.randint(0, 12)))
        (ids,) = family.encode([text])
        data = family.canonical.spell(ids)
        if data not in (text.encode(), family.lead + text.encode()):
            continue
        if not all(family.tokens[token] for token in ids):
            continue
        state = grammar.start
        for place, token in enumerate(ids):
            assert grammar.allowed(state)[token], spelled(family, ids[: place + 1])
            state = grammar.step(state, token)
        assert grammar.can_end(state), spelled(family, ids)


@pytest.mark.parametrize("name", FAMILIES)
def test_examples_are_what_they_are_said_to_be(name, tmp_path):
    family = FAMILIES[name](tmp_path, 0)
    assert family.tokenizer.vocab.tokens == family.tokens
    source = random.Random(name)
    texts = [
        "".join(source.choices(family.alphabet, k=source.randint(0, 9))) for _ in range(200)
    ]
    found = family.tokenizer.encode_batch(texts, parse_specials=False)
    assert [ids.tolist() for ids in found] == list(map(list, family.encode(texts)))


@pytest.mark.parametrize("name", FAMILIES)
def test_more_characters_after_a_sequence_change_nothing(name, tmp_path):
    family = FAMILIES[name](tmp_path, 1)
    further = family.canonical_within(family.reach + 1)
    texts = itertools.chain(*(itertools.product(family.alphabet, repeat=n) for n in range(4)))
    prefixes = {
        data[:end]
        for text in texts
        for data in [family.lead + "".join(text).encode()]
        for end in range(len(data) + 1)
    }
    for data in random.Random(name).sample(
        sorted(prefixes), min(len(prefixes), 8 if family.rich else 25)
    ):
        assert further.sequences(data) == family.canonical.sequences(data), data
