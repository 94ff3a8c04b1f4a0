"""A vocabulary exported as a regular expression cuts like longest match, in stock libraries."""

import base64
import gzip
import json
import random
import re
from types import SimpleNamespace

import numpy as np
import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from tests.reference.longest import longest_match
from tokkit.alphabet import from_byte_level, to_byte_level
from tokkit.errors import VocabularyError
from tokkit.formats.trie_regex import trie_regex
from tokkit.segment.longest import LongestMatch
from tokkit.vocab import flatten

ALL_BYTES = [bytes([byte]) for byte in range(256)]
AWKWARD = [
    *(character.encode() * 2 for character in r".^$*+?{}[]\|()-&~#/:=!<>"),
    *[b"[a-z]", b"(?:", b"^-", b"]-", b"a-z", b"&&", b"\\d", b"\\", b"$", b"{2}", b"[^", b"-]"],
    *[b"\n", b"\r\n", b" \n", b"  ", b"\t\t", b"\x00\x00", "é".encode(), "日本".encode()],
    *[
        "🙂".encode(),
        b"\xf0\x9f\x99",
        b"\xc3",
        b" the",
        b" the cat",
        b"the",
        b"th",
        b" a b c d",
    ],
]


def stock_tokenizer(tokens):
    """The construction that the module's docstring promises, from stock parts."""
    vocab = {to_byte_level(token): index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab, [], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            pre_tokenizers.Split(Regex(trie_regex(tokens)), "isolated"),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def mismatches(tokens, texts):
    """Cut every text with both and return those that differ; each must decode to itself."""
    stock = stock_tokenizer(tokens)
    pieces = [text.encode() for text in texts]
    data, ends = flatten(pieces)
    ids, id_ends = LongestMatch(tokens).segment(SimpleNamespace(data=data, ends=ends))
    ours = np.split(ids, id_ends[:-1])
    theirs = stock.encode_batch(texts)
    assert [stock.decode(encoding.ids) for encoding in theirs] == texts
    return [t for t, a, b in zip(texts, ours, theirs, strict=True) if a.tolist() != b.ids]


def random_texts(tokens, rng, count):
    alphabet = "ab c\n\t.^$*+?{}[]\\|()-&~#:'\"0é日🙂\u0300\u2028 the"
    scalars = [*range(0xD800), *range(0xE000, 0x30000)]
    for _ in range(count):
        yield "".join(rng.choices(alphabet, k=rng.randint(0, 60)))
        yield b"".join(rng.choices(tokens, k=rng.randint(1, 12))).decode(errors="replace")
        yield "".join(map(chr, rng.choices(scalars, k=9)))


def test_the_shape_of_a_small_expression():
    expression = trie_regex([*ALL_BYTES, b"ab", b"ac", b"cd", b"cde", b"f", b"fgh"])
    assert expression.startswith("(?:a[bc]?|c(?:de?)?|f(?:gh)?|[")


def test_it_matches_the_longest_token_in_plain_python_too():
    tokens = ALL_BYTES + AWKWARD
    expression = re.compile(trie_regex(tokens))
    table = {token: index for index, token in enumerate(tokens)}
    rng = random.Random(0)
    for _ in range(300):
        data = b"".join(rng.choices(tokens, k=20))
        cut = [from_byte_level(piece) for piece in expression.findall(to_byte_level(data))]
        assert cut == [tokens[token_id] for token_id in longest_match(table, data)]


def test_stock_tokenizers_cut_random_strings_like_longest_match():
    rng = random.Random(1)
    words = [rng.choice(AWKWARD) + rng.choice(AWKWARD) for _ in range(400)]
    tokens = ALL_BYTES + sorted({*AWKWARD, *words} - set(ALL_BYTES))
    assert mismatches(tokens, list(random_texts(tokens, rng, 1500))) == []


def test_runs_nest_as_deep_as_the_longest_token():
    runs = [b" " * n for n in range(2, 400)] + [b"ab" * n for n in range(1, 150)]
    texts = [" " * n + "ab" * n + "a" for n in range(450)]
    assert mismatches(ALL_BYTES + runs, texts) == []


def test_real_vocabulary_on_real_text_and_on_its_own_tokens(shared):
    lines = (shared / "tokenizers/tiktoken/cl100k_base.tiktoken").read_bytes().splitlines()
    tokens = [base64.b64decode(line.split()[0]) for line in lines[:32_768]]
    with gzip.open(
        shared / "corpora/parallel_fastapi.jsonl.gz", "rt", encoding="utf-8"
    ) as file:
        texts = [text for line in list(file)[:6] for text in json.loads(line)["text"].values()]
    assert mismatches(tokens, texts) == []
    assert mismatches(tokens, list(random_texts(tokens, random.Random(2), 1000))) == []


def test_transformers_loads_the_same_ids(tmp_path):
    transformers = pytest.importorskip("transformers")
    tokens = ALL_BYTES + sorted(set(AWKWARD) - set(ALL_BYTES))
    stock = stock_tokenizer(tokens)
    stock.save(str(tmp_path / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path)
    text = " the cat\r\n[a-z]&& 日本 🙂 (?:x)"
    assert loaded.encode(text) == stock.encode(text).ids
    assert len(loaded) == len(tokens)


def test_a_vocabulary_that_lacks_a_byte_is_refused():
    with pytest.raises(VocabularyError, match="0x00"):
        trie_regex([token for token in ALL_BYTES if token != b"\x00"])
