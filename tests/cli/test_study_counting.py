"""``tokkit study counting``."""

import json

import pytest

from tests.studies.counting.studies import write_recorded
from tokkit.studies.counting.drawing import published_strings

SMALL = ("--number", 20, "--formats", "raw,list", "--targets", "a")


@pytest.fixture
def count(invoke):
    """Run a command under ``tokkit study counting`` that works, and read the JSON it prints."""

    def run(*arguments):
        result = invoke("study", "counting", *arguments, "-q", "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_problems_are_written_and_asked(count, tmp_path):
    problems, folder = tmp_path / "problems.jsonl", tmp_path / "study"
    assert count("generate", *SMALL, "-o", problems)["requests"] == 40
    result = count("run", problems, "--backend", "sim:undercounter:0.5", "-o", folder)
    cells = result["scores"]["cells"]
    assert [(cell["input_format"], cell["n"]) for cell in cells] == [("raw", 20), ("list", 20)]
    assert result["account"]["answered"] == 40
    again = count("score", folder)
    assert again["cells"] == cells
    summary = json.loads((folder / "summary.json").read_bytes())
    assert summary["study"] == "counting"
    assert summary["inputs"][0]["path"] == str(problems)


def test_everything_in_one_go_gives_the_same(count, tmp_path):
    problems = tmp_path / "problems.jsonl"
    count("generate", *SMALL, "--seed", 5, "-o", problems)
    asking = ("--backend", "sim:off-by-one:0.3", "--seed", 5)
    whole = count("run", *SMALL, *asking, "-o", tmp_path / "whole")
    parts = count("run", problems, *asking, "-o", tmp_path / "parts")
    assert whole["scores"] == parts["scores"]
    first, second = (tmp_path / name / "results.csv" for name in ("whole", "parts"))
    assert first.read_bytes() == second.read_bytes()


def test_a_study_is_gone_on_with_but_not_mixed_with_another(invoke, tmp_path):
    options = ("--backend", "sim:off-by-one:0.3", "-o", tmp_path / "study", "-q")
    arguments = ("study", "counting", "run", *SMALL, *options)
    assert invoke(*arguments).exit_code == 0
    before = (tmp_path / "study" / "results.csv").read_bytes()
    assert invoke(*arguments).exit_code == 0
    assert (tmp_path / "study" / "results.csv").read_bytes() == before
    other = invoke(*arguments, "--letters", "ac")
    assert other.exit_code == 2
    assert "has the answers to other problems" in other.stderr
    assert (tmp_path / "study" / "results.csv").read_bytes() == before
    assert invoke(*arguments, "--letters", "ac", "--force").exit_code == 0


def test_the_preset_writes_the_published_strings(count, tmp_path):
    path = tmp_path / "ez.jsonl"
    options = ("--letters", "ez", "--lengths", "20-30", "--formats", "list", "--targets", "z")
    count("generate", "--preset", "zhang2024", *options, "-o", path)
    rows = lines_of(path)
    assert [row["sample"] for row in rows] == published_strings("ez", (20, 30))
    assert rows[3]["key"] == "request-3"
    system, user = json.loads(rows[0]["messages"])
    assert system == ["system", "You are a helpful assistant."]
    assert f"String: {list(rows[0]['sample'])}\n\nResponse:" in user[1]
    assert (rows[0]["max_tokens"], rows[0]["temperature"]) == (10240, 1.0)


@pytest.mark.parametrize("layout", ["openai", "claude"])
def test_recorded_answers_are_asked_and_scored_alike(count, tmp_path, layout):
    texts = published_strings("ab", (10, 20), 30)
    strings = tmp_path / "count_dataset_10_20_ab.jsonl"
    records = [{"id": i, "sample": text} for i, text in enumerate(reversed(texts))]
    strings.write_text("\n".join(map(json.dumps, records)))
    said = {str(r["id"]): f"Result: {r['sample'].count('a') - (r['id'] < 9)}" for r in records}
    answers = write_recorded(tmp_path / "count_res_a_3_s.jsonl", said, layout)
    scored = count("score", answers, "--strings", strings)["cells"]
    options = ("--strings", strings, "--targets", "a", "--formats", "list")
    asked = count(
        "run",
        "--preset",
        "zhang2024",
        *options,
        "--backend",
        f"replay:{answers}",
        "-o",
        tmp_path / "recorded",
    )["scores"]["cells"]
    assert [cell["k"] for cell in (*scored, *asked)] == [21, 21]
    assert [cell["under"] for cell in (*scored, *asked)] == [9, 9]


def test_cut_off_records_are_told(invoke, tmp_path):
    strings = tmp_path / "strings.txt"
    strings.write_text("abba\nabb\n")
    answers = write_recorded(tmp_path / "count_res_a_1.jsonl", {"0": "Result: 2", "1": "?"})
    answers.write_bytes(answers.read_bytes()[:-40])
    result = invoke("study", "counting", "score", answers, "--strings", strings)
    assert result.exit_code == 0
    assert "count_res_a_1.jsonl:2: not JSON" in result.stderr
    assert "1 of 2 strings have no answer" in result.stderr
    assert "100.0" in result.stdout


def test_tokens_hold_as_many_letters_as_asked_for(count, trained, tmp_path):
    path = tmp_path / "rows.csv"
    # Of this little tokenizer, "th" is a token, and no two other letters of these are one.
    options = ("--letters", "qxz", "--letters-per-token", 1, "--tokenizer", trained)
    count("generate", *options, *SMALL[:2], "--targets", "q", "--formats", "raw", "-o", path)
    header, *rows = path.read_text().splitlines()
    assert header.startswith("key,task,problem,sample")
    assert len(rows) == 20


def test_a_dry_run_asks_nothing(invoke, tmp_path):
    options = ("--backend", "sim:perfect", "-o", tmp_path / "study", "--dry-run")
    result = invoke("study", "counting", "run", *SMALL, *options, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)
    assert not (tmp_path / "study").exists()


def test_figures_are_drawn_and_not_replaced_unasked(invoke, tmp_path):
    figure = tmp_path / "figure.json"
    options = (*SMALL, "--backend", "sim:undercounter:0.5", "--figure", figure)
    arguments = ("study", "counting", "run", *options, "-o", tmp_path / "study", "-q")
    assert invoke(*arguments).exit_code == 0
    assert "vconcat" in json.loads(figure.read_bytes())
    again = invoke(*arguments)
    assert again.exit_code == 2
    assert "--force" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("generate", "--formats", "raw,roman", "-o", "x.csv"), "'roman' is no format"),
        (("generate", "--styles", "cot,cot", "-o", "x.csv"), "named twice"),
        (("generate", "--lengths", "20-10", "-o", "x.csv"), "--lengths '20-10': write"),
        (("generate", "--lengths", "many", "-o", "x.csv"), "two such as 10-20"),
        (("generate", "--letters-per-token", "2", "-o", "x.csv"), "--tokenizer"),
        (("generate", "--letters-per-token", "0", "-o", "x.csv"), "the least is 1"),
        (("generate", "--preset", "zhang2024", "--draw", "balanced", "-o", "x.csv"), "preset"),
        (("generate", "-o", "x.txt"), "end the name of a table in"),
        (("run", "-b", "sim:nobody", "-o", "study"), "no simulated model 'nobody'"),
        (("run", "p.jsonl", "--number", "3", "-b", "sim:perfect", "-o", "s"), "--number makes"),
        (("score", "absent.csv"), "absent.csv"),
        (("score", "absent.jsonl", "--strings", "absent.txt"), "absent.txt"),
        (("score", "a.csv", "--strings", "s.txt", "--style", "cot"), "given together"),
        (("score", "a.csv", "--pool", "weather"), "'weather' is no condition"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    invoke, arguments, reason, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.jsonl").write_text("{}\n")
    result = invoke("study", "counting", *arguments)
    assert result.exit_code == 2, result.stdout
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("x.*"))


def test_a_backend_that_cannot_be_opened_leaves_no_folder(invoke, tmp_path):
    folder = tmp_path / "out"
    result = invoke("study", "counting", "run", "-b", f"hf:{tmp_path}/none", "-o", folder)
    assert result.exit_code == 2
    assert not folder.exists()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_rows_that_are_not_utf8_are_named_by_line(invoke, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b'{"a": 1}\n\n\xff\n')
    result = invoke("study", "counting", "run", path, "-b", "sim:perfect", "-o", tmp_path / "o")
    assert result.exit_code == 2
    assert f"{name}, line 3: the byte 0xFF is not UTF-8; save it as UTF-8" in result.stderr
