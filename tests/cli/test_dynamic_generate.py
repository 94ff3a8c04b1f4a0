"""``tokkit dynamic index`` and ``tokkit dynamic generate``."""

import json

import pytest

TEXT = "the wisdom of the worst times\nthe wisdom of the best Wolken\n" * 5


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def indexed(tmp_path_factory, invoke, tiny, text):
    folder = tmp_path_factory.mktemp("index") / "index"
    result = invoke(
        "dynamic", "index", tiny, "--corpus", text, "--words", 2, "-o", folder, "--json"
    )
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["embeddings"] == "last/front"
    assert (said["kind"], said["bias"]) == ("flat", False)
    assert said["size"] == len((folder / "tokens.jsonl").read_text().splitlines())
    return folder


def test_text_is_written_and_figures_are_notes(invoke, tiny, indexed):
    arguments = ("dynamic", "generate", tiny, "--index", indexed, "--prompt", "It was ")
    result = invoke(*arguments, "--max-bytes", 30, "--exact", "--baseline")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout_bytes) >= 30
    assert "bytes per token" in result.stderr
    assert "own tokens alone" in result.stderr
    assert "best new one in 100.0%" in result.stderr


def test_one_json_document_says_everything(invoke, tiny, indexed):
    arguments = ("dynamic", "generate", tiny, "--index", indexed, "--seed", 3, "--json")
    first, second = (invoke(*arguments, "--prompt", "-", input="It was ") for _ in range(2))
    assert first.exit_code == 0, first.stderr
    one, two = json.loads(first.stdout), json.loads(second.stdout)
    assert one["hex"] == two["hex"]
    assert one["n_tokens"] == len(one["tokens"])
    assert one["finish"] in ("length", "end", "context")
    other = invoke(*arguments, "--prompt", "It was ", "--prompt-tokens", "all", "--baseline")
    assert "baseline" in json.loads(other.stdout)


def test_tokens_may_be_given_in_a_file(tmp_path, invoke, tiny):
    path = tmp_path / "tokens.jsonl"
    path.write_text('" of the"\n{"hex": "20746865206167"}\n"the"\n', encoding="utf-8")
    result = invoke("dynamic", "index", tiny, "--tokens", path, "-o", tmp_path / "index")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "index" / "tokens.jsonl").read_text() == '" of the"\n" the ag"\n"the"\n'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("index", "-o", "new"), "give either --corpus or --tokens"),
        (("index", "--corpus", "TEXT", "-o", "new", "--size", 3), "leave no room"),
        (("index", "--corpus", "TEXT", "-o", "new", "--embeddings", "omp"), "no embeddings"),
        (("index", "--corpus", "TEXT", "-o", "INDEX"), "exists"),
        (("generate", "--index", "new"), "no index.json there"),
        (("generate", "--index", "TEXT"), "no index.json there"),
        (("generate", "--index", "INDEX", "--greedy", "--temperature", 2), "leave one out"),
        (("generate", "--index", "INDEX", "--probe", 0), "share of 0"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    tmp_path, monkeypatch, invoke, tiny, text, indexed, arguments, message
):
    monkeypatch.chdir(tmp_path)
    places = {"TEXT": text, "INDEX": indexed}
    name, *rest = (places.get(each, each) for each in arguments)
    result = invoke("dynamic", name, tiny, *rest)
    assert result.exit_code == 2, result.stderr
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
