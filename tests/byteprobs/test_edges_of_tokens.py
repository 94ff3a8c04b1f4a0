"""Special tokens, normalizers, and numbers at their limits."""

import numpy as np
import pytest

from tests.byteprobs.builders import byte_bpe
from tests.byteprobs.edges import ONLY_CANONICAL, after, model_of, require_all, token_id
from tests.byteprobs.families import FAMILIES
from tests.byteprobs.models import RandomModel, random_model, random_row
from tests.byteprobs.piece_builders import piece_bpe
from tests.byteprobs.test_exact import SEGMENTATIONS, byte_lm
from tests.formats.families import GPT2, split
from tests.reference.byteprobs import END
from tokkit.errors import ImpossibleError

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
