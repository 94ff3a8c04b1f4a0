"""SentencePiece models, against the sentencepiece library."""

import io
import itertools
import pickle
import random

import pytest
import sentencepiece
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.families import SAMPLE
from tests.formats.texts import awkward_and_random
from tokkit.errors import FormatError
from tokkit.formats import load, save
from tokkit.formats.sentencepiece import build
from tokkit.formats.sentencepiece_model import (
    ModelType,
    Normalization,
    Piece,
    PieceType,
    SentencePieceModel,
    read_model,
    write_model,
)
from tokkit.formats.sentencepiece_normalizer import SentencePieceNormalizer

UNKNOWN = Piece("<unk>", 0, PieceType.UNKNOWN)
INVALID = b"\xff\xfe", b"a\xe2\x96b", b"\xed\xa0\x80 x", b"\xf4\x90\x80\x80", bytes(range(256))


def train(**settings) -> bytes:
    written = io.BytesIO()
    lines = [sentence for sentence in SAMPLE.replace(",", ".").split(".") if sentence]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines * 3),
        model_writer=written,
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        control_symbols=["<ctl>"],
        **{"vocab_size": 500, "character_coverage": 0.99, **settings},
    )
    return written.getvalue()


def require_same(content: bytes) -> None:
    tokenizer = build(read_model(content))
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    texts = awkward_and_random(tokenizer, 300)
    ours = tokenizer.encode_batch(texts)
    for text, ids in zip(texts, ours, strict=True):
        assert ids.tolist() == processor.encode(text), text
    for data in INVALID:
        assert tokenizer.encode(data).tolist() == processor.encode(data), data


SYMBOLS = ["<sep>", "▁▁", "foo▁bar", "é", "tok"]
SETTINGS = {
    f"{kind} {rule}{' bytes' * fallback}{' prefix' * prefix}{' symbols' * symbols}": {
        "model_type": kind,
        "normalization_rule_name": rule,
        "byte_fallback": fallback,
        "add_dummy_prefix": prefix,
        "user_defined_symbols": SYMBOLS * symbols,
    }
    for kind, rule, fallback, prefix, symbols in itertools.product(
        ("bpe", "unigram"),
        ("identity", "nmt_nfkc"),
        (False, True),
        (False, True),
        (False, True),
    )
}
OTHERS = {
    "across spaces": {"split_by_whitespace": False, "split_by_unicode_script": False},
    "digits": {"split_digits": True},
    "suffix": {"treat_whitespace_as_suffix": True},
    "only spaces": {"allow_whitespace_only_pieces": True},
    "all spaces kept": {"remove_extra_whitespaces": False, "user_defined_symbols": ["▁▁"]},
    "folded": {"normalization_rule_name": "nmt_nfkc_cf"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_ids_equal_the_library(name):
    require_same(train(**SETTINGS[name]))


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
@pytest.mark.parametrize("name", OTHERS)
def test_ids_equal_the_library_with_other_settings(name, kind):
    require_same(train(model_type=kind, byte_fallback=name == "suffix", **OTHERS[name]))


@pytest.mark.parametrize("path", ["llama2", "mistral/tokenizer.model.v1", "mistral"])
def test_real_models_equal_the_library(shared, path):
    place = shared / "tokenizers" / path
    file = place if place.is_file() else next(place.glob("*.model*"))
    require_same(file.read_bytes())
    assert load(file).source.format == "sentencepiece"


def test_equal_scores_merge_leftmost_first():
    pieces = [Piece("<unk>", 0, PieceType.UNKNOWN), Piece("▁", -9), Piece("a", -8)]
    pieces += [Piece("b", -8), Piece("ab", -1), Piece("ba", -1), Piece("aba", -2)]
    content = write_model(SentencePieceModel(tuple(pieces), ModelType.BPE))
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    tokenizer = build(read_model(content))
    for length in range(1, 9):
        for letters in itertools.product("ab", repeat=length):
            text = "".join(letters)
            assert tokenizer.encode(text).tolist() == processor.encode(text)


def test_pieces_of_characters_that_are_no_pieces_are_found():
    pieces = [Piece("<unk>", 0, PieceType.UNKNOWN), Piece("▁x", -2), Piece("xyz", -3)]
    pieces += [Piece("yz", -1), Piece("☃☃", -1)]
    content = write_model(SentencePieceModel(tuple(pieces), ModelType.BPE))
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    tokenizer = build(read_model(content))
    for text in ("xyz", "x yz", "yy zz", "☃☃☃ ☃", "q☃☃q", "▁▁x"):
        assert tokenizer.encode(text).tolist() == processor.encode(text)


def test_runs_of_unknown_characters_are_one_token_however_long():
    content = train(model_type="bpe")
    tokenizer = build(read_model(content))
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    for text in ("쀍" * 500, "쀍☃" * 100 + "a" + "☃" * 70, " ".join("쀍☃" * 40)):
        assert tokenizer.encode(text).tolist() == processor.encode(text)


@pytest.mark.parametrize("seed", range(4))
def test_scores_are_added_up_as_in_the_library_over_a_long_text(seed):
    # The library counts anew where a sum falls below -100000, which 32 bits hardly hold.
    source = random.Random(seed)
    words = {"".join(source.choices("abcd", k=source.randrange(2, 6))) for _ in range(12)}
    pieces = [UNKNOWN, *(Piece(each, -source.uniform(1, 40)) for each in ["a", "b", *words])]
    content = write_model(SentencePieceModel(tuple(pieces)))
    tokenizer = build(read_model(content))
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    text = "".join(source.choices("abcd", k=60_000))
    assert tokenizer.encode(text).tolist() == processor.encode(text)


spaced = st.text(st.sampled_from("ab ▁\n") | st.characters(), max_size=12)


@given(spaced, st.tuples(*[st.booleans()] * 4), st.sampled_from([(), ("a▁", "▁▁"), ("a b",)]))
def test_normalization_equals_the_library(text, switches, protected):
    prefix, remove, escape, suffix = switches
    rules = Normalization("identity", b"", prefix, remove, escape)
    normalizer = SentencePieceNormalizer(rules, suffix, protected)
    data = text.encode("utf-8", "surrogatepass")
    assert normalizer.normalize(data) == normalizer._through_library(data)


def test_tokenizers_can_be_sent_to_other_processes():
    tokenizer = build(read_model(train(user_defined_symbols=["<sep>"])))
    tokenizer.encode("½ ﬁ <sep>")
    again = pickle.loads(pickle.dumps(tokenizer))
    assert again.encode(SAMPLE).tolist() == tokenizer.encode(SAMPLE).tolist()
    assert again.digest == tokenizer.digest


def test_decoding_gives_the_normalized_text_back():
    tokenizer = build(read_model(train(model_type="bpe", byte_fallback=True)))
    assert (
        tokenizer.decode(tokenizer.encode("the  tokenizer ½"))
        == b"the tokenizer 1\xe2\x81\x842"
    )


@pytest.mark.parametrize(
    ("pieces", "kind", "reason"),
    [
        ((UNKNOWN, Piece("a")), ModelType.WORD, "word models"),
        ((UNKNOWN, Piece("a")), ModelType.CHAR, "char models"),
        ((Piece("a"),), ModelType.BPE, "0 unknown pieces"),
        ((UNKNOWN, Piece("a"), Piece("a")), ModelType.BPE, "both 'a'"),
        ((UNKNOWN, Piece("")), ModelType.BPE, "empty"),
        ((UNKNOWN, Piece("a", 0, PieceType.CONTROL)), ModelType.BPE, "character of text"),
        ((UNKNOWN, Piece("ab", 0, PieceType.UNUSED)), ModelType.BPE, "unused"),
        ((UNKNOWN,), ModelType.UNIGRAM, "no normal pieces"),
    ],
)
def test_what_would_not_be_exact_is_refused(pieces, kind, reason):
    with pytest.raises(FormatError, match=reason):
        build(SentencePieceModel(pieces, kind))


def test_bytes_are_needed_for_byte_fallback():
    model = SentencePieceModel((UNKNOWN, Piece("a")), ModelType.BPE, byte_fallback=True)
    with pytest.raises(FormatError, match="all 256"):
        build(model)


def test_a_pattern_makes_no_sense(tmp_path):
    (tmp_path / "tokenizer.model").write_bytes(train())
    assert len(load(tmp_path)) == len(load(tmp_path / "tokenizer.model"))
    with pytest.raises(FormatError, match="no pre-tokenization pattern"):
        load(tmp_path, pattern="gpt2")


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(train()[:-7])
    with pytest.raises(FormatError, match=r"tokenizer\.model"):
        load(path)


def test_user_defined_pieces_survive_the_export_to_hugging_face(tmp_path):
    content = train(
        model_type="bpe",
        byte_fallback=True,
        user_defined_symbols=["[A_1]", "[A_10]", "▁▁"],
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
    )
    (tmp_path / "x.model").write_bytes(content)
    save(load(tmp_path / "x.model"), tmp_path / "hf")
    backend = tokenizers.Tokenizer.from_file(str(tmp_path / "hf" / "tokenizer.json"))
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    for parts in itertools.product(
        ("[A_1]", "[A_10]", " ", "<0x41>", "the tok", "0x41>"), repeat=3
    ):
        text = "".join(parts)
        assert backend.encode(text, add_special_tokens=False).ids == processor.encode(text), (
            text
        )
