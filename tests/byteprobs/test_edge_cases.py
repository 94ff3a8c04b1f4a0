"""Where exact byte probabilities are hardest to get right, each with what must come out."""

import numpy as np
import pytest

from tests.byteprobs.builders import Family, byte_bpe, longest
from tests.byteprobs.families import FAMILIES
from tests.byteprobs.models import RandomModel, random_model, random_row
from tests.byteprobs.piece_builders import piece_bpe
from tests.byteprobs.test_exact import SEGMENTATIONS, byte_lm, enumerated, require_next
from tests.byteprobs.test_grammar import build_grammar
from tests.formats.families import CL100K, GPT2, O200K, QWEN2, split
from tests.reference.byteprobs import END
from tokkit.errors import ImpossibleError

ONLY_CANONICAL = "renorm", "mask"


def require_all(family: Family, texts, segmentations=SEGMENTATIONS) -> None:
    """Compare what comes after each of some texts with enumeration."""
    model = random_model(family)
    for segmentation in segmentations:
        lm, oracle = byte_lm(model, segmentation), enumerated(family, model, segmentation)
        for text in texts:
            data = text if isinstance(text, bytes) else text.encode()
            require_next(lm, family, oracle, data)


def token_id(family: Family, data: bytes) -> int:
    return family.tokens.index(data)


def after(family: Family, *tokens: bytes) -> set[bytes]:
    """The tokens that tokkit says may follow these, all of them canonical."""
    grammar = build_grammar(family)
    sequence: tuple[int, ...] = ()
    for data in tokens:
        among = [number for number, each in enumerate(family.tokens) if each == data]
        sequence += (family.canonical.allowed(sequence, among)[0],)
    state = grammar.start
    for token in sequence:
        state = grammar.step(state, token)
        assert state >= 0, family.tokens[token]
    flags = grammar.allowed(state)
    return {data for number, data in enumerate(family.tokens) if data and flags[number]}


def model_of(family: Family, logits: dict[int, float], start=None, ends=None) -> RandomModel:
    """A model that says the same everywhere; ids that are not named get nothing."""
    row = np.full(len(family.tokens), -np.inf)
    row[list(logits)] = list(logits.values())
    row -= np.logaddexp.reduce(row)
    start, ends = start or family.start, family.ends if ends is None else ends
    return RandomModel(family.tokenizer, lambda ids: row, row.size, start, ends)


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


# ------------------------------------------------------------------ tokens out of reach


def test_a_token_that_no_merge_reaches_never_comes_first(tmp_path):
    family = FAMILIES["unreachable"](tmp_path, 0)
    assert b"aaa" in family.tokens
    assert b"aaa" not in after(family)
    assert after(family, b"aa") == {b"aa", b"a", b"b"}
    assert after(family, b"a") == {b"b"}, "two single a would have merged"
    require_all(family, ["aaa", "aaab", "baaa", "a"])


def test_ignored_merges_give_whole_pieces_their_token(tmp_path):
    family = byte_bpe(
        tmp_path,
        0,
        "ab ",
        merges=[(b"a", b"a"), (b"a", b"aa")],
        pre=split(GPT2),
        ignore_merges=True,
        reach=2,
    )
    assert b"aaa" in after(family)
    assert after(family, b"aaa") == {b" "}, "the piece ends with its token"
    assert after(family, b"aa", b"a") == {b"b"}, "aaa alone would have been one token"
    require_all(family, ["aaa", "aaab", "aaa a", "aaaa"])


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
def test_tokens_that_spell_the_same(segmentation, tmp_path):
    family = longest(tmp_path, 3, twice=True)
    double = {data for data in family.tokens if data and family.tokens.count(data) > 1}
    assert double
    lm = byte_lm(random_model(family), segmentation)
    oracle = enumerated(family, lm.model, segmentation)
    for data in double:
        require_next(lm, family, oracle, data[:1])
    counted = {token for token in oracle._step(())[0] if family.tokens[token] in double}
    assert len(counted) == (2 if segmentation == "all" else 1) * len(double)


# ------------------------------------------------------------------ cuts that wait for text


@pytest.mark.parametrize("pattern", [GPT2, CL100K, O200K, QWEN2])
def test_white_space(pattern, tmp_path):
    for alphabet, texts in (
        ("a \t", ["a  ", "  ", "a \t", "\t\ta", "   a", " \t "]),
        ("a \n", ["\n \n", "a \n", " \n \n", "\n\n", "a\n ", "  \n  a"]),
    ):
        for seed in range(2):
            family = byte_bpe(
                tmp_path, seed, alphabet, name="spaces", pre=split(pattern), reach=3, longest=3
            )
            require_all(family, texts)


def test_the_last_space_goes_with_the_word(tmp_path):
    family = byte_bpe(
        tmp_path, 0, "a ", merges=[(b" ", b" "), (b" ", b"a")], pre=split(GPT2), reach=3
    )
    # Before a word, of two spaces the first stands alone; two make a token at the end only.
    assert after(family, b"a", b" ") == {b" a"}
    # With three, two stand alone; with more, at the end of a text, tokens of two are cut.
    assert after(family, b"a", b"  ") == {b" a", b" ", b"  "}
    assert after(family, b"a", b"  ", b" ") == {b" a"}
    require_all(family, ["a  ", "a   ", "a  a"])


@pytest.mark.parametrize(
    ("pattern", "alphabet", "texts"),
    [
        (GPT2, "Iv'e", ["I'v", "I'", "I've", "I'vI"]),
        (GPT2, "dont'", ["don'", "don't", "n'", "''t"]),
        (GPT2, "a'Ss", ["'S", "a's", "a'S", "'s"]),
        (CL100K, "a'Ss", ["'S", "a's", "a'S", "'s"]),
        (CL100K, "l'La", ["a'l", "a'L", "'lL", "'la"]),
        (O200K, "aA'S", ["a'S", "A'", "'S", "aA'"]),
        (QWEN2, "Iv'e", ["I'v", "I'", "I've"]),
    ],
)
def test_contractions(pattern, alphabet, texts, tmp_path):
    for seed in range(2):
        family = byte_bpe(
            tmp_path, seed, alphabet, name="contractions", pre=split(pattern), reach=3
        )
        require_all(family, texts)


@pytest.mark.parametrize("name", ["llama3", "qwen2", "gpt2", "thousands", "r2l"])
def test_runs_of_digits(name, tmp_path):
    patterns = {"llama3": CL100K, "qwen2": QWEN2, "gpt2": GPT2}
    patterns["r2l"] = r"\d{1,3}(?=(?:\d{3})*(?!\d))|\D+"
    patterns["thousands"] = r"(?=(\d{3})+(?!\d))"
    merges = [(b"1", b"1"), (b"11", b"1"), (b"a", b"1")]
    family = byte_bpe(
        tmp_path, 0, "1a", name=name, merges=merges, pre=split(patterns[name]), reach=4
    )
    require_all(family, ["1" * count for count in range(1, 8)], ONLY_CANONICAL)
    require_all(family, ["1", "11", "111", "1111", "a1111"])


def test_groups_of_digits_from_the_right_wait_for_the_end(tmp_path):
    merges = [(b"1", b"1"), (b"11", b"1")]
    pre = split(r"(?=(\d{3})+(?!\d))")
    family = byte_bpe(tmp_path, 0, "1a", merges=merges, pre=pre, reach=4)
    # A group of one or two is only ever the first.
    assert after(family, b"1") == {b"111", b"a"}
    assert after(family, b"11") == {b"111", b"a"}
    assert after(family, b"111") == {b"111", b"a"}


def test_tokens_across_white_space(tmp_path):
    merges = [(b"a", b" "), (b"a ", b"b"), (b"b", b" ")]
    family = byte_bpe(tmp_path, 0, "ab ", merges=merges)
    assert b"a b" in after(family)
    assert after(family, b"a ").isdisjoint({b"b", b"b "})
    require_all(family, ["a", "a ", "a b", "b a ", " a"])


# ------------------------------------------------------------------ added and special tokens


def test_added_tokens_as_text(tmp_path):
    family = byte_bpe(
        tmp_path, 0, "<a>b", texts=("<a>",), gaps=0, merges=[(b"<", b"a")], reach=3
    )
    assert b"<a>" in after(family)
    assert b">" not in after(family, b"<a"), "that would be the added token"
    assert {b"b", b"a", b"<", b"<a", b"<a>"} <= after(family, b"<a")
    require_all(family, ["<", "<a", "<a>", "<a>b", "b<a", "<<a"])


def test_added_tokens_are_found_before_pieces_are_cut(tmp_path):
    family = byte_bpe(
        tmp_path, 1, "a\n ", texts=("\n\n",), gaps=0, pre=split(GPT2), merges=[], reach=4
    )
    assert b"\n" not in after(family, b"\n"), "two newlines are the added token"
    assert b"\n" in after(family, b"\n\n")
    require_all(family, ["\n", "\n\n", "\n\n\n", "a\n", "a\n\n a", " \n"])


def test_special_tokens_in_text_are_text(tmp_path):
    family = FAMILIES["special texts"](tmp_path, 1)
    model = random_model(family)
    lm = byte_lm(model, "mask")
    for name, number in family.tokenizer.vocab.specials.items():
        assert not family.tokens[number], name
    require_all(family, ["<", "</", "</s", "</s>", "<s>a", "a<s"])
    row = np.exp(model.row(()))
    begins = sum(row[i] for i, data in enumerate(family.tokens) if data.startswith(b"<"))
    assert np.exp(lm.score(b"<").logprob) <= begins * (1 + 1e-12)


def test_special_unused_and_padded_ids_have_no_text(tmp_path):
    family = FAMILIES["gpt2 words"](tmp_path, 0)
    model = random_model(family, padding=5)
    silent = [number for number, data in enumerate(family.tokens) if not data]
    silent += range(len(family.tokens), model.vocab_size)
    (end,) = family.ends
    silent.remove(end)
    assert len(silent) > 5 + 2
    row = np.exp(model.row(()))
    for segmentation in SEGMENTATIONS:
        leaks = byte_lm(model, segmentation).next(b"").leaks
        assert leaks.special == pytest.approx(row[silent].sum())
    allowed = family.canonical.allowed(())
    expected = 1 - row[silent].sum() - row[end] - row[allowed].sum()
    assert byte_lm(model).next(b"").leaks.noncanonical == pytest.approx(expected)
    moved = np.array(silent)
    order = np.arange(model.vocab_size)
    order[moved] = np.roll(moved, 1)
    other = random_model(family, padding=5)
    other.row = lambda ids: model.row(ids)[order]
    for text in (b"", b"a", b"a '"):
        assert byte_lm(other).next_logprobs(text) == pytest.approx(
            byte_lm(model).next_logprobs(text), abs=1e-12
        )


# ------------------------------------------------------------------ normalizers and spaces


def test_texts_that_normalizing_changes_have_no_probability(tmp_path):
    family = FAMILIES["nfc"](tmp_path, 0)
    lm = byte_lm(random_model(family))
    # e and an acute accent would be é; x keeps its accent.
    assert lm.next(b"x\xcc").probs[0x81] > 0
    if lm.next(b"e").probs[0xCC] > 0:
        assert lm.next(b"e\xcc").probs[0x81] == 0
    require_all(family, ["e", "x", "é", "x\u0301", b"x\xcc", "é\u0301"], ONLY_CANONICAL)
    family = FAMILIES["lowercase"](tmp_path, 0)
    found = byte_lm(random_model(family)).next(b"a").probs
    assert found[ord("A")] == 0
    assert found[ord("a")] > 0
    family = FAMILIES["nfkc"](tmp_path, 0)
    lm, ligature = byte_lm(random_model(family)), "fﬁ".encode()
    if lm.next(ligature[:-2]).probs[ligature[-2]] > 0:
        assert lm.next(ligature[:-1]).probs[ligature[-1]] == 0
    require_all(family, ["f", ligature[:-2], "fi"], ONLY_CANONICAL)


def test_a_real_blank_sign_is_no_space(tmp_path):
    family = piece_bpe(tmp_path, 0, full=True, more="▁")
    for segmentation in ONLY_CANONICAL:
        lm = byte_lm(random_model(family), segmentation)
        inside = lm.next("a▁".encode()[:-1]).probs
        assert inside["▁".encode()[-1]] == 0
        assert inside[0x82] > 0, "U+2582 is a character as any other"
        for text in ("▁", "a▁", "a▁b"):
            with pytest.raises(ImpossibleError):
                lm.next_logprobs(text)
    assert np.isfinite(byte_lm(random_model(family), "all").next("▁").logp_prefix)


def test_spaces_under_a_first_space_of_the_tokenizers_own(tmp_path):
    for name in ("llama", "metaspace always", "sentencepiece bpe", "unigram"):
        family = FAMILIES[name](tmp_path, 9)
        require_all(family, ["a", " a", "  a", " ", "a a"], ONLY_CANONICAL)
    family = FAMILIES["llama"](tmp_path, 9)
    lm = byte_lm(random_model(family))
    assert lm.score("a").logprob != lm.score(" a").logprob


def test_spaces_that_the_tokenizer_removes_cannot_come(tmp_path):
    family = FAMILIES["sentencepiece bpe, spaces removed"](tmp_path, 2)
    for segmentation in ONLY_CANONICAL:
        lm = byte_lm(random_model(family), segmentation)
        after_space = lm.next(b"a ").probs
        assert after_space[ord(" ")] == 0
        assert after_space[END] == 0, "a text does not end in a space"
        assert lm.next(b"").probs[ord(" ")] == 0
        assert lm.next(b"a").probs[ord(" ")] > 0


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
@pytest.mark.parametrize(("dtype", "rare"), [(np.float32, -80.0), (np.float64, -300.0)])
def test_what_is_very_rare_has_a_probability_all_the_same(segmentation, dtype, rare, tmp_path):
    family = byte_bpe(tmp_path, 0, "ab", merges=[(b"a", b"a")])
    a, b, aa = (token_id(family, data) for data in (b"a", b"b", b"aa"))
    model = model_of(family, {a: 0.0, aa: 0.0, b: rare, next(iter(family.ends)): 0.0})
    row = model.row(())
    model.row = lambda ids: row.astype(dtype)
    found = byte_lm(model, segmentation).next(b"").logprobs
    assert found[ord("b")] == pytest.approx(rare - np.log(3), rel=1e-6)
    score = byte_lm(model, segmentation).score(b"bbbb")
    assert score.logprob == pytest.approx(sum(score.byte_logprobs), rel=1e-5)
    assert score.logprob == pytest.approx(4 * rare, rel=0.1)


def test_a_text_longer_than_the_context(tmp_path):
    family = FAMILIES["gpt2 words"](tmp_path, 0)
    row = random_row(len(family.tokens))
    arguments = (family.tokenizer, row, len(family.tokens), family.start, family.ends)
    short, unlimited = RandomModel(*arguments, context=9), RandomModel(*arguments)
    text = b"as a 's ass a a's sa as 'a s a"
    score = byte_lm(short).score(text)
    assert score.windows > 1
    assert np.isfinite(score.byte_logprobs).all()
    assert score.logprob == pytest.approx(score.byte_logprobs.sum(), abs=1e-9)
    assert (byte_lm(short).score(text).byte_logprobs == score.byte_logprobs).all()
    full = byte_lm(unlimited).score(text)
    assert full.windows == 1
    assert full.byte_logprobs[:5] == pytest.approx(score.byte_logprobs[:5], abs=1e-12)
    total = byte_lm(short).score(text, total_only=True)
    assert total.logprob == pytest.approx(score.logprob, abs=1e-9)
    assert np.exp(byte_lm(short).next_logprobs(text)).sum() == pytest.approx(1)
