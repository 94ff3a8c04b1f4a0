"""GGUF vocabularies: against the gguf package, the rules of llama.cpp, and llama.cpp itself."""

import io
import os
from dataclasses import replace

import gguf
import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.families import SAMPLE
from tests.formats.test_tiktoken import bpe, learn
from tests.formats.texts import awkward_and_random
from tests.reference.llama_cpp import Library, rwkv, rwkv_unescape
from tokkit.added import Added, AddedTokens
from tokkit.errors import FormatError
from tokkit.formats import load, save
from tokkit.formats.byte_level import merges_reach_all
from tokkit.formats.gguf import unescape
from tokkit.formats.gguf_file import read_values, write_values
from tokkit.formats.gguf_values import escape, values_of
from tokkit.formats.sentencepiece import build
from tokkit.formats.sentencepiece_model import Piece, PieceType, read_model
from tokkit.formats.tiktoken import all_splits
from tokkit.patterns import find_pattern
from tokkit.pretokenize import for_pattern
from tokkit.segment.bpe import BPE
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Source, Tokenizer
from tokkit.vocab import Vocabulary


def spm(**settings) -> Tokenizer:
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SAMPLE.split(".") * 3),
        model_writer=written,
        vocab_size=600,
        hard_vocab_limit=False,
        minloglevel=2,
        **settings,
    )
    return build(
        read_model(written.getvalue()), Source("sentencepiece", None, written.getvalue())
    )


def longest() -> Tokenizer:
    words = [
        b" the",
        b"the tokenizer",
        b" tok",
        b"\\x41",
        b"\\n a",
        b"it's",
        b"'\"",
        b"\xe2\x96",
    ]
    tokens = [
        b"",
        *(bytes([byte]) for byte in range(256)),
        *words,
        b"",
        b"\t\r\n",
        "你好".encode(),
    ]
    added = AddedTokens((Added("<|end|>", 0), Added("<tool>", len(words) + 257, special=False)))
    vocab = [*tokens]
    vocab[len(words) + 257] = b"<tool>"
    return Tokenizer(
        Vocabulary(tuple(vocab), {"<|end|>": 0}), LongestMatch(tokens), added=added
    )


def byte_bpe(pattern: str, **settings) -> Tokenizer:
    ranks = learn(400)
    tokenizer = bpe(
        ranks, pattern=find_pattern(pattern), pretokenizer=for_pattern(find_pattern(pattern))
    )
    tokens = (*tokenizer.vocab.tokens, b"", b"", b"<x>")
    added = AddedTokens((Added("<|end|>", 400), Added("<x>", 402, special=False)))
    spellings = [token for token, _ in sorted(ranks.items(), key=lambda item: item[1])]
    return replace(
        tokenizer,
        vocab=Vocabulary(tokens, {"<|end|>": 400}),
        added=added,
        segmenter=BPE([*spellings, b"", b"", b""], all_splits(ranks), **settings),
    )


PREFIXED = {"byte_fallback": True, "normalization_rule_name": "identity"}
TOKENIZERS = {
    "longest": longest,
    **{
        name: (lambda name=name: byte_bpe(name))
        for name in ("gpt2", "qwen2", "o200k", "superbpe")
    },
    "llama3": lambda: byte_bpe("llama3", ignore_merges=True),
    "tekken": lambda: byte_bpe("tekken", ignore_merges=True),
    "spm bpe": lambda: spm(model_type="bpe", remove_extra_whitespaces=False, **PREFIXED),
    "spm bpe without prefix": lambda: spm(
        model_type="bpe", remove_extra_whitespaces=False, add_dummy_prefix=False, **PREFIXED
    ),
    "spm unigram": lambda: spm(user_defined_symbols=["<sep>"]),
    "spm unigram plain": lambda: spm(
        normalization_rule_name="identity", remove_extra_whitespaces=False
    ),
}


@pytest.fixture(params=TOKENIZERS)
def written(request, tmp_path):
    tokenizer = TOKENIZERS[request.param]()
    path = tmp_path / "vocab.gguf"
    save(tokenizer, path, to="gguf")
    return request.param, tokenizer, path


def test_what_is_written_is_read_back(written):
    _, tokenizer, path = written
    again = load(path)
    texts = awkward_and_random(tokenizer, 300)
    for parse in (False, True):
        ours = tokenizer.encode_batch(texts, parse_specials=parse)
        theirs = again.encode_batch(texts, parse_specials=parse)
        for text, own, their in zip(texts, ours, theirs, strict=True):
            assert own.tolist() == their.tolist(), text
    assert again.encode("<s><|end|>").tolist() == tokenizer.encode("<s><|end|>").tolist()
    assert again.vocab.specials == tokenizer.vocab.specials
    assert len(again) == len(tokenizer)


def test_the_gguf_package_reads_what_was_written(written):
    _, tokenizer, path = written
    fields = gguf.GGUFReader(path).fields
    for name, value in values_of(tokenizer).items():
        if isinstance(value, np.ndarray):
            theirs = np.concatenate([fields[name].parts[i] for i in fields[name].data])
            assert np.array_equal(theirs, value)
            continue
        theirs = fields[name].contents()
        if isinstance(value, list):
            assert theirs == [each.decode() for each in value]
        else:
            assert theirs == value


# What llama.cpp only approximates: combining marks, and SentencePiece's sums and spaces.
APPROXIMATE = "o200k", "tekken", "spm unigram", "spm unigram plain"


@pytest.mark.skipif(
    "TOKKIT_LLAMA_LIBRARY" not in os.environ,
    reason="set TOKKIT_LLAMA_LIBRARY to a shared library of llama.cpp",
)
def test_llama_cpp_cuts_the_same(written):
    name, tokenizer, path = written
    library = Library(path)
    texts = [text for text in awkward_and_random(tokenizer, 300) if "\0" not in text]
    ours = tokenizer.encode_batch(texts, parse_specials=True)
    wrong = [
        text
        for text, ids in zip(texts, ours, strict=True)
        if ids.tolist() != library.encode(text, True)
    ]
    assert len(wrong) <= (len(texts) // 5 if name in APPROXIMATE else 0), wrong


def test_longest_match_follows_the_rules_of_llama_cpp():
    tokenizer = longest()
    texts = values_of(tokenizer)["tokenizer.ggml.tokens"]
    for text in awkward_and_random(tokenizer, 200):
        ours = tokenizer.encode(text, parse_specials=True).tolist()
        assert ours == rwkv(texts, text.encode())


@given(st.binary(max_size=20))
def test_escaped_tokens_are_read_as_llama_cpp_reads_them(token):
    assert unescape(escape(token).encode()) == token
    assert rwkv_unescape(escape(token).encode()) == token


@given(st.text(st.sampled_from("\\xtnra019'\" é"), max_size=12))
def test_hand_written_escapes_are_read_as_llama_cpp_reads_them(text):
    try:
        theirs = rwkv_unescape(text.encode())
    except (IndexError, ValueError):
        return  # An escape that is not finished: anything goes.
    assert unescape(text.encode()) == theirs


def write_with_package(path, model, **values):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model(model)
    for name, value in values.items():
        getattr(writer, f"add_{name}")(value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_files_of_others_are_read(tmp_path):
    tokenizer = spm(model_type="bpe", remove_extra_whitespaces=False, **PREFIXED)
    model = read_model(tokenizer.source.content)
    write_with_package(
        tmp_path / "llama.gguf",
        "llama",
        token_list=[piece.text for piece in model.pieces],
        token_scores=[piece.score for piece in model.pieces],
        token_types=[int(piece.type) for piece in model.pieces],
        bos_token_id=1,
    )
    again = load(tmp_path / "llama.gguf")
    for text in awkward_and_random(tokenizer, 100):
        ids = tokenizer.encode(text, parse_specials=True)
        assert again.encode(text).tolist() == ids.tolist()


def test_every_name_of_a_pretokenizer_can_be_read(tmp_path):
    from tokkit.formats.gguf_patterns import PATTERNS_OF

    values = values_of(byte_bpe("gpt2"))
    for name in PATTERNS_OF:
        path = tmp_path / "x.gguf"
        path.write_bytes(write_values({**values, "tokenizer.ggml.pre": name}))
        tokenizer = load(path)
        assert tokenizer.decode(tokenizer.encode(SAMPLE)) == SAMPLE.encode()


def test_unknown_pretokenizers_need_a_pattern(tmp_path):
    path = tmp_path / "x.gguf"
    values = values_of(byte_bpe("gpt2"))
    path.write_bytes(write_values({**values, "tokenizer.ggml.pre": "brand-new"}))
    with pytest.raises(FormatError, match=r"x\.gguf.*'brand-new'.*--pattern"):
        load(path)
    ids = load(path, pattern="gpt2").encode(SAMPLE)
    assert ids.tolist() == byte_bpe("gpt2").encode(SAMPLE).tolist()


def test_looking_pieces_up_is_written_where_llama_cpp_does_it(tmp_path):
    tokenizer = byte_bpe("gpt2")
    assert merges_reach_all(tokenizer.segmenter)
    looked_up = byte_bpe("gpt2", ignore_merges=True)
    assert values_of(looked_up)["tokenizer.ggml.pre"] == "gpt-2"
    # A token that merges do not reach is only found by looking it up, which gpt-2 does not do.
    spellings = [*looked_up.segmenter.spellings[:401], b"  unreachable"]
    unreachable = replace(
        looked_up,
        vocab=Vocabulary((*looked_up.vocab.tokens[:401], b"  unreachable")),
        segmenter=BPE(spellings, looked_up.segmenter.merges, ignore_merges=True),
        added=AddedTokens(),
    )
    with pytest.raises(FormatError, match="looks pieces up"):
        values_of(unreachable)


def refused(tokenizer, reason):
    with pytest.raises(FormatError, match=reason):
        values_of(tokenizer)


def test_what_llama_cpp_cannot_do_is_refused():
    refused(byte_bpe("none"), "no name for that")
    refused(byte_bpe(r"\p{L}+|\P{L}+"), "no name for that")
    refused(replace(byte_bpe("gpt2"), pattern=None), "several steps")
    refused(spm(byte_fallback=True), "Unigram with byte fallback")
    refused(spm(model_type="bpe", normalization_rule_name="identity"), "without byte fallback")
    refused(spm(model_type="bpe", byte_fallback=True), "normalization")
    refused(spm(treat_whitespace_as_suffix=True), "end in spaces")
    few = [b"", *(bytes([byte]) for byte in range(255))]
    refused(
        Tokenizer(Vocabulary(tuple(few)), LongestMatch(few, unknown_id=0)),
        "no token for byte 0xFF",
    )
    stripped = AddedTokens((Added("<m>", 400, lstrip=True),))
    refused(replace(byte_bpe("gpt2"), added=stripped), "depends on its context")
    twice = longest()
    clash = AddedTokens((Added("it's", 0),))
    refused(replace(twice, added=clash), "both be written")


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "x.gguf"
    save(longest(), path, to="gguf")
    content = path.read_bytes()
    for size in (4, 20, 100, len(content) // 2):
        path.write_bytes(content[:size])
        with pytest.raises(FormatError, match=r"x\.gguf"):
            load(path)
    path.write_bytes(write_values({"tokenizer.ggml.model": "plamo2"}))
    with pytest.raises(FormatError, match="'plamo2' is not supported"):
        load(path)


values = st.one_of(
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.floats(width=32, allow_nan=False),
    st.text(max_size=20),
    st.lists(st.binary(max_size=20), min_size=1, max_size=5),
)


@given(st.dictionaries(st.text("abc.", min_size=1), values, max_size=6))
def test_values_come_back(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("values") / "x.gguf"
    path.write_bytes(write_values(content))
    expected = {
        name: value.encode() if isinstance(value, str) else value
        for name, value in content.items()
    }
    assert read_values(path, ("",)) == expected


def test_pieces_keep_their_types(tmp_path):
    tokenizer = spm(user_defined_symbols=["<sep>"], normalization_rule_name="identity")
    save(tokenizer, tmp_path / "x.gguf", to="gguf")
    model = read_model(load(tmp_path / "x.gguf").source.content)
    assert model.pieces[0] == Piece("<unk>", 0.0, PieceType.UNKNOWN)
    assert model.pieces[3].type == PieceType.USER_DEFINED
