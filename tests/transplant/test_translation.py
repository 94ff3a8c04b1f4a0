"""What is said with other ids has the same bytes."""

from hypothesis import given
from hypothesis import strategies as st

from tests.transplant.small import tokenizer
from tokkit.transplant.settings.translation import Translation

SOURCE = tokenizer(b" the", b"the", b"\xc3\xa4", b"12", b"ing")
TARGET = tokenizer(b" th", b"he", b"123", b"ing", "ä".encode(), specials=("<|endoftext|>",))
ROLES = {"bos": len(SOURCE.vocab) - 2, "eos": len(SOURCE.vocab) - 1}
END = len(TARGET.vocab) - 1
THERE = Translation(SOURCE, TARGET, ROLES, {"eos": END})
SAME = Translation(SOURCE, SOURCE, ROLES, ROLES)


def spelled(which, ids):
    return b"".join(which.vocab.tokens[token] for token in ids)


@given(st.lists(st.integers(0, len(SOURCE.vocab) - 3) | st.just(ROLES["eos"]), max_size=12))
def test_sequences_keep_their_bytes(ids):
    found = THERE.sequence(ids)
    assert spelled(TARGET, found) == spelled(SOURCE, ids)
    assert found.count(END) == ids.count(ROLES["eos"])


@given(st.integers(-3, len(SOURCE.vocab) + 3))
def test_tokens_keep_their_bytes_or_have_no_counterpart(token):
    found = THERE.token(token)
    text = SOURCE.vocab.tokens[token] if 0 <= token < len(SOURCE.vocab) else None
    if text:
        there = text in TARGET.vocab.tokens
        assert (found is not None) == there
        assert not there or TARGET.vocab.tokens[found] == text
    else:
        assert found in (None, END)


@given(st.integers(0, len(SOURCE.vocab) - 1))
def test_the_same_tokenizer_keeps_every_id(token):
    assert SAME.token(token) == token
