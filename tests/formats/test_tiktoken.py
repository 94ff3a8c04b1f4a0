"""tiktoken files, against tiktoken."""

import base64
import json
from itertools import pairwise

import pytest
import tiktoken

from tests.formats.families import SAMPLE
from tests.formats.texts import awkward_and_random
from tokkit.added import Added, AddedTokens
from tokkit.errors import CheckError, FormatError
from tokkit.formats import load, save
from tokkit.formats.encodings import ENCODINGS
from tokkit.formats.tiktoken import Ranks, all_splits, build, read_ranks
from tokkit.patterns import find_pattern
from tokkit.pretokenize import for_pattern
from tokkit.segment.bpe import BPE
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

SINGLE = {bytes([byte]): byte for byte in range(256)}


def lines(ranks: dict[bytes, int]) -> bytes:
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items())


def write(path, ranks, **beside):
    path.write_bytes(lines(ranks))
    if beside:
        path.with_suffix(".json").write_text(json.dumps(beside))
    return path


def learn(size: int) -> dict[bytes, int]:
    """Ranks by the textbook: merge the most frequent pair until there are enough."""
    words = [list(bytes([byte]) for byte in word.encode()) for word in SAMPLE.split(" ")]
    ranks = dict(SINGLE)
    while len(ranks) < size:
        counts: dict[tuple[bytes, bytes], int] = {}
        for word in words:
            for pair in pairwise(word):
                counts[pair] = counts.get(pair, 0) + 1
        left, right = max(counts, key=lambda pair: (counts[pair], pair))
        ranks[left + right] = len(ranks)
        for word in words:
            for place in range(len(word) - 1, 0, -1):
                if word[place - 1 : place + 1] == [left, right]:
                    word[place - 1 : place + 1] = [left + right]
    return ranks


def naive_encode(ranks: dict[bytes, int], piece: bytes) -> list[int]:
    """tiktoken's rule: merge the neighbours that rank lowest together, leftmost first."""
    if piece in ranks:
        return [ranks[piece]]
    parts = [bytes([byte]) for byte in piece]
    while True:
        joined = [(ranks.get(a + b), i) for i, (a, b) in enumerate(pairwise(parts))]
        known = [(rank, place) for rank, place in joined if rank is not None]
        if not known:
            return [ranks[part] for part in parts]
        _, place = min(known)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]


def test_every_split_is_a_merge():
    tokens = {b"a": 0, b"b": 1, b"ab": 2, b"ba": 3, b"aba": 4}
    assert all_splits(tokens).tolist() == [[0, 1, 2], [1, 0, 3], [0, 3, 4], [2, 0, 4]]


def test_tokens_that_rank_equal_to_their_splits_merge_leftmost_first():
    # Ranks that no training gives: long tokens first, so that splits compete.
    tokens = [b"aaa", b"aab", b"ba", b"aa", b"ab", b"bb", b"aabb"]
    ranks = {**SINGLE, **{token: 256 + number for number, token in enumerate(tokens)}}
    tokenizer = build(Ranks(ranks, find_pattern("none"), {}))
    for number in range(3**7):
        piece = b"".join(b"ab."[number // 3**i % 3 : number // 3**i % 3 + 1] for i in range(7))
        assert tokenizer.encode(piece).tolist() == naive_encode(ranks, piece)


@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base", "p50k_base", "r50k_base"])
def test_published_encodings_equal_tiktoken(shared, name):
    require_same(shared / "tokenizers" / "tiktoken" / f"{name}.tiktoken")


def test_llama3_equals_tiktoken(shared):
    tokenizer = require_same(shared / "tokenizers" / "llama3" / "tokenizer.model")
    assert tokenizer.vocab.specials["<|eot_id|>"] == 128009
    assert len(tokenizer) == 128256


def require_same(path) -> Tokenizer:
    tokenizer = load(path)
    encoding = tiktoken.Encoding(
        "reference",
        pat_str=tokenizer.pattern.for_engine("rust"),
        mergeable_ranks=read_ranks(path, path.read_bytes()),
        special_tokens=dict(tokenizer.vocab.specials),
    )
    texts = awkward_and_random(tokenizer, 500)
    for text, ids in zip(texts, tokenizer.encode_batch(texts), strict=True):
        assert ids.tolist() == encoding.encode_ordinary(text), text
    for text in texts[::5]:
        parsed = tokenizer.encode(text, parse_specials=True)
        assert parsed.tolist() == encoding.encode(text, allowed_special="all"), text
        assert tokenizer.decode(parsed, specials=True) == encoding.decode_bytes(parsed.tolist())
    assert len(tokenizer) == encoding.n_vocab
    return tokenizer


@pytest.mark.parametrize(
    ("name", "count", "first"), [("llama3", 256, 128000), ("llama4", 2048, 200000)]
)
def test_specials_are_numbered_as_the_model_card_says(name, count, first):
    specials = next(each for each in ENCODINGS.values() if each.name == name).specials()
    assert sorted(specials.values()) == list(range(first, first + count))


def test_llama4_specials_are_those_of_its_source():
    specials = next(each for each in ENCODINGS.values() if each.name == "llama4").specials()
    # meta-llama/llama-models, models/llama4/tokenizer.py: comments and table of ids.
    expected = {
        "<|begin_of_text|>": 200000,
        "<|header_start|>": 200005,
        "<|finetune_right_pad|>": 200018,
        "<|image_start|>": 200080,
        "<|patch|>": 200092,
        "<|reasoning_thinking_end|>": 201143,
    }
    assert {text: specials[text] for text in expected} == expected


def test_a_written_file_is_read_back_and_by_tiktoken(tmp_path):
    specials = {"<|end|>": 400, "<|pad|>": 402}
    tokenizer = build(Ranks(learn(400), find_pattern("cl100k"), specials))
    save(tokenizer, tmp_path / "own.tiktoken", to="tiktoken")
    again = require_same(tmp_path / "own.tiktoken")
    assert again.vocab == tokenizer.vocab
    assert again.pattern == tokenizer.pattern
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.json", "own.tiktoken"]
    assert json.loads((tmp_path / "own.json").read_text())["special_tokens"] == specials


def test_gaps_and_odd_orders_of_single_bytes_survive(tmp_path):
    ranks = {
        token: (255 - rank if rank < 256 else rank + 7) for token, rank in learn(300).items()
    }
    tokenizer = build(Ranks(ranks, find_pattern("gpt2"), {"<|x|>": 258}))
    save(tokenizer, tmp_path / "gaps.tiktoken", to="tiktoken")
    require_same(tmp_path / "gaps.tiktoken")


def test_the_pattern_can_be_any_regular_expression(tmp_path):
    path = write(tmp_path / "a.tiktoken", learn(300))
    for pattern in (r"\p{L}+|\P{L}", "superbpe", "qwen2"):
        tokenizer = load(path, pattern=pattern)
        encoding = tiktoken.Encoding(
            "x",
            pat_str=tokenizer.pattern.for_engine("rust"),
            mergeable_ranks=learn(300),
            special_tokens={},
        )
        for text in awkward_and_random(tokenizer, 50):
            assert tokenizer.encode(text).tolist() == encoding.encode_ordinary(text)


def test_what_a_pattern_leaves_out_is_lost_as_in_tiktoken(tmp_path):
    tokenizer = load(write(tmp_path / "a.tiktoken", SINGLE), pattern=r"[a-z]+")
    encoding = tiktoken.Encoding(
        "x", pat_str=r"[a-z]+", mergeable_ranks=SINGLE, special_tokens={}
    )
    for text in ("ab, cd!", "1", "", "ü a"):
        assert tokenizer.encode(text).tolist() == encoding.encode_ordinary(text)


def test_a_file_without_a_pattern_says_what_to_do(tmp_path):
    with pytest.raises(FormatError, match="--pattern"):
        load(write(tmp_path / "a.tiktoken", SINGLE))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"IQ== 0\nnonsense\n", "line 2"),
        (b"IQ== 0\nIQ== x\n", "line 2"),
        (b"IQ== 0\nI!== 1\n", "line 2"),
        (lines({**SINGLE, b"ab": 7}), "share the rank 7"),
        (lines({token: rank for token, rank in SINGLE.items() if rank != 9}), "byte 0x09"),
        (lines({**SINGLE, b"ab": 2**40}), "2\\^31"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_line(tmp_path, content, reason):
    path = tmp_path / "bad.tiktoken"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=rf"bad\.tiktoken.*{reason}"):
        load(path, pattern="gpt2")


def test_a_bad_file_beside_it_is_refused(tmp_path):
    path = write(tmp_path / "a.tiktoken", SINGLE, pat_str="x")
    with pytest.raises(FormatError, match=r"a\.json"):
        load(path)


def bpe(ranks, merges=None, **parts) -> Tokenizer:
    spellings = [token for token, _ in sorted(ranks.items(), key=lambda item: item[1])]
    merges = all_splits(ranks) if merges is None else merges
    return Tokenizer(
        Vocabulary(tuple(spellings)),
        parts.pop("segmenter", None) or BPE(spellings, merges),
        **{
            "pattern": find_pattern("gpt2"),
            "pretokenizer": for_pattern(find_pattern("gpt2")),
            **parts,
        },
    )


def test_what_tiktoken_cannot_do_is_refused(tmp_path):
    ranks = learn(300)
    merges = all_splits(ranks)
    added = AddedTokens((Added("the", 0, special=False),))
    stripped = AddedTokens((Added("<m>", 0, lstrip=True),))
    refused = {
        "LongestMatch": bpe(ranks, segmenter=LongestMatch(list(ranks))),
        "one pattern": bpe(ranks, pattern=None),
        "order of the ids": bpe(ranks, merges[::-1].copy()),
        "not special": bpe(ranks, added=added),
        "context": bpe(ranks, added=stripped),
    }
    for reason, tokenizer in refused.items():
        with pytest.raises(FormatError, match=reason):
            save(tokenizer, tmp_path / "x.tiktoken", to="tiktoken")
    with pytest.raises(FormatError, match="ends in"):
        save(bpe(ranks), tmp_path / "x.bpe", to="tiktoken")
    assert list(tmp_path.iterdir()) == []


def test_a_difference_is_an_error_and_leaves_nothing(tmp_path):
    # Without one of its merges the tokenizer is not what tiktoken makes of the ranks.
    ranks = learn(300)
    with pytest.raises(CheckError, match="tiktoken"):
        save(bpe(ranks, all_splits(ranks)[1:]), tmp_path / "x.tiktoken", to="tiktoken")
    assert list(tmp_path.iterdir()) == []
