import collections
import itertools
import json

import numpy as np
import pytest
import sentencepiece
import tiktoken
import tokenizers

import tokkit
from tests.byteprobs.families import FAMILIES
from tokkit.added import Added, AddedTokens
from tokkit.analysis.audit import audit
from tokkit.analysis.audit.inventory import scripts_of, take_inventory
from tokkit.analysis.audit.proofs import unmergeable
from tokkit.analysis.audit.reachability import CAUSES, reach
from tokkit.analysis.audit.run import specials_from_text
from tokkit.analysis.audit.scaffolding import find_scaffolding
from tokkit.canonical.build import build_grammar
from tokkit.canonical.uses import find_use
from tokkit.errors import CorpusError
from tokkit.segment.bpe import BPE
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
    assert found.leaks_apart == {}
    assert len(found.frame()) == 258
    assert found.frame()["text"].tolist()[256:] == ["<s>", "<|end|>"]
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


def hugging_face(folder, tokenizer):
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokkit.load(folder)


def test_a_special_token_that_is_ordinary_as_well_is_given_even_if_told_apart(tmp_path):
    trained = tokenizers.Tokenizer(tokenizers.models.BPE())
    trained.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=270,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<!--", "<|end|>"],
        show_progress=False,
    )
    trained.train_from_iterator(["<!-- <!-- <!--"] * 9, trainer)
    trained.encode_special_tokens = True
    expected = {
        text: token
        for text, token in trained.get_vocab().items()
        if text in ("<!--", "<|end|>") and token in trained.encode(text).ids
    }
    assert list(expected) == ["<!--"]
    loaded = hugging_face(tmp_path, trained)
    assert specials_from_text(loaded, parse_specials=False) == expected
    assert set(specials_from_text(loaded)) == {"<!--", "<|end|>"}


def test_added_tokens_hide_no_witness(tmp_path):
    """``<AF>ve`` is never the text of a token, but ``įve`` has it at its end."""
    bytes_ = list(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    parts = [*sorted(bytes_), "ve", "¯ve"]
    merges = [("v", "e"), ("¯", "ve")]
    model = tokenizers.models.BPE({part: n for n, part in enumerate(parts)}, merges)
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.add_tokens([tokenizers.AddedToken("[tool]", normalized=False)])
    loaded = hugging_face(tmp_path, made)
    token = made.token_to_id("¯ve")
    found = find_use(build_grammar(loaded, loaded.vocab.tokens), token)
    text = loaded.decode(found.sequence).decode()
    assert token in made.encode(text).ids
    assert token in made.encode("įve").ids


def test_what_others_with_the_same_bytes_outscore_is_unreachable(tmp_path):
    scores = [("<unk>", 0.0), ("a", -1.0), ("b", -1.5), ("ab", -2.6), ("ba", -2.4), ("é", -9.0)]
    made = tokenizers.Tokenizer(tokenizers.models.Unigram(scores, 0))
    made.normalizer = tokenizers.normalizers.NFKC()
    found = reach(hugging_face(tmp_path, made))
    texts = ("".join(each) for n in range(1, 9) for each in itertools.product("ab", repeat=n))
    given = {token for text in texts for token in made.encode(text).ids}
    assert given == {1, 2, 4}
    assert found.causes == {3: "scores"}
    assert [found.status(token) for token in (1, 2, 4, 5)] == ["reachable"] * 4


def test_what_a_normalizer_always_replaces_is_unreachable(shared, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat\n" * 50, encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(tmp_path / "small"),
        vocab_size=280,
        byte_fallback=True,
        hard_vocab_limit=False,
        model_type="bpe",
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "small.model"))
    replaced = {
        processor.piece_to_id(f"<0x{code:02X}>")
        for code in range(0x80)
        if processor.piece_to_id(f"<0x{code:02X}>") not in processor.encode(f"a{chr(code)}a")
        and chr(code) not in processor.normalize(f"a{chr(code)}a").replace("▁", " ")
    }
    causes = reach(tokkit.load(tmp_path / "small.model")).causes
    assert {token for token, cause in causes.items() if cause == "normalized"} == replaced
    assert len(replaced) > 20


def test_what_lower_casing_changes_is_unreachable(tmp_path):
    words = ["[UNK]", "a", "B", "ab", "##B", "##b", "é", "ß"]
    made = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(
            {word: n for n, word in enumerate(words)}, unk_token="[UNK]"
        )
    )
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    texts = (
        "".join(each) for n in range(1, 5) for each in itertools.product("aBbéß", repeat=n)
    )
    given = {token for text in texts for token in made.encode(text).ids}
    assert given == {0, 1, 3, 5, 7}
    found = reach(hugging_face(tmp_path, made))
    assert found.causes == dict.fromkeys((2, 4, 6), "normalized")


def merged_on(text, merges):
    """Count what is made, and merged on, while a text is merged: the rules, carried out."""
    symbols, gone = list(text), collections.Counter()
    while True:
        places = [
            (merges.index(pair), place)
            for place, pair in enumerate(itertools.pairwise(symbols))
            if pair in merges
        ]
        if not places:
            return collections.Counter(symbols), gone
        _, place = min(places)
        gone.update(symbols[place : place + 2])
        symbols[place : place + 2] = ["".join(symbols[place : place + 2])]


def test_scaffolding_is_what_merging_leaves_little_of():
    merges = [("t", "h"), ("th", "e"), ("i", "n"), ("in", "g"), ("a", "the")]
    spelled = sorted({*"theinga ", *("".join(pair) for pair in merges)})
    ids = {each: n for n, each in enumerate(spelled)}
    rows = np.array([[ids[a], ids[b], ids[a + b]] for a, b in merges], dtype=np.int32)
    spellings = [each.encode() for each in spelled]
    tokenizer = Tokenizer(Vocabulary(tuple(spellings), {}), BPE(spellings, rows))
    texts = ["thing", "the the", "athe inn", *["the"] * 17]
    left, gone = collections.Counter(), collections.Counter()
    for text in texts:
        for total, part in zip((left, gone), merged_on(text, merges), strict=True):
            total.update(part)
    found = find_scaffolding(tokenizer, [text.encode() for text in texts])
    assert dict(zip(spelled, found.counts.tolist(), strict=True)) == {
        each: left[each] for each in spelled
    }
    assert dict(zip(spelled, found.merged_on.tolist(), strict=True)) == {
        each: gone[each] for each in spelled
    }
    # 20 of 21 "th" became "the"; of two "in" one became "ing".
    assert [spelled[token] for token in found.tokens] == ["th"]
    assert found.never_left == []
    assert found.as_json()["scaffolding"] == 1


def test_of_no_text_nothing_is_said_to_be_scaffolding():
    tokenizer = Tokenizer(Vocabulary((b"a",), {}), BPE([b"a"], np.zeros((0, 3), np.int32)))
    for documents in ([], [b""]):
        with pytest.raises(CorpusError, match="have no tokens"):
            find_scaffolding(tokenizer, documents)
