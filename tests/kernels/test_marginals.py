"""Sums over ranges of sorted tokens against sums over all tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import marginals as reference
from tokkit.kernels import marginals
from tokkit.token_table import Node, TokenTable

# Duplicates, ids without text, tokens inside others, bytes above 127.
TEXTS = st.lists(
    st.one_of(st.binary(max_size=4), st.text("ab\xff", max_size=5).map(str.encode)),
    min_size=1,
    max_size=30,
)


@st.composite
def cases(draw):
    tokens = draw(TEXTS)
    size = len(tokens)
    exponents = draw(st.lists(st.integers(-60, 0), min_size=size, max_size=size))
    allowed = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    text = draw(st.one_of(st.sampled_from(tokens), st.binary(max_size=5)))
    return tokens, [2.0**exponent for exponent in exponents], allowed, text


@given(cases())
def test_the_nodes_of_a_path_sum_to_what_begins_with_the_text(case):
    tokens, probs, allowed, text = case
    table = TokenTable(tokens)
    bounds = table.path(np.frombuffer(text, np.uint8))
    count = bounds.size // 2
    sums = np.empty(count)
    flags = np.array(allowed, np.uint8)
    marginals.sum_nodes(np.array(probs), flags, table.order, bounds, count, sums)
    for depth in range(count):
        wanted = reference.mass(tokens, probs, allowed, text[: depth + 1])
        assert sums[depth] == pytest.approx(wanted, rel=1e-12)
    # The path ends where no token goes on, and only there.
    if count < len(text):
        assert not any(token.startswith(text[: count + 1]) for token in tokens)


@given(cases())
def test_each_next_byte_has_the_tokens_that_go_on_with_it(case):
    tokens, probs, allowed, text = case
    table = TokenTable(tokens)
    flags = np.array(allowed, np.uint8)
    bounds = table.path(np.frombuffer(text, np.uint8))
    if bounds.size < 2 * len(text):
        return
    low, high = bounds[-2:] if text else table.root[:2]
    sums = np.zeros(256)
    parts = (table.order, table.data, table.starts, int(low), int(high), len(text), sums)
    marginals.spread(np.array(probs), flags, *parts)
    wanted = reference.next_bytes(tokens, probs, allowed, text)
    assert set(np.flatnonzero(sums).tolist()) == set(wanted)
    for byte, value in wanted.items():
        assert sums[byte] == pytest.approx(value, rel=1e-12)
    assert marginals.count_allowed(flags, table.order, int(low), int(high)) == any(
        allowed[token] and tokens[token].startswith(text) and tokens[token]
        for token in range(len(tokens))
    )


@given(cases())
def test_first_bytes(case):
    tokens, probs, allowed, _ = case
    table = TokenTable(tokens)
    flags = np.array(allowed, np.uint8)
    sums = np.zeros(256)
    marginals.spread_first(np.array(probs), flags, table.first, sums)
    wanted = reference.next_bytes(tokens, probs, allowed, b"")
    assert {byte: pytest.approx(value) for byte, value in wanted.items()} == {
        int(byte): sums[byte] for byte in np.flatnonzero(sums)
    }


@given(cases())
def test_the_likeliest_token_of_a_node(case):
    tokens, probs, allowed, text = case
    table = TokenTable(tokens)
    bounds = table.path(np.frombuffer(text, np.uint8))
    if not text or bounds.size < 2 * len(text):
        return
    low, high = map(int, bounds[-2:])
    flags, found = np.array(allowed, np.uint8), np.empty(2)
    token = marginals.find_likeliest(np.array(probs), flags, table.order, low, high, found)
    under = [t for t, own in enumerate(tokens) if own.startswith(text) and allowed[t]]
    assert (token >= 0) == bool(under)
    assert found[0] == max((probs[each] for each in under), default=0.0)
    assert found[1] == pytest.approx(reference.mass(tokens, probs, allowed, text))
    assert not under or (token in under and probs[token] == found[0])


@given(cases())
def test_the_table_finds_children_and_what_ends_there(case):
    tokens, _, _, text = case
    table = TokenTable(tokens)
    node: Node | None = table.root
    for length, byte in enumerate(text, 1):
        assert node is not None
        node = table.child(node, byte)
        prefix = text[:length]
        under = {token for token, own in enumerate(tokens) if own.startswith(prefix)}
        assert set(table.order[node.low : node.high].tolist() if node else []) == under
        if node is None:
            return
        assert set(table.ending(node)) == {t for t in under if tokens[t] == prefix}
