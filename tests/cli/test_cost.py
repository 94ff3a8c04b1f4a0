import json

import pytest

from tests.cli.conftest import contents


@pytest.fixture
def chats(tmp_path):
    path = tmp_path / "chats.jsonl"
    chat = [{"role": "user", "content": "It was the best"}, {"role": "user", "content": "?"}]
    path.write_text(json.dumps({"messages": chat}) + "\n")
    return path


def test_chats_are_priced(invoke, trained, chats):
    models = ("--model", "gpt-4o", "--model", "unheard-of")
    result = invoke("cost", trained, chats, *models, "--answer-tokens", 100, "--json", "-q")
    assert result.exit_code == 0, result.stderr
    known, unknown = json.loads(result.stdout)["totals"]
    assert (known["overhead_tokens"], known["answer_tokens"]) == (11, 100)
    dollars = (known["prompt_tokens"] * 2.5 + 100 * 10) / 1e6
    assert known["dollars"] == pytest.approx(dollars)
    assert unknown["dollars"] is None
    shown = invoke("cost", trained, chats, *models)
    assert "no table has the price of 'unheard-of'" in shown.stderr
    assert "unknown" in shown.stdout
    assert "are a guess" in shown.stdout


def test_tokenizers_come_before_the_file(invoke, trained, prose):
    result = invoke("cost", trained, f"again={trained}", prose, "--lines", "-q")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("prose.txt") == 2
    assert "dollars" not in result.stdout


def test_standard_input(tokkit, trained):
    result = tokkit("cost", trained, "-", "--json", "-q", input=b'{"prompt": "the best"}\n')
    found = json.loads(result.stdout)
    assert found["files"][0]["file"] == "standard input"
    assert found["totals"][0]["prompts"] == 1


def test_a_folder_with_everything(invoke, trained, chats, prose, tmp_path):
    out = tmp_path / "out"
    files = f"{tmp_path}/[cp]*.*"
    arguments = ("cost", trained, files, "--model", "gpt-4o", "-o", out, "-q")
    result = invoke(*arguments)
    assert result.exit_code == 0, result.stderr
    assert "total" in result.stdout
    assert sorted(contents(out)) == ["results.csv", "summary.json", "totals.csv"]
    summary = json.loads((out / "summary.json").read_bytes())
    assert (summary["study"], summary["rows"]) == ("cost", 2)
    assert len(summary["inputs"]) == 2
    assert invoke(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--model", "a=b"), "no tokenizer is called 'b'"),
        (("--answer-tokens", -1), "answer-tokens"),
        (("--text-column", "body"), ""),
    ],
)
def test_options(invoke, trained, chats, arguments, error):
    result = invoke("cost", trained, chats, *arguments, "-q")
    assert result.exit_code == (2 if error else 0)
    assert error in result.stderr
