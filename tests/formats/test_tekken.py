"""Files of mistral-common, against tiktoken with the ids moved up."""

import base64
import json

import pytest
import tiktoken

from tests.formats.test_tiktoken import learn
from tests.formats.texts import awkward_and_random
from tokkit.analysis.audit.libraries import library_of
from tokkit.errors import FormatError
from tokkit.formats import load
from tokkit.formats.tiktoken import to_ranks
from tokkit.patterns import find_pattern

SPECIALS = 30
PATTERN = find_pattern("tekken").for_engine("rust")


def content(**changes):
    """A file of 400 ranks of which the last 20 are beyond its size."""
    ranks = sorted(learn(400).items(), key=lambda item: item[1])
    vocab = [
        {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
        for token, rank in ranks
    ]
    config = {
        "pattern": PATTERN,
        "num_vocab_tokens": 400,
        "default_vocab_size": 380 + SPECIALS,
        "default_num_special_tokens": SPECIALS,
        "version": "v3",
    }
    return {"config": config, "vocab": vocab} | changes


def write(folder, **changes):
    (folder / "tekken.json").write_text(json.dumps(content(**changes)), encoding="utf-8")
    return folder


def test_ids_are_those_of_tiktoken_behind_the_special_tokens(tmp_path):
    tokenizer = load(write(tmp_path))
    ranks = {token: rank for token, rank in learn(400).items() if rank < 380}
    encoding = tiktoken.Encoding(
        "it", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={}
    )
    for text in [*awkward_and_random(tokenizer, 60), "</s> [INST] 123"]:
        expected = [rank + SPECIALS for rank in encoding.encode(text)]
        assert tokenizer.encode(text).tolist() == expected, text
        assert list(library_of(tokenizer).encode(text)) == expected
        assert tokenizer.decode(tokenizer.encode(text)).decode() == text
    assert len(tokenizer.vocab) == 380 + SPECIALS
    assert tokenizer.pattern.name == "tekken"
    assert set(to_ranks(tokenizer).tokens.values()) == set(range(SPECIALS, 380 + SPECIALS))


def test_special_tokens_have_names_of_the_file_or_else_of_the_first_files(tmp_path):
    specials = load(write(tmp_path)).vocab.specials
    assert len(specials) == SPECIALS
    assert specials["</s>"] == 2
    assert specials["[TOOL_CONTENT]"] == 19
    assert specials["<SPECIAL_20>"] == 20
    named = [{"rank": 0, "token_str": "<a>", "is_control": True}]
    specials = load(write(tmp_path, special_tokens=named) / "tekken.json").vocab.specials
    assert specials["<a>"] == 0
    assert specials["<SPECIAL_1>"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab": []}, "a token for each rank below 380"),
        ({"config": {}}, "default_num_special_tokens"),
        ({"special_tokens": [{"rank": 7, "token_str": "<a>"}]}, "should be 30 special"),
        ({"vocab": [{"rank": 0, "token_bytes": "?"}]}, "not a file of mistral-common"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path, changes, message):
    with pytest.raises(FormatError, match=message):
        load(write(tmp_path, **changes))
