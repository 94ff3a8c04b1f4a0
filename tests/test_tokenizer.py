"""What one class promises for every family: bytes, spans, canonical ids, batches, threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokkit
from tests.formats import families
from tests.strategies import byte_strings, texts
from tokkit.added import Added, AddedTokens
from tokkit.errors import TokkitError, VocabularyError
from tokkit.formats.huggingface import build
from tokkit.normalize import Prepend, readable
from tokkit.patterns import find_pattern
from tokkit.pretokenize import Whole, for_pattern
from tokkit.segment.bpe import BPE
from tokkit.tokenizer import Tokenizer, to_bytes
from tokkit.vocab import Vocabulary

BYTES = [bytes([byte]) for byte in range(256)]
SPECIAL = 256 + 3


@pytest.fixture(scope="module")
def small():
    """All bytes, three merges, a special token and a cut into words."""
    tokens = (*BYTES, b"th", b"the", b" the", b"")
    merges = np.array([[116, 104, 256], [256, 101, 257], [32, 257, 258]], dtype=np.int32)
    pattern = find_pattern("gpt2")
    return Tokenizer(
        Vocabulary(tokens, {"<s>": SPECIAL}),
        BPE(tokens, merges),
        pretokenizer=for_pattern(pattern),
        added=AddedTokens((Added("<s>", SPECIAL),)),
        pattern=pattern,
    )


@pytest.fixture(scope="module")
def loaded():
    """One tokenizer of each family."""
    return {name: build(make()) for name, make in families.FAMILIES.items()}


def test_an_example(small):
    assert small.encode("the the<s>the").tolist() == [257, 258, SPECIAL, 257]
    assert small.encode("<s>", parse_specials=False).tolist() == list(b"<s>")
    assert small.decode([257, SPECIAL, 258]) == b"the the"
    assert small.decode([257, SPECIAL, 258], specials=True) == b"the<s> the"
    assert small.spans("the é<s>").tolist() == [[0, 3], [3, 4], [4, 5], [5, 6], [6, 9]]
    assert len(small) == 260


@given(byte_strings())
def test_every_byte_comes_back(small, data):
    ids = small.encode(data)
    assert ids.dtype == np.int32
    assert small.decode(ids) == data.replace(b"<s>", b"")
    spans = small.spans(data)
    assert spans.shape == (ids.size, 2)
    if data:
        assert spans[:, 0].tolist() == [0, *spans[:-1, 1].tolist()]
        assert spans[-1, 1] == len(data)


@given(st.lists(st.one_of(texts(max_size=8), byte_strings()), max_size=8))
def test_a_batch_is_its_texts(small, batch):
    assert [ids.tolist() for ids in small.encode_batch(batch)] == [
        small.encode(text).tolist() for text in batch
    ]


@settings(max_examples=30)
@given(st.lists(texts("<s>", "<mask>", max_size=8), max_size=6))
def test_a_batch_is_its_texts_in_every_family(loaded, batch):
    for name, tokenizer in loaded.items():
        assert [ids.tolist() for ids in tokenizer.encode_batch(batch)] == [
            tokenizer.encode(text).tolist() for text in batch
        ], name


def test_batches_larger_than_are_cut_at_once(small):
    batch = ["the " * 700_000, "", "x", "the " * 700_000, "<s>"]
    assert [ids.size for ids in small.encode_batch(batch)] == [
        700_001,
        0,
        1,
        700_001,
        1,
    ]


@given(st.lists(st.integers(0, 259), max_size=12))
def test_ids_are_canonical_if_encoding_gives_them_back(small, ids):
    text = small.decode(ids, specials=True)
    again = small.encode(text).tolist()
    # A special token spelled by text tokens is parsed, which says nothing of those tokens.
    if "<s>" not in small.decode(ids).decode("latin-1"):
        assert small.is_canonical(ids) == (again == ids)
    assert small.is_canonical(small.encode(text, parse_specials=False))


@settings(max_examples=30)
@given(texts("<s>", max_size=8))
def test_what_was_encoded_is_canonical(loaded, text):
    for name in (
        "gpt2",
        "llama3",
        "superbpe",
        "llama2",
        "llama first",
        "gemma",
        "llama always",
    ):
        ids = loaded[name].encode(text)
        if "\ufffd" not in text:
            assert loaded[name].is_canonical(ids), name


def test_ids_that_are_not_canonical(small, loaded):
    assert not small.is_canonical([116, 104])
    assert not small.is_canonical([257, SPECIAL, 256, 101])
    llama = loaded["llama2"]
    once = llama.encode("Once upon").tolist()
    assert llama.is_canonical([1, *once])
    assert not llama.is_canonical([1, *(i for part in once for i in (part, part))])


@pytest.mark.parametrize("name", ["llama2", "llama first", "llama always", "gemma", "qwen2"])
def test_spans_where_spaces_are_rewritten(loaded, name):
    tokenizer = loaded[name]
    data = "Once upon a  time é".encode()
    spans = tokenizer.spans(data)
    tokens = [tokenizer.vocab.tokens[i] for i in tokenizer.encode(data)]
    assert spans[0, 0] == 0
    assert spans[-1, 1] == len(data)
    for number, ((start, end), token) in enumerate(zip(spans.tolist(), tokens, strict=True)):
        assert data[start:end] == (token if number else token[len(token) - end + start :])


def test_no_spans_in_rewritten_text(loaded):
    with pytest.raises(TokkitError, match="rewrites"):
        loaded["bert"].spans("Once")
    with pytest.raises(TokkitError, match="rewrites"):
        loaded["qwen2"].spans("e\u0301")
    assert loaded["qwen2"].spans("e").tolist() == [[0, 1]]


def test_what_is_not_utf8_where_text_is_rewritten(loaded):
    for name in ("llama2", "qwen2", "xlm-r", "bert", "words"):
        tokenizer = loaded[name]
        assert (
            tokenizer.encode(b"a\xffb\xe6\xbc").tolist()
            == tokenizer.encode("a\ufffdb\ufffd\ufffd").tolist()
        )


def test_what_is_not_utf8_where_bytes_have_no_token():
    content = families.FAMILIES["gpt2"]()
    vocab = content["model"]["vocab"]
    del vocab["ÿ"]
    tokenizer = build(content)
    assert tokenizer.decode(tokenizer.encode(b"a\xffb")) == "a\ufffdb".encode()
    assert build(families.FAMILIES["gpt2"]()).decode(tokenizer.encode(b"a")) == b"a"


def test_strings_with_surrogates():
    assert to_bytes("a\ud83d\ude00b\ud83d") == "a😀b\ufffd".encode()
    assert readable(b"a\xff\xed\xa0\x80") == "a" + "\ufffd" * 4


@pytest.mark.parametrize("ids", [[260], [-1], [3, 10**6]])
def test_ids_outside_the_vocabulary(small, ids):
    with pytest.raises(VocabularyError, match="outside a vocabulary of 260"):
        small.decode(ids)


def test_threads_share_a_tokenizer(small):
    texts = [f"the {number} the{'n' * (number % 90)}" * 40 for number in range(400)]
    expected = [small.encode(text).tolist() for text in texts]
    fresh = tokkit.Tokenizer(small.vocab, small.segmenter, pretokenizer=small.pretokenizer)
    with ThreadPoolExecutor(4) as pool:
        assert [ids.tolist() for ids in pool.map(fresh.encode, texts)] == expected


def test_digests_tell_what_matters(small):
    same = Tokenizer(
        small.vocab,
        BPE(small.segmenter.spellings, small.segmenter.merges),
        pretokenizer=small.pretokenizer,
        added=small.added,
    )
    assert same.digest == small.digest
    others = [
        Tokenizer(small.vocab, small.segmenter, pretokenizer=Whole(), added=small.added),
        Tokenizer(small.vocab, small.segmenter, pretokenizer=small.pretokenizer),
        Tokenizer(
            small.vocab,
            BPE(small.segmenter.spellings, small.segmenter.merges[:2]),
            pretokenizer=small.pretokenizer,
            added=small.added,
        ),
        Tokenizer(
            small.vocab,
            small.segmenter,
            pretokenizer=small.pretokenizer,
            added=small.added,
            normalizer=Prepend(b" "),
        ),
    ]
    assert len({small.digest, *(other.digest for other in others)}) == 5


@given(texts("<ab>", "<abc>", "<abcd>", "<a", "x<l>", " <l>\n"))
def test_added_tokens_as_regular_expressions_find_them(text):
    import regex

    added = AddedTokens(
        tuple(
            Added(content, number, lstrip=content == "<l>", rstrip=content == "<l>")
            for number, content in enumerate(["<ab>", "<abc>", "<a", "<l>"])
        )
    )
    pattern = regex.compile(r"<abc>|<ab>|<a|\p{White_Space}*<l>\p{White_Space}*")
    found = [
        (segment.start, segment.data.decode())
        for segment in added.split(text.encode(), None)
        if segment.token_id >= 0
    ]
    assert found == [
        (len(text[: match.start()].encode()), match[0]) for match in pattern.finditer(text)
    ]


def test_segments_cover_the_text():
    text = "  <s> a<s>"
    tokens = AddedTokens((Added("<s>", 7, lstrip=True),))
    assert [tuple(segment) for segment in tokens.split(text.encode(), Prepend(b"_"))] == [
        (b"  <s>", 7, 0, b"  <s>"),
        (b"_ a", -1, 5, b" a"),
        (b"<s>", 7, 7, b"<s>"),
    ]
    assert tokens.split(b"", None) == []
