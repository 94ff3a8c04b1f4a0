"""Sampling byte by byte: what comes out has the distribution, the limits and the form asked."""

import hashlib
import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.byteprobs.chains import Chain, fixed, letters
from tokkit.byteprobs.choosing import Chooser
from tokkit.byteprobs.results import END
from tokkit.byteprobs.sampling import generate, stream_bytes, stream_text
from tokkit.errors import ImpossibleError, UsageError
from tokkit.utf8 import allowed, unfinished

A, B, C = b"abc"


def any_bytes(weights):
    """Every byte, whatever came before, by weight."""
    total = sum(weights.values())
    row = {byte: weight / total for byte, weight in weights.items()}
    return Chain({last: row for last in [None, *range(256)]})


def is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


# Distribution


def test_whole_texts_come_as_often_as_their_closed_form_probability():
    chain = letters("ab", end=0.3)
    n = 4000
    counts = Counter(
        (result.data, result.finish)
        for seed in range(n)
        for result in [generate(chain, max_bytes=3, seed=seed)]
    )
    expected = {}
    for size in range(4):
        for text in product(b"ab", repeat=size):
            data = bytes(text)
            if size == 3:
                expected[data, "length"] = math.exp(chain.logprob(data))
            else:
                expected[data, "end"] = math.exp(chain.logprob(data, end=True))
    assert sum(expected.values()) == pytest.approx(1)
    chi2 = sum((counts[key] - n * p) ** 2 / (n * p) for key, p in expected.items())
    assert set(counts) <= set(expected)
    # 14 degrees of freedom: the 99.9th percentile is 36.1.
    assert len(expected) == 15
    assert chi2 < 36.1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_temperature_is_a_power_of_the_probabilities(temperature):
    probs = np.array([0.5, 0.2, 0.2, 0.1])
    chooser = Chooser(temperature, None, None, 7)
    n = 5000
    counts = np.bincount([chooser.choose(np.log(probs)) for _ in range(n)], minlength=4)
    expected = probs ** (1 / temperature)
    expected *= n / expected.sum()
    # 3 degrees of freedom: the 99.9th percentile is 16.3.
    assert ((counts - expected) ** 2 / expected).sum() < 16.3


def test_the_number_drawn_is_the_place_on_the_running_sum():
    """Written out again from numpy's generator, with plain sums."""
    probs = [0.1, 0.0, 0.3, 0.25, 0.35]
    with np.errstate(divide="ignore"):
        logprobs = np.log(probs)
    chooser = Chooser(1.0, None, None, 123)
    numbers = np.random.Philox(123).random_raw(200)
    for number in numbers.tolist():
        drawn = (number >> 11) / 2**53
        passed = [drawn < sum(probs[: outcome + 1]) for outcome in range(5)]
        assert chooser.choose(logprobs) == passed.index(True)


def test_the_same_seed_gives_the_same_text_for_ever():
    chain = letters("abc", end=0.02)
    texts = [generate(chain, max_bytes=40, seed=seed).data for seed in range(50)]
    assert texts == [generate(chain, max_bytes=40, seed=seed).data for seed in range(50)]
    assert len(set(texts)) > 45
    assert hashlib.sha256(b"|".join(texts)).hexdigest()[:16] == "143a271ff363167f"


def test_greedy_takes_the_likeliest_and_of_equal_ones_the_lowest_byte():
    chain = Chain(
        {
            None: {C: 0.25, B: 0.25, A: 0.1, END: 0.4 - 0.15, ord("z"): 0.15},
            B: {C: 0.7, A: 0.3},
            C: {END: 1.0},
        }
    )
    result = generate(chain, max_bytes=9, temperature=0)
    assert (result.data, result.finish) == (b"bc", "end")
    assert result.logprob == pytest.approx(math.log(0.25 * 0.7))


def test_very_low_temperature_is_greedy_without_overflow():
    chain = letters("abc")
    cold = generate(chain, max_bytes=20, temperature=1e-300)
    assert cold.data == generate(chain, max_bytes=20, temperature=0).data


@pytest.mark.parametrize(
    ("top_k", "top_p", "kept"),
    [
        (None, None, {0, 1, 2, 3, 4}),
        (1, None, {1}),
        (2, None, {1, 0}),
        (3, None, {1, 0, 2}),
        (99, None, {0, 1, 2, 3, 4}),
        (None, 0.3, {1}),
        (None, 0.31, {1, 0}),
        (None, 0.7, {1, 0, 2}),
        (None, 0.751, {1, 0, 2, 4}),
        (None, 1.0, {0, 1, 2, 3, 4}),
        (None, 1e-9, {1}),
        # Of 0.3, 0.2, 0.2 the first two have 5/7 of what top_k leaves.
        (3, 0.7, {1, 0}),
        (3, 0.72, {1, 0, 2}),
    ],
)
def test_top_k_and_top_p_keep_the_likeliest(top_k, top_p, kept):
    probs = np.array([0.2, 0.3, 0.2, 0.1, 0.2])
    weights = Chooser(1.0, top_k, top_p, 0).weights(np.log(probs))
    assert set(np.flatnonzero(weights).tolist()) == kept
    kept_probs = np.array([p if place in kept else 0 for place, p in enumerate(probs)])
    assert weights / weights.sum() == pytest.approx(kept_probs / kept_probs.sum())


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=12),
    st.floats(0.01, 1),
    st.integers(0, 2**64),
)
def test_top_p_is_the_smallest_set_with_the_share(counts, top_p, seed):
    probs = np.array(counts) / sum(counts)
    weights = Chooser(1.0, None, top_p, seed).weights(np.log(probs))
    kept = sorted(probs[weights > 0].tolist())
    assert sum(kept) >= top_p - 1e-9
    assert sum(kept[1:]) < top_p + 1e-9
    assert min(kept) >= max(probs[weights == 0].tolist(), default=0)


def test_no_outcome_at_all_is_an_error():
    with pytest.raises(ImpossibleError, match="no outcome"):
        generate(Chain({None: {A: 1.0}}), max_bytes=5)


# Log probability and finish


def test_logprob_is_that_of_the_text_at_temperature_one():
    chain = letters("abc", end=0.1)
    for seed in range(30):
        result = generate(chain, b"a", max_bytes=12, seed=seed, temperature=0.6, top_k=3)
        whole = chain.logprob(b"a" + result.data, end=result.finish == "end")
        assert result.logprob == pytest.approx(whole - chain.logprob(b"a"))


def test_a_stream_is_gone_on_with():
    chain = letters("abc", end=0.1)
    stream = chain.stream(b"ab")
    assert generate(stream, b"ab", max_bytes=9, seed=3) == generate(
        stream.chain.stream(b"ab"), max_bytes=9, seed=3
    )
    assert generate(chain, b"ab", max_bytes=9, seed=3).data == (
        generate(chain.stream(b"ab"), max_bytes=9, seed=3).data
    )


def test_usage_is_what_this_text_took():
    chain = fixed("abc")
    generate(chain, max_bytes=2)
    assert generate(chain, max_bytes=9).usage.calls == 4


def test_no_bytes_at_all_may_be_asked_for():
    result = generate(letters(), max_bytes=0)
    assert (result.data, result.text, result.finish, result.logprob) == (b"", "", "length", 0)


def test_as_json_spells_the_bytes():
    shown = generate(fixed("é"), max_bytes=9).as_json()
    assert shown == {
        "text": "é",
        "hex": "c3a9",
        "n_bytes": 2,
        "logprob": 0.0,
        "finish": "end",
        "forward_calls": 3,
        "forward_tokens": 0,
    }


# Stop strings


def reference_stop(text, stops):
    """Where a text stops: after the fewest bytes that contain one, before it begins."""
    for size in range(len(text) + 1):
        begins = [text[:size].find(stop) for stop in stops if stop in text[:size]]
        if begins:
            return text[: min(begins)], "stop"
    return text, None


@given(
    st.lists(st.text("ab", min_size=1, max_size=4), max_size=3),
    st.integers(0, 200),
    st.integers(0, 25),
)
def test_stop_strings_end_the_text_and_are_no_part_of_it(stops, seed, size):
    chain = letters("abc", end=0.05)
    free = generate(chain, max_bytes=size, seed=seed)
    expected, finish = reference_stop(free.text, stops)
    result = generate(chain, max_bytes=size, seed=seed, stop=stops)
    assert (result.text, result.finish) == (expected, finish or free.finish)
    assert "".join(stream_text(chain, max_bytes=size, seed=seed, stop=stops)) == expected


def test_what_may_yet_be_a_stop_string_is_held_back():
    parts = list(stream_text(fixed("abcdefg"), max_bytes=99, stop=["cde!", "f"]))
    assert parts == ["a", "b", "cde"]
    parts = list(stream_text(fixed("abcde"), max_bytes=99, stop=["de!"]))
    assert parts == ["a", "b", "c", "de"]


def test_the_prompt_is_not_searched_for_stop_strings():
    assert generate(fixed("abcd"), b"ab", max_bytes=9, stop=["abc", "bc"]).text == "cd"


def test_a_stop_string_inside_a_character_leaves_no_half():
    result = generate(fixed("aé"), max_bytes=9, stop=[b"\xa9"])
    assert (result.data, result.finish) == (b"a", "stop")
    raw = generate(fixed("aé"), max_bytes=9, stop=[b"\xa9"], utf8=False)
    assert raw.data == b"a\xc3"


# UTF-8


def test_utf8_table_is_that_of_python():
    """All beginnings of up to three bytes that some character has, and nothing else."""
    beginnings = {b""}
    for code in [*range(0x80, 0x3000), *range(0x3000, 0x110000, 61), 0xD7FF, 0xE000, 0x10FFFF]:
        if not 0xD800 <= code < 0xE000:
            data = chr(code).encode()
            beginnings |= {data[:size] for size in range(1, len(data))}
    for begun in [*sorted(beginnings)[::97], b"", b"\xe0", b"\xed", b"\xf0", b"\xf4"]:
        assert unfinished(begun) == begun
        assert unfinished(b"x" + begun) == begun
        expected = [can_go_on(begun + bytes([byte])) for byte in range(256)]
        assert allowed(begun)[:256].tolist() == expected, begun
        assert allowed(begun)[END] == (begun == b"")


def can_go_on(data, characters=None):
    """Python's decoder: whether some bytes make it text, of so many characters."""
    ends = [byte * size for byte in (b"\x80", b"\xbf") for size in range(4)]
    texts = [data + end for end in ends if is_utf8(data + end)]
    return any(characters in (None, len(text.decode())) for text in texts)


@given(st.binary(max_size=6))
def test_unfinished_is_the_part_of_a_character_at_the_end(data):
    tails = [data[len(data) - size :] for size in (3, 2, 1) if size <= len(data)]
    begun = [tail for tail in tails if not is_utf8(tail) and can_go_on(tail, characters=1)]
    assert unfinished(data) == (begun[0] if begun else b"")
    assert len(begun) < 2


@given(st.integers(0, 500), st.integers(0, 12), st.floats(0.2, 3))
def test_whatever_the_model_says_the_text_is_utf8_and_no_longer(seed, size, temperature):
    source = any_bytes({byte: 1 + byte % 7 for byte in range(256)} | {END: 20})
    options = {"max_bytes": size, "seed": seed, "temperature": temperature}
    result = generate(source, **options)
    assert len(result.data) <= size
    assert result.data.decode() == result.text
    parts = list(stream_bytes(source, **options))
    assert all(map(is_utf8, parts))
    assert b"".join(parts) == result.data
    assert "".join(stream_text(source, **options)) == result.text


@pytest.mark.parametrize(("size", "text"), [(1, "a"), (2, "a"), (3, "a"), (4, "a€"), (5, "a€")])
def test_a_limit_inside_a_character_cuts_back_to_a_whole_one(size, text):
    result = generate(fixed("a€é"), max_bytes=size)
    assert (result.text, result.finish) == (text, "length")


def test_a_prompt_that_stops_inside_a_character_goes_on_with_it():
    prompt, rest = "x€".encode()[:2], "x€y".encode()[2:]
    result = generate(fixed("x€y"), prompt, max_bytes=9)
    assert (result.data, result.text, result.finish) == (rest, "€y", "end")
    assert list(stream_text(fixed("x€y"), prompt, max_bytes=9)) == ["€", "y"]
    assert list(stream_bytes(fixed("x€y"), prompt, max_bytes=9)) == [rest[:2], b"y"]
    assert generate(fixed("x€y"), prompt, max_bytes=1).data == b""
    assert list(stream_text(fixed("x€y"), prompt, max_bytes=1)) == []


def test_bytes_that_are_not_text_can_be_asked_for():
    source = fixed(b"a\xff\x80b")
    assert generate(source, max_bytes=9, utf8=False).data == b"a\xff\x80b"
    assert generate(source, max_bytes=9, utf8=False).text == "a\ufffd\ufffdb"
    with pytest.raises(ImpossibleError, match="utf8=False"):
        generate(source, max_bytes=9)


# Arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_bytes": -1}, "max_bytes is -1"),
        ({"temperature": -0.5}, "temperature is -0.5"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"top_p": math.nan}, "top_p is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"stop": ["a", ""]}, "stop string is empty"),
        ({"stop": "ab"}, "give a list"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        generate(letters(), **{"max_bytes": 3} | options)


def test_text_cannot_be_streamed_from_bytes_that_are_none():
    with pytest.raises(UsageError, match="need not be UTF-8"):
        next(stream_text(letters(), max_bytes=3, utf8=False))
