"""Which tokens of two vocabularies correspond, and how others are spelled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transplant.small import tokenizer
from tokkit.byte_spelling import spell
from tokkit.errors import UsageError
from tokkit.transplant.align import align, read_overrides
from tokkit.transplant.context import COPIED, MEAN, ORIGINS, OVERRIDE, ROLE, UNUSED

# How many tokens of the second have the bytes of a token of the first: a special token that
# both have (<|endoftext|> of GPT-2 and cl100k) is counted with them.
SHARED = [
    ("llama2", "llama3", 26_599),
    ("llama2", "cl100k", 24_353),
    ("llama2", "gpt2", 18_207),
    ("gpt2", "llama3", 43_209),
    ("gpt2", "cl100k", 43_067),
]


def pieces_of(alignment):
    """The pieces of each new token."""
    return [part.tolist() for part in np.split(alignment.piece_ids, alignment.piece_ends[:-1])]


@pytest.mark.parametrize(("first", "second", "expected"), SHARED)
def test_real_vocabularies_share_the_tokens_that_have_the_same_bytes(
    real, first, second, expected
):
    source, target = real(first), real(second)
    alignment = align(source, target)
    bytes_of = source.vocab.tokens, target.vocab.tokens
    same_names = source.vocab.specials.keys() & target.vocab.specials.keys()
    assert alignment.shared.size + len(same_names) == expected
    for token in alignment.shared:
        assert bytes_of[0][alignment.matches[token]] == bytes_of[1][token]
    # An oracle that knows nothing of matching: two sets of byte strings.
    assert alignment.shared.size == len(set(bytes_of[0]) & set(bytes_of[1]) - {b""})


@pytest.mark.parametrize(("first", "second"), [("llama2", "llama3"), ("gpt2", "cl100k")])
def test_every_new_token_of_real_vocabularies_is_spelled_by_its_own_bytes(real, first, second):
    source, target = real(first), real(second)
    alignment = align(source, target)
    tokens = source.vocab.tokens
    spelled = [b"".join(tokens[i] for i in ids) for ids in pieces_of(alignment)]
    assert spelled == [target.vocab.tokens[i] for i in alignment.new]


def test_tokens_are_spelled_as_the_model_spells_text(real):
    llama2 = real("llama2")
    texts = [" hello world", "ились", " naïveté", "日本語テキスト", "return", "\n\n\n\t"]
    ends, ids = spell(llama2, [text.encode() for text in texts])
    for text, found in zip(texts, np.split(ids, ends[:-1]), strict=True):
        # What the library makes of the text after a token that nothing merges with.
        whole = llama2.encode(f"\N{SNOWMAN}{text}").tolist()
        start = len(llama2.encode("\N{SNOWMAN}"))
        assert found.tolist() == whole[start:]


def test_parts_of_characters_are_spelled_by_bytes(real):
    euro = "€".encode()
    ends, ids = spell(real("llama2"), [euro[:2], euro[1:], b" \xff"])
    tokens = real("llama2").vocab.tokens
    found = [b"".join(tokens[i] for i in part) for part in np.split(ids, ends[:-1])]
    assert found == [euro[:2], euro[1:], b" \xff"]


def test_a_fallback_for_a_byte_is_not_the_letter(real):
    llama2, gpt2 = real("llama2"), real("gpt2")
    alignment = align(llama2, gpt2)
    letter = gpt2.vocab.ids[b"A"]
    assert llama2.segmenter.spellings[alignment.matches[letter]] == b"A"
    alignment = align(llama2, llama2)
    np.testing.assert_array_equal(alignment.matches, np.arange(32_000))


def test_special_tokens_correspond_by_name_then_by_role():
    source = tokenizer(specials=("<s>", "<end>", "<unk>"))
    target = tokenizer(specials=("<s>", "</s>", "<chat>", "<|reserved_special_token_1|>"))
    names, ours = target.vocab.specials, source.vocab.specials
    alignment = align(source, target, roles={names["</s>"]: ours["<end>"]})
    assert alignment.matches[names["<s>"]] == ours["<s>"]
    assert alignment.matches[names["</s>"]] == ours["<end>"]
    origins = [alignment.origins[token] for token in names.values()]
    assert origins == [ROLE, ROLE, MEAN, UNUSED]
    assert (alignment.origins[:256] == COPIED).all()


def test_the_user_decides_before_bytes_and_roles():
    source = tokenizer(b"ab", specials=("<s>",))
    target = tokenizer(b"ab", b"xy", specials=("<s>", "<turn>"))
    overrides = read_overrides(source, target, ["<turn>=<s>", "xy=abc", "ab=c"])
    alignment = align(source, target, overrides=overrides)
    turn, xy, ab = target.vocab.specials["<turn>"], 257, 256
    assert alignment.matches[turn] == source.vocab.specials["<s>"]
    assert alignment.matches[ab] == ord("c")
    assert alignment.new.tolist() == [xy]
    assert pieces_of(alignment) == [[256, ord("c")]]
    assert {ORIGINS[alignment.origins[i]] for i in (turn, xy, ab)} == {ORIGINS[OVERRIDE]}
    assert ab not in alignment.shared


@pytest.mark.parametrize("wrong", ["<turn>", "=a", "<turn>=", "nothing=a", "zz=a"])
def test_an_override_that_says_nothing_is_refused(wrong):
    with pytest.raises(UsageError):
        read_overrides(tokenizer(), tokenizer(specials=("<turn>",)), [wrong])


TOKENS = st.lists(st.binary(min_size=2, max_size=4), max_size=12, unique=True)


@given(TOKENS, TOKENS)
def test_any_two_vocabularies_correspond_by_bytes(ours, theirs):
    source, target = tokenizer(*ours), tokenizer(*theirs)
    alignment = align(source, target)
    for token, text in enumerate(target.vocab.tokens):
        match = alignment.matches[token]
        if text:
            assert (match >= 0) == (text in source.vocab.ids)
            assert match < 0 or source.vocab.tokens[match] == text
    spelled = [b"".join(source.vocab.tokens[i] for i in ids) for ids in pieces_of(alignment)]
    assert spelled[: alignment.new.size] == [target.vocab.tokens[i] for i in alignment.new]


def test_what_the_source_cannot_spell_has_no_pieces():
    source = tokenizer(b"ab", first=(b"?", b"a", b"b"))
    ends, ids = spell(source, [b"abb", b"axb", b""])
    assert ends.tolist() == [2, 2, 2]
    assert ids.tolist() == [3, 2]


def test_what_the_model_does_not_spell_byte_for_byte_takes_the_fewest_tokens():
    # Longest match fails on "abc": after "ab" nothing begins with c.
    source = tokenizer(b"ab", b"bc", first=(b"?", b"a"))
    ends, ids = spell(source, [b"abc"])
    assert [source.vocab.tokens[i] for i in ids] == [b"a", b"bc"]
    assert ends.tolist() == [2]
