import json

import pandas as pd
import pytest

from tests.studies.asking.server import FakeServer, answer, status

PRICES = '["small"]\ninput = 1.0\noutput = 2.0\n'


@pytest.fixture
def rows(tmp_path):
    """Sixty problems in two formats."""
    problems = [(1_000_000 + 7919 * i, 2_000_000 + 104_729 * i) for i in range(30)]
    table = [
        {
            "problem_index": number,
            "num1": first,
            "num2": second,
            "shots": "1883859+3177908=5061767",
            "num_shots": 1,
            "system_prompt": "You are a helpful assistant.",
            "problem_number_format": name,
            "key": f"{name}:{number}",
        }
        for name in ("nosep", "comma_r2l")
        for number, (first, second) in enumerate(problems)
    ]
    path = tmp_path / "rows.csv"
    pd.DataFrame(table).to_csv(path, index=False)
    return path


@pytest.fixture
def run(invoke, rows, tmp_path):
    """Run `tokkit numbers run` on the rows."""

    def start(backend, *arguments, output=tmp_path / "out"):
        return invoke("numbers", "run", rows, "-b", backend, "-o", output, *arguments)

    return start


@pytest.fixture
def own_prices(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text(PRICES)
    return path


def results(folder):
    return pd.read_csv(folder / "results.csv", dtype=str)


def add(call):
    """Answer a problem as a careful server does."""
    first, second = call.problem.rstrip("=").split("+")
    total = int(first.replace(",", "")) + int(second.replace(",", ""))
    said = f"{total:,}" if "," in first else str(total)
    return answer(said)


def test_simulated_errors_are_scored(run, tmp_path):
    ran = run("sim:off-by-one:0.2", "--json", "-q")
    assert ran.exit_code == 0, ran.stderr
    assert ran.stderr == ""
    told = json.loads(ran.stdout)
    assert told["account"]["answered"] == 60
    cells = told["scores"]["cells"]
    assert [cell["n"] for cell in cells] == [30, 30]
    assert cells[0]["k"] == cells[1]["k"] < 30
    written = results(tmp_path / "out")
    assert written["response"][30].count(",") == 2
    assert set(written["model"]) == {"sim:off-by-one:0.2 (seed 0)"}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["study"], summary["rows"], summary["failed"]) == ("numbers", 60, 0)


def test_the_same_is_written_again(run, tmp_path):
    for name in ("one", "two"):
        assert run("sim:undercounter:0.3", output=tmp_path / name).exit_code == 0
    one, two = (tmp_path / name / "results.csv" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    before = (tmp_path / "one" / "summary.json").read_bytes()
    ran = run("sim:undercounter:0.3", output=tmp_path / "one")
    assert ran.exit_code == 0
    assert "accuracy" in ran.stdout.lower()
    assert (tmp_path / "one" / "summary.json").read_bytes() == before


@pytest.mark.parametrize("table", ["jsonl", "parquet"])
def test_results_can_be_scored_and_replayed(run, tmp_path, table):
    assert run("sim:off-by-one:0.4", "--table", table).exit_code == 0
    replayed = run(
        f"replay:{tmp_path / 'out' / f'results.{table}'}", "--json", output=tmp_path / "again"
    )
    assert replayed.exit_code == 0, replayed.stderr
    read = {"jsonl": lambda path: pd.read_json(path, lines=True), "parquet": pd.read_parquet}
    first = read[table](tmp_path / "out" / f"results.{table}")["response"].astype(str)
    assert first.tolist() == results(tmp_path / "again")["response"].tolist()


def test_another_study_is_not_written_over(run, rows):
    assert run("sim:perfect").exit_code == 0
    refused = run("sim:off-by-one")
    assert refused.exit_code == 2
    assert "another model" in refused.stderr
    assert run("sim:off-by-one", "--force").exit_code == 0
    rows.write_text(rows.read_text().replace("nosep:0", "nosep:x"))
    assert "another input" in run("sim:off-by-one").stderr


def test_what_failed_is_asked_again_and_nothing_else(run, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    broken = True

    def behaviour(call):
        return status(400, {}) if broken and "," in call.problem else add(call)

    with FakeServer(behaviour) as it:
        spec = f"openai:{it.url}"
        first = run(spec, "--tries", 1)
        assert first.exit_code == 1
        assert "30 requests without an answer" in first.stderr
        assert (
            results(tmp_path / "out")["response"].notna().tolist() == [True] * 30 + [False] * 30
        )
        broken = False
        second = run(spec)
        assert second.exit_code == 0, second.stderr
        assert "30 from earlier runs" in second.stderr
        counts = it.counts()
    assert sorted(counts.values()) == [1] * 30 + [2] * 30
    assert results(tmp_path / "out")["response"].notna().all()
    for path in (tmp_path / "out").iterdir():
        assert b"sk-very-secret" not in path.read_bytes()


def test_estimates_are_compared_with_what_was_told(run, own_prices):
    with FakeServer(add) as it:
        ran = run(f"openai:{it.url}", "--prices", own_prices)
    assert ran.exit_code == 0, ran.stderr
    assert "prompt tokens:" in ran.stderr
    assert "at most" in ran.stderr


def test_a_budget_stops_and_keeps_what_was_answered(run, tmp_path, own_prices):
    # The server tells 7 tokens and 3, which are 13 millionths of a dollar, 60 times.
    with FakeServer(add) as it:
        arguments = ("--prices", own_prices, "--budget", 0.0004, "--workers", 1)
        ran = run(f"openai:{it.url}", *arguments)
        assert ran.exit_code == 1
        assert "the budget is spent" in ran.stderr
        asked = len(it.calls)
    assert 0 < asked < 60
    assert results(tmp_path / "out")["response"].notna().sum() == asked


def test_dry_runs_ask_nothing_and_write_nothing(run, tmp_path, own_prices):
    with FakeServer(add) as it:
        spec = (f"openai:{it.url}", "--model", "small", "--dry-run")
        ran = run(*spec, "--prices", own_prices, "--json")
        assert it.calls == []
        unknown = run(*spec)
    told = json.loads(ran.stdout)
    assert (told["requests"], told["to_ask"], told["counted"]) == (60, 60, False)
    low, high = told["completion_tokens"]
    assert 60 <= low < high == 60 * 20
    assert told["cost"][1] == pytest.approx((told["prompt_tokens"] + 2 * high) / 1e6)
    assert "unknown" in unknown.stdout
    assert not (tmp_path / "out").exists()


def test_batches_are_written_then_read(run, tmp_path):
    folder = tmp_path / "batch"
    spec = (f"batch:anthropic:{folder}", "--model", "claude-3-haiku")
    first = run(*spec)
    assert first.exit_code == 1
    assert "wrote 60 requests" in first.stderr
    assert not (tmp_path / "out" / "results.csv").exists()
    lines = [json.loads(line) for line in (folder / "requests.jsonl").read_text().splitlines()]
    message = {"content": [{"type": "text", "text": "12"}], "stop_reason": "end_turn"}
    result = {"type": "succeeded", "message": message}
    answers = [{"custom_id": each["custom_id"], "result": result} for each in lines]
    text = "".join(json.dumps(each) + "\n" for each in answers)
    (folder / "results.jsonl").write_text(text)
    assert run(*spec).exit_code == 0
    assert set(results(tmp_path / "out")["response"]) == {"12"}


def test_local_models_answer_once(run, stories, tmp_path):
    spec = (f"hf:{stories}", "--device", "cpu", "--limit", 4, "--max-tokens", 3)
    first = run(*spec, "--top-logprobs", 2)
    second = run(*spec, "--top-logprobs", 2)
    assert (first.exit_code, second.exit_code) == (0, 0), first.stderr
    assert "4 answers" in first.stderr
    assert "4 from earlier runs" in second.stderr
    [step, *_] = json.loads(results(tmp_path / "out")["logprobs_json"][0])
    assert len(step["top_5_logprobs"]) == 2


def test_interrupted_runs_say_so(run, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tokkit.studies.asking.ask", interrupted)
    ran = run("sim:perfect")
    assert ran.exit_code == 130
    assert "interrupted" in ran.stderr


@pytest.mark.parametrize(
    ("backend", "arguments", "said"),
    [
        ("nobody:x", (), "no backend"),
        ("sim:off-by-one:2", (), "rate"),
        ("batch:openai:somewhere", (), "--model"),
        ("openai:http://127.0.0.1:9", ("--model", "m", "--budget", "1"), "--prices"),
        ("replay:absent.csv", (), "no such file"),
        ("hf:.", (), "config.json"),
    ],
)
def test_bad_usage_is_one_line(run, backend, arguments, said):
    ran = run(backend, *arguments)
    assert ran.exit_code == 2
    assert said in ran.stderr
    assert ran.stderr.strip().count("\n") == 0
