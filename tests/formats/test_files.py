"""Folders with vocab.json and merges.txt, against tokenizers and transformers."""

import json

import pytest
import tokenizers
from tokenizers import Regex, models, pre_tokenizers

from tests.formats.families import CL100K, byte_model
from tests.formats.test_tiktoken import bpe, learn
from tests.formats.texts import awkward_and_random
from tokkit.errors import FormatError
from tokkit.formats import load, save
from tokkit.patterns import find_pattern
from tokkit.pretokenize import for_pattern


@pytest.fixture
def folder(tmp_path):
    model = json.loads(byte_model())
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(merge) for merge in model["merges"])]
    (tmp_path / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # The trainer's own specials are no byte-level tokens for a reader of the two files.
    (tmp_path / "special_tokens_map.json").write_text(
        json.dumps({"unk_token": "<unk>", "bos_token": {"content": "<s>", "lstrip": False}})
    )
    return tmp_path


def backend_of(folder, cutter):
    backend = tokenizers.Tokenizer(
        models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    )
    backend.pre_tokenizer = cutter
    backend.add_special_tokens(["<unk>", "<s>"])
    return backend


def require_same(tokenizer, backend):
    for text in awkward_and_random(tokenizer, 300):
        assert tokenizer.encode(text).tolist() == backend.encode(text).ids, text


def test_the_pattern_is_gpt2s_unless_said_otherwise(folder):
    cutter = pre_tokenizers.ByteLevel(add_prefix_space=False)
    require_same(load(folder), backend_of(folder, cutter))
    assert load(folder / "merges.txt").vocab == load(folder / "vocab.json").vocab


@pytest.mark.parametrize("pattern", ["llama3", CL100K])
def test_another_pattern_can_be_said(folder, pattern):
    cutter = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(CL100K), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    require_same(load(folder, pattern=pattern), backend_of(folder, cutter))


def test_the_published_baseline_of_superbpe(shared):
    folder = shared / "tokenizers" / "superbpe_baseline_bpe_200k"
    backend = tokenizers.ByteLevelBPETokenizer.from_file(
        str(folder / "vocab.json"), str(folder / "merges.txt")
    )
    require_same(load(folder), backend)


def test_added_tokens_keep_their_flags(folder):
    added = {"<mask>": 600, "<tool>": 601}
    (folder / "added_tokens.json").write_text(json.dumps(added))
    config = {
        "added_tokens_decoder": {
            "600": {"content": "<mask>", "lstrip": True, "special": True},
            "1": {"content": "<s>", "special": True},
        }
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = load(folder)
    assert tokenizer.encode("a <mask><tool>").tolist()[-2:] == [600, 601]
    assert len(tokenizer) == 602
    assert tokenizer.vocab.specials == {"<unk>": 0, "<s>": 1, "<mask>": 600}
    assert tokenizer.vocab.tokens[601] == b"<tool>"


def test_a_written_folder_is_read_back(tmp_path):
    pattern = find_pattern("gpt2")
    tokenizer = bpe(learn(350), pretokenizer=for_pattern(pattern), pattern=pattern)
    save(tokenizer, tmp_path / "own", to="files")
    again = load(tmp_path / "own")
    assert again.vocab == tokenizer.vocab
    for text in awkward_and_random(tokenizer, 100):
        assert again.encode(text).tolist() == tokenizer.encode(text).tolist()


def test_other_patterns_are_not_written(tmp_path):
    tokenizer = bpe(learn(350), pattern=find_pattern("llama3"))
    with pytest.raises(FormatError, match="write hf instead"):
        save(tokenizer, tmp_path / "own", to="files")
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("vocab.json", "[]", "JSON object"),
        ("vocab.json", "{", "is not JSON"),
        ("vocab.json", '{"a": 0, "b": 0}', "share an id"),
        ("vocab.json", '{"a": "x"}', "map tokens to ids"),
        ("vocab.json", '{"a b": 0}', "byte-level alphabet"),
        ("merges.txt", "a\n", "line 1: should be two tokens"),
        ("merges.txt", "#version: 0.2\nq Ġzzz\n", "line 2: the token 'Ġzzz' is not in"),
        ("merges.txt", b"\xff\n", "is not UTF-8"),
    ],
)
def test_bad_files_are_refused_by_name(folder, name, content, reason):
    (folder / "special_tokens_map.json").write_text("{}")
    data = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(data)
    if name == "vocab.json":
        (folder / "merges.txt").write_text("#version: 0.2\n")
    else:
        vocab = {token: i for i, token in enumerate("abcdefghijklmnopqrstuvwxyz")}
        (folder / "vocab.json").write_text(json.dumps(vocab))
    with pytest.raises(FormatError, match=f"{name}.*{reason}"):
        load(folder)
