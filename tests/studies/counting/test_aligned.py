"""Strings whose tokens hold equally many letters, checked by other libraries."""

import numpy as np
import pytest
import sentencepiece
import tiktoken
import tokenizers
from tiktoken.load import load_tiktoken_bpe

import tokkit
from tokkit.errors import UsageError
from tokkit.patterns import find_pattern
from tokkit.studies.counting.aligned import draw_aligned, letter_tokens, token_ends
from tokkit.studies.counting.plan import Plan
from tokkit.studies.counting.prompts import STYLES, prompt_around, write_prompt
from tokkit.studies.counting.rows import make_rows
from tokkit.studies.counting.samples import draw_samples

AROUND = [prompt_around("count", style, "raw", "a") for style in STYLES]


def letters_held(pieces, prompt, string):
    """How many letters of the string each token holds that holds any."""
    text = "".join(pieces)
    start = text.rindex("String: ") + len("String: ")
    assert text[start:].startswith(string)
    assert text.split() == prompt.split()  # some write all white space as spaces
    held, place = [], 0
    for piece in pieces:
        low, high = max(place, start), min(place + len(piece), start + len(string))
        held += [high - low] if high > low else []
        place += len(piece)
    return held


@pytest.fixture(scope="module")
def gpt2(shared):
    """GPT-2's, in tokkit and in tokenizers; ASCII only."""
    path = shared / "tokenizers" / "hf" / "gpt2" / "tokenizer.json"
    own = tokenizers.Tokenizer.from_file(str(path))
    readable = str.maketrans({"Ġ": " ", "Ċ": "\n"})

    def cut(text):
        return [token.translate(readable) for token in own.encode(text).tokens]

    return tokkit.load(path.parent), cut


@pytest.fixture(scope="module")
def cl100k(shared):
    """That of GPT-4, in tokkit and in tiktoken."""
    path = shared / "tokenizers" / "tiktoken" / "cl100k_base.tiktoken"
    own = tiktoken.Encoding(
        "own",
        pat_str=find_pattern("cl100k").for_engine("rust"),
        mergeable_ranks=load_tiktoken_bpe(str(path)),
        special_tokens={},
    )

    def cut(text):
        return [own.decode([token]) for token in own.encode(text)]

    return tokkit.load(path, pattern="cl100k"), cut


@pytest.fixture(scope="module")
def llama2(shared):
    """That of Llama 2, in tokkit and in SentencePiece."""
    path = shared / "tokenizers" / "llama2" / "tokenizer.model"
    own = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def cut(text):
        pieces = own.encode(text, out_type=str)
        return [piece.replace("▁", " ").replace("<0x0A>", "\n") for piece in pieces]

    return tokkit.load(path), cut


@pytest.fixture(scope="module")
def xlmr(shared):
    """A Unigram tokenizer that writes all white space as single spaces, in tokenizers too."""
    path = shared / "tokenizers" / "focus_de_xlmr-unigram-50k" / "tokenizer.json"
    own = tokenizers.Tokenizer.from_file(str(path))

    def cut(text):
        pieces = own.encode(text, add_special_tokens=False).tokens
        return [piece.replace("▁", " ") for piece in pieces]

    return tokkit.load(path.parent), cut


@pytest.mark.parametrize(
    ("name", "letters", "per_token"),
    [
        ("gpt2", "ab", 2),
        ("gpt2", "abcd", 3),
        ("cl100k", "ab", 2),
        ("cl100k", "ab", 3),
        ("cl100k", "abcd", 4),
        ("cl100k", "qjxvwz", 1),
        ("llama2", "abcd", 2),
        ("llama2", "qjxvwz", 1),
        ("xlmr", "abcd", 2),
    ],
)
def test_each_token_holds_as_many_letters(name, letters, per_token, request):
    tokenizer, cut = request.getfixturevalue(name)
    strings = draw_aligned(
        tokenizer,
        letters,
        [12, 24],
        per_token,
        30,
        around=AROUND,
        generator=np.random.default_rng(0),
        focus=letters[0],
    )
    assert len(set(strings)) == 30
    for string in strings:
        for style in STYLES:
            prompt = write_prompt("count", style, "raw", string, "a")
            held = letters_held(cut(prompt), prompt, string)
            assert held == [per_token] * (len(string) // per_token)


def test_strings_of_any_number_of_letters_per_token_have_the_same_lengths(cl100k):
    tokenizer, _ = cl100k
    plan = Plan(letters="abcd", lengths=(10, 24), letters_per_token=(2, 3), number=20)
    samples = draw_samples(plan, tokenizer)
    assert [sample.per_token for sample in samples] == [2] * 20 + [3] * 20
    assert {len(sample.text) for sample in samples} == {12, 18, 24}
    rows = make_rows(plan, samples, tokenizer)
    raw = rows[rows["input_format"] == "raw"]
    assert (raw["length"] == raw["sample_tokens"] * raw["letters_per_token"]).all()
    assert samples == draw_samples(plan, tokenizer)


def test_balanced_strings_have_few_and_many_of_a_letter(cl100k):
    plan = Plan(
        letters="abcd", lengths=(24, 24), letters_per_token=(2,), number=80, targets=("b",)
    )
    counts = sorted(s.text.count("b") for s in draw_samples(plan, cl100k[0]))
    assert counts[16] <= 5
    assert counts[-16] >= 14


def test_what_cannot_be_is_said(cl100k):
    tokenizer, _ = cl100k
    # "aa", "ab", "ba" and "bb" are tokens: no two letters stay apart.
    with pytest.raises(UsageError, match="no strings of 'ab' in tokens of 1 letter each"):
        draw_samples(Plan(letters_per_token=(1,)), tokenizer)
    with pytest.raises(UsageError, match="has no such token, so choose other letters"):
        draw_samples(Plan(letters="qz", letters_per_token=(5,)), tokenizer)
    with pytest.raises(UsageError, match=r"only \d+ strings of 'qz'"):
        draw_samples(Plan(letters="qz", letters_per_token=(1,)), tokenizer)
    with pytest.raises(UsageError, match="no length from 10 to 20 is a multiple of 3, 7"):
        draw_samples(Plan(letters_per_token=(3, 7)), tokenizer)
    with pytest.raises(UsageError, match="--tokenizer"):
        draw_samples(Plan(letters_per_token=(2,)))


def test_tokens_that_cannot_be_placed_are_not_counted(tmp_path, caplog):
    pieces = [("<unk>", 0.0), ("▁", -1.0), ("a", -1.0), ("b", -1.0)]
    own = tokenizers.Tokenizer(tokenizers.models.Unigram(pieces, unk_id=0))
    own.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    own.decoder = tokenizers.decoders.Metaspace()
    own.save(str(tmp_path / "tokenizer.json"))
    tokenizer, plan = tokkit.load(tmp_path), Plan(number=5)
    rows = make_rows(plan, draw_samples(plan), tokenizer)
    assert rows["sample_tokens"].isna().all()
    assert caplog.text.count("not counted") == 1
    with pytest.raises(UsageError, match="rewrites text"):
        list(token_ends(tokenizer, AROUND[0], ["ab"]))


def test_tokens_made_of_letters(cl100k):
    assert letter_tokens(cl100k[0], "ab", 2) == ["aa", "ab", "ba", "bb"]


def test_ends_of_tokens_are_those_of_the_spans(gpt2, llama2):
    for tokenizer, _ in (gpt2, llama2):
        before, after = AROUND[0]
        for text in ("abbabaab", "a, b, b", "['a', 'b']", "ы щ"):
            (ends,) = token_ends(tokenizer, AROUND[0], [text])
            start, size = len(before.encode()), len(text.encode())
            spans = tokenizer.spans(before + text + after)[:, 1] - start
            assert ends.tolist() == [end for end in spans.tolist() if 0 < end < size]
