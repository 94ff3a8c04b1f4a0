import itertools
import json

import pytest
import tiktoken

import tokkit
from tests.byteprobs.families import FAMILIES
from tokkit.added import Added, AddedTokens
from tokkit.analysis.audit import audit
from tokkit.analysis.audit.inventory import scripts_of, take_inventory
from tokkit.analysis.audit.reachability import CAUSES, reach, unmergeable
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary

# Published by others (the reports of arXiv 2405.05417 for the fragments), or measured before on
# the same files by other code.
FILES = {
    "r50k": ("tiktoken/r50k_base.tiktoken", 344, 216, 13, 25, 128, 697),
    "cl100k": ("tiktoken/cl100k_base.tiktoken", 773, 645, 13, 225, 128, 0),
    "o200k": ("tiktoken/o200k_base.tiktoken", 1562, 1434, 13, 277, 128, 0),
    "llama3": ("llama3/tokenizer.model", 1352, 1224, 13, 249, 128, 0),
}
DIGITS = {
    "r50k": {1: 10, 2: 100, 3: 777, 4: 94, 5: 6, 6: 2, 7: 1, 8: 3, 16: 1},
    "cl100k": {1: 10, 2: 100, 3: 1000},
    "o200k": {1: 10, 2: 100, 3: 1000},
    "llama3": {1: 10, 2: 100, 3: 1000},
}


@pytest.mark.parametrize("name", FILES)
def test_published_inventories(shared, name):
    path, invalid, fragments, never, long, longest, spaced = FILES[name]
    found = take_inventory(tokkit.load(shared / "tokenizers" / path))
    counts = {kind: len(tokens) for kind, tokens in found.kinds.items()}
    assert counts["not UTF-8"] == invalid
    assert counts["fragments"] == fragments
    assert counts["never in UTF-8"] == never
    assert counts["long"] == long
    assert found.longest[1] == longest
    assert counts["spaced numbers"] == spaced
    assert found.digits == DIGITS[name]


@pytest.mark.parametrize(("name", "count"), [("llama3", 588), ("r50k", 0)])
def test_published_tokens_that_merges_alone_do_not_make(shared, name, count):
    tokenizer = tokkit.load(shared / "tokenizers" / FILES[name][0])
    found = unmergeable(tokenizer)
    assert len(found) == count
    if count:
        spelled = {tokenizer.vocab.tokens[token].decode() for token in found}
        assert {" việc", " hợp", " jeho"} <= spelled


@pytest.mark.slow
def test_twelve_tokens_of_o200k_are_reached_only_among_others(shared):
    file = shared / "tokenizers" / "tiktoken" / "o200k_base.tiktoken"
    tokenizer = tokkit.load(file)
    found = audit(tokenizer, name="o200k")
    tokens = tokenizer.vocab.tokens
    odd = {tokens[token].decode() for token in found.not_by_itself}
    assert len(odd) == 12
    assert {" I'", "\n//", "\r\n//", " 亚洲AV"} <= odd
    foreign = tiktoken.Encoding(
        "o200k",
        pat_str=tokenizer.pattern.for_engine("tiktoken"),
        mergeable_ranks={token: number for number, token in enumerate(tokens) if token},
        special_tokens={},
    )
    for token, text in found.reachability.witnesses.items():
        assert token in foreign.encode(text.decode(), disallowed_special=()), tokens[token]
    # Every two-byte character that begins with D0 is a token made before one that ends so.
    causes = found.reachability.causes
    assert {tokens[token] for token in causes if causes[token] != "not UTF-8"} == {
        b"\xd0\xbe\xd0"
    }
    said = json.loads(json.dumps(found.as_json()))
    assert (said["unknown"], said["exact"], said["not_by_themselves_count"]) == (0, True, 12)
    assert said["unreachable_by_cause"] == {"not UTF-8": 13, "after": 1}
    assert [each["text"] for each in said["scaffolding"]] == ["о<D0>"]


@pytest.mark.parametrize("name", ["unreachable", "gpt2 words", "llama", "wordpiece", "unigram"])
def test_no_short_text_gives_what_is_proven_unreachable(name, tmp_path):
    family = FAMILIES[name](tmp_path, 5)
    found = reach(family.tokenizer)
    alphabet = f"{family.alphabet}{family.more}"
    texts = itertools.chain.from_iterable(
        map("".join, itertools.product(alphabet, repeat=length)) for length in range(1, 7)
    )
    met = {token for ids in family.encode(list(itertools.islice(texts, 4000))) for token in ids}
    for token, cause in found.causes.items():
        assert cause in CAUSES
        assert token not in met, family.tokens[token]
    for token, text in found.witnesses.items():
        assert token in family.encode([text.decode()])[0]
    for token in met:
        if family.tokens[token]:
            assert found.status(token) == "reachable", family.tokens[token]


def test_special_tokens_that_plain_text_gives():
    bytes_ = tuple(bytes([byte]) for byte in range(256))
    vocab = Vocabulary((*bytes_, b"", b""), {"<s>": 256, "<|end|>": 257})
    added = AddedTokens((Added("<s>", 256, special=True), Added("<|end|>", 257, special=True)))
    open_to_all = Tokenizer(vocab, LongestMatch(bytes_), added=added)
    found = audit(open_to_all)
    expected = {
        text: token
        for text, token in vocab.specials.items()
        if token in open_to_all.encode(f"a{text}b").tolist()
    }
    assert found.leaks == expected
    assert len(found.frame()) == 258
    assert set(found.frame()["status"]) == {"reachable", "unreachable", "special"}


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ("abc", {"Latin"}),
        ("aб", {"Latin", "Cyrillic"}),
        ("漢字かな", {"Japanese"}),
        ("12 !", set()),
    ],
)
def test_scripts(text, scripts):
    assert scripts_of(text) == scripts
