"""Every family of tokenizer.json gives the ids that the tokenizers library gives."""

import gzip
import json
import pickle
from dataclasses import replace

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

import tokkit
from tests.formats import families
from tests.strategies import texts
from tokkit.added import Added, AddedTokens
from tokkit.errors import CheckError, FormatError, UsageError
from tokkit.formats.check import AWKWARD
from tokkit.formats.huggingface_scores import dump, read_vocabulary
from tokkit.segment.longest import LongestMatch
from tokkit.vocab import Vocabulary

SPECIALS = "<s>", "<mask>", "<l>", " <r> ", "<w>", "<both>", "[MASK]", "<unk>", "<|end|>", "the"
ODD = (
    families.SAMPLE,
    families.SAMPLE * 3,
    "a <l>  <r>  b<w> <w>c the, other <both> \n <both",
    "\u3000<mask>x<mask> \u2028 <l>\x85<r>\xa0é<w>é",
    "  leading",
    "trailing  \n",
    " \x0b\x0c\x1c\x1d\x1e\x1f\x85\u200b ",
    "e\u0301e\u0301\u0301 ﬁ Å ｶﾞ 각",
)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Each family as loaded by tokkit and by the tokenizers library."""
    return {
        path.stem: (tokkit.load(path), tokenizers.Tokenizer.from_file(str(path)))
        for path in families.write(tmp_path_factory.mktemp("families"))
    }


def compare(pair, text, name=""):
    ours, theirs = pair
    for parse in (None, False):
        theirs.encode_special_tokens = parse is False
        expected = theirs.encode(text, add_special_tokens=False).ids
        assert ours.encode(text, parse_specials=parse).tolist() == expected, (name, parse)


@pytest.mark.parametrize("name", families.FAMILIES)
def test_ids_of_awkward_texts(pairs, name):
    for text in (*ODD, *AWKWARD):
        compare(pairs[name], text)


@settings(max_examples=40)
@given(texts(*SPECIALS))
def test_ids_of_any_text(pairs, text):
    for name, pair in pairs.items():
        compare(pair, text, name)


@pytest.mark.parametrize("name", families.FAMILIES)
def test_text_comes_back(pairs, name):
    ours, theirs = pairs[name]
    has_decoder = theirs.decoder is not None
    for text in (*ODD, *AWKWARD) if has_decoder and name not in ("clip", "albert") else ():
        ids = ours.encode(text).tolist()
        if not set(ours.vocab.specials.values()).isdisjoint(ids):
            continue
        # Where bytes are not UTF-8 the two put different numbers of U+FFFD.
        text = ours.decode(ids).decode("utf-8", "replace").replace("\ufffd", "")
        assert text == theirs.decode(ids).replace("\ufffd", "")


@pytest.mark.parametrize("name", families.FAMILIES)
def test_a_pickled_tokenizer_is_the_same(pairs, name):
    ours, _ = pairs[name]
    again = pickle.loads(pickle.dumps(ours))
    assert again.digest == ours.digest
    assert again.encode(families.SAMPLE).tolist() == ours.encode(families.SAMPLE).tolist()


def test_families_differ(pairs):
    digests = {name: ours.digest for name, (ours, _) in pairs.items()}
    assert digests.pop("fallback never used") == digests["gpt2"]
    assert len(set(digests.values())) == len(digests)


def test_old_spellings_of_merges(tmp_path):
    content = families.FAMILIES["gpt2"]()
    path = tmp_path / "tokenizer.json"
    merges = content["model"]["merges"]
    content["model"]["merges"] = ["#version: 0.2", *(" ".join(merge) for merge in merges)]
    del content["model"]["type"]
    path.write_text(json.dumps(content))
    old = tokkit.load(tmp_path)
    path.write_text(json.dumps(families.FAMILIES["gpt2"]()))
    assert old.digest == tokkit.load(path).digest


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": {"dropout": 0.1}}, "at random"),
        ({"model": {"type": "Other"}}, "'Other'"),
        ({"model": {"merges": [["a", "zzz"]]}}, "'zzz'"),
        ({"model": {"merges": ["a"]}}, "two parts"),
        ({"model": {"unk_token": "<none>"}}, "'<none>'"),
        ({"model": {"vocab": {"a": 0, "b": 0}}}, "same id"),
        ({"model": {"vocab": 3}}, "no vocabulary"),
        ({"version": "2.0"}, "version"),
        ({"pre_tokenizer": {"type": "New"}}, "cannot read it"),
        ({"pre_tokenizer": families.split("(")}, "cannot read it"),
        ({"normalizer": 3}, "cannot read it"),
        ({"added_tokens": [{"content": "x"}]}, "KeyError"),
        (
            {
                "normalizer": {"type": "Lowercase"},
                "added_tokens": [
                    families.added("<A>", 600, normalized=True),
                    families.added("<a>", 601, normalized=True),
                ],
            },
            "are the same",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path, change, reason):
    content = families.FAMILIES["gpt2"]()
    content["model"] |= change.pop("model", {})
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({**content, **change}))
    with pytest.raises(FormatError, match=reason) as raised:
        tokkit.load(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", '{"model": null}', '"model"', "\udcff"]
)
def test_files_that_are_no_tokenizer(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(FormatError, match=r"tokenizer\.json"):
        tokkit.load(path)


@pytest.mark.parametrize("name", families.FAMILIES)
def test_writing_what_was_read(pairs, name, tmp_path):
    ours, _ = pairs[name]
    tokkit.save(ours, tmp_path / "again")
    assert tokkit.load(tmp_path / "again").digest == ours.digest
    with pytest.raises(UsageError, match="exists"):
        tokkit.save(ours, tmp_path / "again")
    tokkit.save(ours, tmp_path / "again", force=True)
    assert sorted(file.name for file in (tmp_path / "again").iterdir()) == [
        "tokenizer.json",
        "tokenizer_config.json",
    ]


# What tokkit cannot say in its own words, though it can copy it.
ONLY_COPIED = {"llama2 few bytes", "albert"}


@pytest.mark.parametrize(
    "name", [name for name in families.FAMILIES if name not in ONLY_COPIED]
)
def test_writing_from_scratch(pairs, name, tmp_path):
    ours, _ = pairs[name]
    tokkit.save(replace(ours, source=None), tmp_path / "again")
    again = tokkit.load(tmp_path / "again")
    for text in ODD:
        assert again.encode(text).tolist() == ours.encode(text).tolist()
    assert again.vocab.specials == ours.vocab.specials


def test_nothing_is_left_of_what_cannot_be_written(pairs, tmp_path):
    ours, _ = pairs["llama2 few bytes"]
    with pytest.raises(FormatError, match="not all of them"):
        tokkit.save(replace(ours, source=None), tmp_path / "again")
    assert list(tmp_path.iterdir()) == []


def test_longest_match_comes_back_as_what_it_is(tmp_path):
    texts = [bytes([byte]) for byte in range(256)] + [b"the", b"the cat", b" cat", b"cats"]
    tokens = (*texts, b"")
    ours = tokkit.Tokenizer(
        Vocabulary(tokens, {"<s>": 260}),
        LongestMatch(tokens),
        added=AddedTokens((Added("<s>", 260),)),
    )
    tokkit.save(ours, tmp_path / "longest")
    again = tokkit.load(tmp_path / "longest")
    assert isinstance(again.segmenter, LongestMatch)
    assert again.digest == ours.digest
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "longest" / "tokenizer.json"))
    for text in (*ODD, *AWKWARD, "the cats<s> the catthe"):
        assert again.encode(text).tolist() == theirs.encode(text).ids


def _unigram(scores):
    model = {"type": "Unigram", "unk_id": None, "byte_fallback": False}
    model["vocab"] = [[f'"{number}', score] for number, score in enumerate(scores)]
    return {"version": "1.0", "model": model}


@given(st.lists(st.floats(-1e3, 1e3), max_size=50))
def test_scores_that_the_library_has_read_are_read_again_as_they_are(scores):
    # Of all doubles some 0.3 % are what it reads of no spelling that we know.
    read = [score for _, score in read_vocabulary(json.dumps(_unigram(scores)))]
    written = dump(_unigram(read)).decode()
    assert [score for _, score in read_vocabulary(written)] == read


@given(st.lists(st.floats(-1e3, 1e3).map(lambda score: round(score, 10)), max_size=50))
def test_scores_of_ten_decimals_are_read_as_they_are(scores):
    content = _unigram(scores)
    assert read_vocabulary(dump(content).decode()) == content["model"]["vocab"]


def test_a_model_that_discards_pretokenizers_is_noticed(pairs, tmp_path):
    # transformers rebuilds tokenizers of this type with a pre-tokenizer of its own.
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen2"}))
    with pytest.raises(CheckError, match="PreTrainedTokenizerFast"):
        tokkit.save(pairs["superbpe"][0], folder, force=True)
    assert [file.name for file in folder.iterdir()] == ["config.json"]
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


NAMES = (
    "focus_de_xlmr-unigram-50k",
    "superbpe_180k_200k",
    "hf/cl100k",
    "hf/gpt2",
    "hf/llama3",
    "hf/o200k",
    "../models/stories260k",
)


@pytest.fixture(scope="module")
def samples(shared):
    """Some documents of every corpus."""
    corpora = shared / "corpora"
    found = []
    for path in sorted(corpora.iterdir()):
        with (gzip.open if path.suffix == ".gz" else open)(
            path, "rt", encoding="utf-8"
        ) as file:
            lines = [next(file, "") for _ in range(24)]
        if ".jsonl" not in path.name:
            found.append("".join(lines)[:4000])
            continue
        for line in filter(None, lines):
            text = json.loads(line)["text"]
            every = text.values() if isinstance(text, dict) else [text]
            found += [each[:1500] for each in every]
    return found


@pytest.fixture(scope="module", params=NAMES)
def real(shared, request):
    """A real tokenizer as loaded by tokkit and by the tokenizers library."""
    path = shared / "tokenizers" / request.param / "tokenizer.json"
    return tokkit.load(path), tokenizers.Tokenizer.from_file(str(path))


def test_ids_of_real_text(real, samples):
    ours, theirs = real
    expected = theirs.encode_batch_fast(samples, add_special_tokens=False)
    for text, ids, encoding in zip(samples, ours.encode_batch(samples), expected, strict=True):
        assert ids.tolist() == encoding.ids, text


def test_ids_of_fuzzed_text(real):
    @settings(max_examples=100)
    @given(texts(*list(real[0].vocab.specials)[:5]))
    def check(text):
        compare(real, text)

    check()
