"""What tokenizers out of the wild brought to light, each in a small one of its kind."""

import itertools
import json
import random
import re
from functools import partial

import pytest

from tests.byteprobs.builders import SPECIALS, bpe_json, byte_bpe
from tests.byteprobs.families import FAMILIES
from tests.byteprobs.models import random_model
from tests.byteprobs.piece_builders import sentencepiece_model
from tests.byteprobs.test_exact import byte_lm, enumerated, prefixes, require_next
from tokkit import load
from tokkit.byteprobs import ByteLM
from tokkit.canonical.contents import Contents
from tokkit.errors import ImpossibleError
from tokkit.lm.ngram import NGramModel


def search(contents):
    """Leftmost, the longest first, by the regular expressions of Python."""
    longest_first = sorted(contents, key=len, reverse=True)
    return re.compile(b"|".join([*map(re.escape, longest_first), b"."]), re.DOTALL).findall


@pytest.mark.parametrize("seed", range(12))
def test_contents_that_lie_inside_each_other_are_followed(seed):
    source = random.Random(seed)
    count = source.randint(1, 4)
    drawn = [bytes(source.choices(b"ab", k=source.randint(2, 4))) for _ in range(count)]
    texts = sorted({*drawn, *[b"aba", b"ba"][: seed % 3]})
    found, tokens = search(texts), [b"a", b"b", b"c", *texts]
    contents = Contents(texts, tokens)
    right = set()
    for text in map(bytes, itertools.product(b"abc", repeat=6)):
        right.update(itertools.accumulate([(each,) for each in found(text)]))

    def check(sequence, alive):
        for number, token in enumerate(tokens):
            longer = (*sequence, token)
            if sum(map(len, longer)) > 4:
                continue
            if token in texts:
                is_right = not contents.completes(alive, token)
                after = contents.after_content(alive, token)
            else:
                is_right = not contents.barred(alive)[number]
                after = contents.after(alive, token)
            assert is_right == (longer in right), longer
            if is_right:
                check(longer, after)

    check((), ())


def test_a_token_that_holds_a_content_is_barred():
    contents = Contents([b"bc"], [b"abcd", b"bc", b"b", b"c", b"ab", b""])
    assert contents.barred(()).tolist() == [1, 1, 0, 0, 0, 0]
    assert contents.barred(contents.after((), b"ab")).tolist() == [1, 1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    "texts", [("ab", "babb"), ("<", "<<"), ("a<", "▁a", "<>"), (" b", "ab▁")]
)
@pytest.mark.parametrize("segmentation", ["renorm", "mask"])
def test_what_a_model_file_sets_apart_is_exact(segmentation, texts, tmp_path):
    build = partial(
        sentencepiece_model,
        apart=texts,
        name=str(texts),
        missing="",
        remove_extra_whitespaces=False,
    )
    family = build(tmp_path, 3)
    model = random_model(family)
    lm = byte_lm(model, segmentation)
    assert lm.exact
    assert "set apart" in lm.method
    oracle = enumerated(family, model, segmentation)
    for text in prefixes(family, 3, 12):
        require_next(lm, family, oracle, text)


def test_added_tokens_that_begin_inside_each_other_are_exact(tmp_path):
    family = FAMILIES["added lines"](tmp_path, 2)
    assert byte_lm(random_model(family)).exact


_BERT = {
    "type": "BertNormalizer",
    "clean_text": True,
    "handle_chinese_chars": True,
    "strip_accents": False,
    "lowercase": True,
}


@pytest.fixture
def bert(tmp_path):
    """A tokenizer like BERT's: it lowers case, sets signs and ideographs apart."""
    texts = [*SPECIALS, "don", "stop", "the", "##t", "t", "'", "漢", "字", "é", "e"]
    content = {
        **bpe_json({text: number for number, text in enumerate(texts)}, []),
        "normalizer": _BERT,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False},
        "model": {
            "type": "WordPiece",
            "unk_token": "<unk>",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {text: number for number, text in enumerate(texts)},
        },
    }
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content))
    return ByteLM(NGramModel(load(path)))


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Don't stop", "don ' t stop"),
        ("the\n\n don", "the don"),
        ("漢字", "漢 字"),
        ("THE É", "the é"),
    ],
)
def test_text_that_bert_cuts_is_scored_as_it_spells_it(bert, text, spelled):
    found, written = bert.score(text), bert.score(spelled)
    assert found.n_bytes == len(spelled.encode())
    assert found.logprob == written.logprob
    assert found.byte_logprobs.sum() == pytest.approx(found.logprob, abs=1e-9)
    assert found.n_tokens == len(bert.model.tokenizer.encode(text))


def test_a_space_that_bert_drops_is_the_beginning_of_the_next_word(bert):
    after, plain = bert.next("The  ").probs, bert.next("the ").probs
    assert after.tolist() == plain.tolist()
    likely = {chr(byte) for byte in after.argsort()[-4:]}
    assert likely <= set("dste'") | {chr(byte) for byte in "漢字é".encode()}
    assert after[ord(" ")] == 0 == after[256]


def test_ideographs_follow_each_other_with_a_space_between(bert):
    assert bert.next("漢").probs[ord(" ")] > 0
    assert bert.next("漢 ").probs["字".encode()[0]] > 0
    assert bert.next("漢").probs["字".encode()[0]] == 0


def test_a_tokenizer_that_forgets_where_words_end_refuses_several(tmp_path):
    ids = {text: number for number, text in enumerate([*SPECIALS, "a", "b", "ab"])}
    content = bpe_json(ids, [("a", "b")], pre={"type": "Whitespace"})
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content))
    lm = ByteLM(NGramModel(load(path)))
    assert lm.score("ab").n_tokens == 1
    # Read again, the pieces ``a`` and ``b`` would be one token.
    with pytest.raises(ImpossibleError):
        lm.score("a b")


@pytest.mark.parametrize("alphabet", ["ex\u0301", "e \u0301\u0300x"])
@pytest.mark.parametrize("segmentation", ["renorm", "mask"])
def test_an_accent_that_would_be_joined_is_not_begun(segmentation, alphabet, tmp_path):
    build = partial(byte_bpe, name="accents", normalizer={"type": "NFC"}, reach=2)
    family = build(tmp_path, 4, alphabet)
    model = random_model(family)
    lm, oracle = byte_lm(model, segmentation), enumerated(family, model, segmentation)
    for text in prefixes(family, 3, 12):
        require_next(lm, family, oracle, text)
    assert lm.next("e").probs[0xCC] == 0 < lm.next("x").probs[0xCC]
