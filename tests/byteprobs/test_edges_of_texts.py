"""Where texts begin and end, and where prefixes stop."""

import numpy as np
import pytest

from tests.byteprobs.builders import byte_bpe
from tests.byteprobs.edges import ONLY_CANONICAL, after, model_of, require_all, token_id
from tests.byteprobs.families import FAMILIES
from tests.byteprobs.models import RandomModel, random_model, random_row
from tests.byteprobs.piece_builders import piece_bpe
from tests.byteprobs.test_exact import SEGMENTATIONS, byte_lm, enumerated, require_next
from tests.reference.byteprobs import END
from tokkit.errors import ImpossibleError

# ------------------------------------------------------------------ where texts begin and end


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
@pytest.mark.parametrize("name", ["plain ab", "gpt2 words", "llama", "unigram", "longest"])
def test_every_text_begins_with_the_empty_prefix(name, segmentation, tmp_path):
    family = FAMILIES[name](tmp_path, 0)
    lm = byte_lm(random_model(family), segmentation)
    found = lm.next(b"")
    assert found.logp_prefix == 0
    assert found.probs.sum() == pytest.approx(1)
    assert found.probs[END] > 0
    assert (lm.next_logprobs("") == lm.stream().logprobs).all()
    score = lm.score(b"", end=True)
    assert (score.n_bytes, score.logprob, len(score.byte_logprobs)) == (0, 0, 0)
    require_next(lm, family, enumerated(family, lm.model, segmentation), b"")


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
def test_one_id_zero_begins_and_ends_texts(segmentation, tmp_path):
    seeds = (byte_bpe(tmp_path, seed, "ab") for seed in range(99))
    family = next(each for each in seeds if each.start == (0,))
    row = random_row(len(family.tokens))
    model = RandomModel(family.tokenizer, row, len(family.tokens), (0,), frozenset({0}))
    lm, oracle = byte_lm(model, segmentation), enumerated(family, model, segmentation)
    for prefix in (b"", b"a", b"ba"):
        require_next(lm, family, oracle, prefix)
    assert lm.next_logprobs(b"")[END] == pytest.approx(
        np.log(oracle.next(b"").probs[END]), abs=1e-10
    )


def test_several_ids_can_end_a_text(tmp_path):
    family = byte_bpe(tmp_path, 0, "ab")
    specials = family.tokenizer.vocab.specials
    ends = frozenset({specials["</s>"], specials["<pad>"]})
    row = random_row(len(family.tokens))
    model = RandomModel(family.tokenizer, row, len(family.tokens), family.start, ends)
    lm = byte_lm(model)
    require_next(lm, family, enumerated(family, model, "renorm"), b"ab")


def test_an_end_that_is_almost_certain_says_nothing_about_its_letters(tmp_path):
    family = FAMILIES["special texts"](tmp_path, 0)
    (end,) = family.ends
    flat = dict.fromkeys(range(len(family.tokens)), 0.0)
    for segmentation in SEGMENTATIONS:
        lm = byte_lm(model_of(family, {**flat, end: 40.0}), segmentation)
        found = lm.next(b"")
        assert found.probs[END] > 1 - 1e-12
        assert found.probs[ord("<")] < 1e-15
        # Half of an end is no end: written out, it is text as any other.
        assert lm.next(b"a</").probs[ord("s")] > 0.01
        require_next(lm, family, enumerated(family, lm.model, segmentation), b"a</s")


def test_a_vocabulary_of_one_token(tmp_path):
    family = byte_bpe(tmp_path, 0, "a", merges=[], gaps=0)
    (end,), only = family.ends, token_id(family, b"a")
    for segmentation, others in (("renorm", 0), ("mask", 1), ("all", 1)):
        logits = {end: 0.0, only: np.log(3), family.start[0]: np.log(4)}
        lm = byte_lm(model_of(family, logits), segmentation)
        share = 3 / (4 + 4 * others)
        found = lm.next(b"aaa")
        assert found.probs[[ord("a"), END]] == pytest.approx([3 / 4, 1 / 4])
        assert found.probs.sum() == pytest.approx(1)
        assert found.logp_prefix == pytest.approx(3 * np.log(share))
        with pytest.raises(ImpossibleError):
            lm.next(b"b")


# ------------------------------------------------------------------ where prefixes stop


def test_a_prefix_that_stops_inside_of_a_token(tmp_path):
    family = byte_bpe(tmp_path, 0, "abc", merges=[(b"a", b"b"), (b"ab", b"c")], gaps=0)
    a, b, c, ab, abc = (token_id(family, each) for each in (b"a", b"b", b"c", b"ab", b"abc"))
    (end,) = family.ends
    share = {a: 0.1, b: 0.2, c: 0.15, ab: 0.25, abc: 0.2, end: 0.1}
    lm = byte_lm(model_of(family, {token: np.log(p) for token, p in share.items()}), "mask")
    # After `ab` everything may come but `c`, which would have merged.
    others = {
        letter: share[ab] * sum(share[token] for token in tokens)
        for letter, tokens in (("a", (a, ab, abc)), ("b", (b,)))
    }
    joint = {**others, "c": share[abc], END: share[ab] * share[end]}
    total = sum(joint.values())
    found = lm.next(b"ab").probs
    for letter, p in joint.items():
        place = letter if letter == END else ord(letter)
        assert found[place] == pytest.approx(p / total)
    assert lm.next(b"ab").logp_prefix == pytest.approx(np.log(share[ab] + share[abc]))
    assert lm.score(b"abc", total_only=True).logprob == pytest.approx(np.log(share[abc]))


def test_a_token_longer_than_the_prefix(tmp_path):
    merges = [(b"a", b"b"), (b"ab", b"ab"), (b"abab", b"abab")]
    family = byte_bpe(tmp_path, 0, "ab", merges=merges)
    model = model_of(family, {token_id(family, b"abababab"): 3.0, family.start[0]: 0.0})
    share = np.exp(3) / (1 + np.exp(3))
    for segmentation, one in (("renorm", 1.0), ("mask", share), ("all", share)):
        lm = byte_lm(model, segmentation)
        for stop in range(1, 8):
            found = lm.next(b"abababab"[:stop])
            assert found.probs[b"abababab"[stop]] == 1
            assert found.logp_prefix == pytest.approx(np.log(one))
    require_all(family, [b"a", b"ababa", b"abababa"])


@pytest.mark.parametrize("name", ["characters cut", "gpt2 wide", "llama, two missing"])
def test_a_prefix_that_stops_inside_of_a_character(name, tmp_path):
    family = FAMILIES[name](tmp_path, 4)
    texts = ["é".encode()[:1], "aé漢".encode()[:-1], "漢".encode()[:1], "漢".encode()[:2]]
    usable = [text for text in texts if set(text) <= set(family.alphabet.encode())]
    assert len(usable) >= 3
    require_all(family, usable)
    for text in usable:
        found = byte_lm(random_model(family)).next(text).probs
        assert found[END] == 0, "a text does not end inside of a character"
        assert found[0x80:0xC0].sum() == pytest.approx(1)


def test_bytes_of_a_character_that_has_a_token_are_not_canonical(tmp_path):
    family = piece_bpe(tmp_path, 0, pieces="aé", missing="è", full=True)
    first = "é".encode()[:1]
    allowed = after(family, b" ", first)
    assert "è".encode()[1:] in allowed
    assert "é".encode()[1:] not in allowed, "é has a token of its own"
    require_all(family, [first, "aé".encode()[:2], "é", "è"])


def test_what_is_not_utf8_is_impossible(tmp_path):
    family = FAMILIES["all bytes"](tmp_path, 0)
    wrong = [b"\xff", b"a\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90", b"\xe2\x82a"]
    for segmentation in ONLY_CANONICAL:
        lm = byte_lm(random_model(family), segmentation)
        for data in wrong:
            for ask in (lm.next_logprobs, lm.score, lm.stream):
                with pytest.raises(ImpossibleError) as caught:
                    ask(data)
                assert "\n" not in str(caught.value)
    # With all sequences, whatever tokens spell is as good as any text.
    assert np.isfinite(byte_lm(random_model(family), "all").next(b"\xff").logp_prefix)


def test_bytes_without_tokens_are_impossible(tmp_path):
    family = FAMILIES["plain ab"](tmp_path, 0)
    for segmentation in SEGMENTATIONS:
        lm = byte_lm(random_model(family), segmentation)
        with pytest.raises(ImpossibleError):
            lm.next_logprobs("abc")
        stream = lm.stream(b"ab")
        with pytest.raises(ImpossibleError):
            stream.push(ord("c"))


def test_a_prefix_without_spaces(tmp_path):
    family = FAMILIES["llama"](tmp_path, 0)
    lm = byte_lm(random_model(family))
    oracle = enumerated(family, lm.model, "renorm")
    require_next(lm, family, oracle, b"abbaab")
