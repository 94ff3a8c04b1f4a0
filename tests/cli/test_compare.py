"""``tokkit compare`` and ``tokkit view``."""

import json
from base64 import b64encode

import pandas as pd
import pytest
from tokkit_cli.tokenizers import load_tokenizers, short_names

import tokkit as library
from tokkit.errors import FormatError, UsageError


@pytest.fixture(scope="module")
def other(invoke, tmp_path_factory):
    """A tokenizer of the same text with other digits."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "a.txt").write_text("the worst of times 1234567\n" * 40, encoding="utf-8")
    arguments = ("--vocab-size", 300, "--digits", "single", "--special", "<|end|>")
    assert (
        invoke("train-vocab", folder / "a.txt", "-o", folder / "o", *arguments).exit_code == 0
    )
    return folder / "o"


def test_the_text_that_ships_is_compared_where_none_is_named(invoke, trained, other):
    result = invoke("compare", trained, other, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    first, second = library.load(trained), library.load(other)
    assert said["vocabulary"]["shared"] == len(first.vocab.ids.keys() & second.vocab.ids.keys())
    assert said["documents"] > 10
    assert 0 < said["boundary_f1_micro"] < 1


def test_tables_and_a_folder(invoke, trained, other, prose, tmp_path):
    folder = tmp_path / "found"
    arguments = ("compare", trained, other, "--corpus", prose, "-o", folder)
    result = invoke(*arguments)
    assert result.exit_code == 0, result.stderr
    assert "cut differently most often" in result.stdout
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["study"] == "compare"
    lines = prose.read_bytes().split(b"\n")[:-1]
    for place, tokenizer in enumerate((trained, other)):
        ids = library.load(tokenizer).encode_batch(lines, parse_specials=False)
        assert summary["tokens"][place] == sum(map(len, ids))
    rows = pd.read_csv(folder / "results.csv")
    assert (rows["count"].diff().dropna() <= 0).all()
    again = invoke(*arguments)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert invoke(*arguments, "--force", "-q").stderr == ""


def test_a_view_shows_every_token_of_every_tokenizer(invoke, trained, other):
    text = "the  worst 123<|end|>\n"
    shown = invoke("view", text, "-t", trained, "--tokenizer", other, "--json", "--specials")
    assert shown.exit_code == 0, shown.stderr
    said = json.loads(shown.stdout)["tokenizers"]
    for path, tokens in zip((trained, other), said.values(), strict=True):
        tokenizer = library.load(path)
        ids = tokenizer.encode(text, parse_specials=True)
        assert [token["id"] for token in tokens] == ids.tolist()
        assert b"".join(bytes.fromhex(token["hex"]) for token in tokens) == text.encode()
        assert [token["end"] for token in tokens] == tokenizer.spans(text, parse_specials=True)[
            :, 1
        ].tolist()
        assert sum(token["special"] for token in tokens) == 1
    plain = invoke("view", "-", "-t", other, "--ids", input=b"a\xffb")
    assert plain.stdout.splitlines()[0] == "o: 3 tokens, 1.00 bytes per token"
    assert "<FF>" in plain.stdout


def test_tokenizers_have_to_be_named(invoke):
    result = invoke("view", "text")
    assert result.exit_code == 2
    assert "--tokenizer" in result.stderr


def test_short_names_tell_tokenizers_apart(tmp_path):
    for name in ("a/gpt2", "b/gpt2", "c"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "tokenizer.json").touch()
    (tmp_path / "x.tiktoken").touch()
    paths = [str(tmp_path / name) for name in ("a/gpt2/tokenizer.json", "b/gpt2", "c")]
    paths += [f"{tmp_path}/x.tiktoken@gpt2", "org/model"]
    assert short_names(paths) == ["a/gpt2", "b/gpt2", "c", "x", "model"]
    assert short_names(["org/model", "org/model"]) == ["org/model (1)", "org/model (2)"]


def test_tokenizers_are_loaded_under_names_of_ones_own(trained, other, tmp_path):
    assert list(load_tokenizers([f"x={trained}", f"y={trained}"])) == ["x", "y"]
    with pytest.raises(UsageError, match="two tokenizers are called 'x'"):
        load_tokenizers([f"x={trained}", f"x={other}"])
    ranks = tmp_path / "ranks.tiktoken"
    ranks.write_bytes(b"".join(b"%s %d\n" % (b64encode(bytes([b])), b) for b in range(256)))
    assert load_tokenizers([str(ranks), str(other)], "cl100k")["ranks"].pattern.name == "cl100k"
    assert load_tokenizers([f"{ranks}@gpt2", str(other)])["ranks"].pattern.name == "gpt2"
    with pytest.raises(FormatError, match="leave the pattern out"):
        load_tokenizers([str(trained)], "cl100k")
    with pytest.raises(FormatError, match="name it"):
        load_tokenizers([str(ranks)])
