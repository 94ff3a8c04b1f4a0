"""Pairs accepts exactly what byte-pair encoding writes, by brute force."""

import numba
import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models

from tests.reference import pairs as reference
from tests.strategies import merge_vocabularies
from tokkit.canonical.pairs import Pairs, supports
from tokkit.canonical.protocols import NEVER
from tokkit.pretokenize import Pieces
from tokkit.segment.bpe import BPE
from tokkit.vocab import flatten

# Without compilation kernels are some hundred times slower.
INTERPRETED = bool(numba.config.DISABLE_JIT)
EXAMPLES = 5 if INTERPRETED else 100

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


def cut(segmenter, pieces):
    ids, ends = segmenter.segment(Pieces(*flatten(pieces)))
    return [tuple(part.tolist()) for part in np.split(ids, ends)[: len(pieces)]]


def check(pairs, tokens, candidates, encodings, room):
    """Compare with all encodings, of texts that have a few bytes more than `room`."""
    whole, begun = set(encodings), reference.beginnings(encodings)
    allowed = {}
    for sequence in reference.sequences(tokens, candidates, 4, room):
        if 0x80 <= tokens[sequence[0]][0] < 0xC0:
            continue  # no piece begins there
        state = reference.run(pairs.begin, pairs.follow, sequence)
        assert (state != NEVER) == (sequence in begun), sequence
        if state != NEVER:
            assert pairs.may_end(state) == (sequence in whole), sequence
            allowed[sequence] = pairs.following(state)
        if len(sequence) == 1:
            assert pairs.begins[sequence[0]] == (state != NEVER)
        elif sequence[:-1] in allowed:
            assert allowed[sequence[:-1]][sequence[-1]] == (state != NEVER), sequence


@settings(max_examples=EXAMPLES)
@given(st.data(), st.sampled_from(["a", "ab", "abc"]), st.booleans())
def test_all_sequences_of_bytes(data, letters, ignore_merges):
    tokens, merges, ranks = data.draw(merge_vocabularies(letters))
    segmenter = BPE(tokens, merges, ranks=ranks, ignore_merges=ignore_merges)
    assert supports(segmenter)
    room = 5 if len(letters) < 3 else 4
    texts = reference.texts(letters, room + (4 if len(letters) < 3 else 2))
    encodings = cut(segmenter, texts)
    check(Pairs(segmenter, tokens), tokens, range(len(tokens)), encodings, room)


@settings(max_examples=EXAMPLES)
@given(st.data(), st.sampled_from(["ab", "abc"]), st.booleans())
def test_all_sequences_of_hugging_face(data, letters, ignore_merges):
    tokens, merges, _ = data.draw(merge_vocabularies(letters, ranked=False))
    rival = tokenizers.Tokenizer(
        models.BPE(
            vocab={token.decode(): number for number, token in enumerate(tokens)},
            merges=[
                (tokens[left].decode(), tokens[right].decode()) for left, right, _ in merges
            ],
            ignore_merges=ignore_merges,
        )
    )
    texts = reference.texts(letters, 8 if len(letters) < 3 else 6)
    batch = rival.encode_batch([text.decode() for text in texts])
    encodings = [tuple(encoding.ids) for encoding in batch]
    pairs = Pairs(BPE(tokens, merges, ignore_merges=ignore_merges), tokens)
    check(pairs, tokens, range(len(tokens)), encodings, 4)


LETTERS = "aéx"
OTHERS = "èz樨"
"""Characters without a token. Their bytes spell no others; the first begins like a letter."""


@settings(max_examples=EXAMPLES // 3)
@given(st.data(), st.sampled_from(["early", "late", "virtual"]), st.booleans())
def test_all_sequences_of_characters(data, way, ignore_merges):
    tokens, merges, ranks = data.draw(merge_vocabularies(LETTERS, longest=3))
    spellings, texts_of, merges, fallback = with_bytes(tokens, merges, way == "virtual")
    segmenter = BPE(
        spellings,
        merges,
        ranks=ranks,
        units="characters",
        ignore_merges=ignore_merges,
        byte_fallback=fallback,
        late_unk=way != "early",
        size=len(texts_of),
    )
    assert supports(segmenter)
    used = sorted({byte for character in OTHERS + "x" for byte in character.encode()})
    candidates = [*range(len(texts_of) - 256), *(fallback[byte] for byte in used)]
    texts = reference.texts(LETTERS + OTHERS, 4)
    encodings = cut(segmenter, texts)
    if way == "early" and ranks is None:
        assert encodings == byte_fallback_of_hugging_face(tokens, merges, ignore_merges, texts)
    check(Pairs(segmenter, texts_of), texts_of, candidates, encodings, 4)


def byte_fallback_of_hugging_face(tokens, merges, ignore_merges, texts):
    """The encodings of texts; bytes come after the tokens."""
    names = [token.decode() for token in tokens]
    vocab = [*names, *(f"<0x{byte:02X}>" for byte in range(256))]
    rival = tokenizers.Tokenizer(
        models.BPE(
            vocab={name: number for number, name in enumerate(vocab)},
            merges=[(names[left], names[right]) for left, right, _ in merges],
            ignore_merges=ignore_merges,
            byte_fallback=True,
        )
    )
    batch = rival.encode_batch([text.decode() for text in texts])
    return [tuple(encoding.ids) for encoding in batch]


def with_bytes(tokens, merges, is_virtual):
    """Add tokens for bytes; "x" becomes virtual, the last of all, if so wanted."""
    numbers = {token: number for number, token in enumerate(tokens)}
    kept = [token for token in tokens if not (is_virtual and token == b"x")]
    new = {token: number for number, token in enumerate(kept)}
    spellings = [*kept, *[b""] * 256]
    if is_virtual:
        new[b"x"] = len(spellings)
        spellings.append(b"x")
    renumbered = {numbers[token]: new[token] for token in tokens}
    merges = np.array([[renumbered[part] for part in row] for row in merges.tolist()])
    texts_of = [*kept, *(bytes([byte]) for byte in range(256))]
    fallback = list(range(len(kept), len(kept) + 256))
    return spellings, texts_of, merges.astype(np.int32).reshape(-1, 3), fallback


def test_a_lead_byte_needs_a_character_that_is_in_no_token():
    known = [chr(code).encode() for code in range(0xC0, 0x100)]
    texts_of = [b"a", *known, *(bytes([byte]) for byte in range(256))]
    spellings = [b"a", *known, *[b""] * 256]
    fallback = list(range(len(known) + 1, len(texts_of)))
    none = np.zeros((0, 3), dtype=np.int32)
    pairs = Pairs(BPE(spellings, none, units="characters", byte_fallback=fallback), texts_of)
    assert pairs.begin(fallback[0xC3]) == NEVER
    assert not pairs.begins[fallback[0xC3]]
    assert pairs.begin(fallback[0xC4]) != NEVER
    for never in (0xC0, 0xC1, 0xF5, ord("a")):
        assert pairs.begin(fallback[never]) == NEVER, hex(never)
    inside = pairs.follow(pairs.begin(0), fallback[0xED])
    allowed = [byte for byte in range(256) if pairs.following(inside)[fallback[byte]]]
    assert allowed == list(range(0x80, 0xA0)), "surrogates are not in UTF-8"
    assert not pairs.may_end(inside)
    lost = BPE(spellings, none, units="characters", byte_fallback=[-1] * 128 + fallback[128:])
    assert Pairs(lost, texts_of).begin(fallback[ord("b")]) == NEVER


def test_the_id_that_is_written_counts():
    tokens = [b"a", b"b", b"ab", b"ab", b"", b"ba"]
    merges = np.array([[0, 1, 3], [1, 0, 4]], dtype=np.int32)
    merged = Pairs(BPE(tokens, merges[:1]), tokens)
    assert merged.begins.tolist() == [1, 1, 0, 1, 0, 0]
    looked_up = Pairs(BPE(tokens, merges[:1], ignore_merges=True), tokens)
    assert looked_up.begins.tolist() == [1, 1, 1, 1, 0, 1]
    assert looked_up.may_end(looked_up.begin(2))
    assert not looked_up.following(looked_up.begin(2)).any()
    assert not looked_up.may_end(looked_up.begin(3))
    assert looked_up.may_end(looked_up.follow(looked_up.begin(3), 3))
    assert not looked_up.may_end(looked_up.follow(looked_up.begin(1), 0))
    assert not supports(BPE(tokens, merges)), "a merge has to join what its parts spell"


def test_what_is_not_supported():
    tokens, merges = [b"a", b"aa", b"x"], np.array([[0, 0, 1]], dtype=np.int32)
    assert supports(BPE(tokens, merges, units="characters"))
    assert not supports(BPE(tokens, merges, units="characters", suffix=b"</w>"))
    assert not supports(BPE(tokens, merges, units="characters", prefix=b"##"))
    assert not supports(BPE(tokens, merges, byte_fallback=[2] * 256))
    assert not supports(BPE(tokens, merges, units="characters", byte_fallback=[1] * 256))
