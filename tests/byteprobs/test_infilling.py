"""The infilling benchmark: rules, results that survive a crash, programs that misbehave."""

import dataclasses
import gzip
import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.byteprobs.execution import Limits, run_program
from tokkit.byteprobs.infilling import Problem, Rate, read_problems, run_infilling
from tokkit.byteprobs.sampling import Generation
from tokkit.errors import CorpusError, UsageError

FILES = ("SingleLine", "MultiLine", "RandomSpan", "RandomSpanLight")
COUNTS = {"SingleLine": 1033, "MultiLine": 5815, "RandomSpan": 1640, "RandomSpanLight": 164}


def problem(number=0, kind="SingleLineInfilling"):
    return Problem(
        task_id=f"{kind}/Test/{number}",
        prompt="def double(x):\n",
        suffix="    return y\n",
        canonical_solution="    y = 2 * x\n",
        test="def check(f):\n    assert f(2) == 4\n    assert f(-1) == -2\n",
        entry_point="double",
    )


class Filler:
    """Writes a fixed text, ended by stop strings as `generate` does; counts its calls."""

    def __init__(self, text):
        self.text = text
        self.prompts = []

    def __call__(self, prefix, suffix, *, stop):
        self.prompts.append((prefix, suffix))
        places = [self.text.index(each) for each in stop if each in self.text]
        text = self.text[: min(places)] if places else self.text
        return Generation(text.encode(), text, -1.5, "stop" if places else "end")


# Files


@pytest.mark.parametrize("name", FILES)
def test_real_files(shared, name):
    path = shared / "eval" / "human_eval_infilling" / f"HumanEval-{name}Infilling.jsonl.gz"
    if name == "RandomSpanLight":
        path = path.with_name("HumanEval-RandomSpanInfillingLight.jsonl.gz")
    problems = read_problems(path)
    assert len(problems) == COUNTS[name]
    assert {each.is_single_line for each in problems} == {name == "SingleLine"}
    if name == "SingleLine":
        # What makes the rule about line feeds right.
        assert all(each.canonical_solution.count("\n") == 1 for each in problems)
        assert all(each.canonical_solution.endswith("\n") for each in problems)


def test_a_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    record = dataclasses.asdict(problem())
    path.write_text(json.dumps(record) + "\n\n" + json.dumps(record) + "\n")
    assert read_problems(path) == [problem(), problem()]
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert read_problems(tmp_path / "a.jsonl.gz") == [problem(), problem()]
    del record["suffix"]
    for text, message in [
        (json.dumps(record), r"line 1: not a HumanEval .* suffix"),
        ("[1]", "line 1: not"),
        ("{", "line 1: not"),
        ("", "no problems"),
    ]:
        path.write_text(text)
        with pytest.raises(CorpusError, match=message):
            read_problems(path)
    with pytest.raises(CorpusError, match="cannot be read"):
        read_problems(tmp_path / "absent.jsonl")
    (tmp_path / "b.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(CorpusError, match="cannot be read"):
        read_problems(tmp_path / "b.jsonl.gz")


# Rules


def test_a_single_line_ends_with_its_line_feed():
    filler = Filler("    y = 2 * x\n    y += 1\n")
    result = run_infilling(filler, [problem()])
    assert result.rows[0].completion == "    y = 2 * x\n"
    assert result.rows[0].exact_match
    assert filler.prompts == [(problem().prompt, problem().suffix)]


def test_other_gaps_are_taken_as_they_are():
    result = run_infilling(Filler("    y = 2 * x\n    y += 0\n"), [problem(kind="MultiLine")])
    assert result.rows[0].completion == "    y = 2 * x\n    y += 0\n"
    assert not result.rows[0].exact_match
    assert result.passed is None


def test_a_line_that_the_model_ends_without_a_line_feed_is_left_so():
    row = run_infilling(Filler("    y = 2 * x"), [problem()]).rows[0]
    assert (row.completion, row.exact_match) == ("    y = 2 * x", False)


def test_rates_are_counted():
    problems = [problem(0), problem(1), problem(2, "Multi")]
    result = run_infilling(Filler("    y = x + x\n"), problems, execute=True)
    assert (result.exact_match, result.passed) == (Rate(0, 3), Rate(3, 3))
    shown = result.as_json()
    assert shown["problems"] == 3
    assert shown["pass@1"]["rate"] == 1.0
    assert run_infilling(Filler(""), []).as_json()["exact_match"]["rate"] is None


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_as_published(successes, total, low, high):
    """The examples of Newcombe, Statistics in Medicine 1998."""
    assert Rate(successes, total).interval == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 300), st.integers(1, 300))
def test_wilson_interval_is_where_the_score_test_turns(successes, total):
    rate = Rate(min(successes, total), total)
    for end in rate.interval:
        if 0 < end < 1:
            deviation = abs(rate.rate - end) / math.sqrt(end * (1 - end) / total)
            assert deviation == pytest.approx(1.959964, abs=1e-5)
    assert rate.interval[0] <= rate.rate <= rate.interval[1]


def test_wilson_interval_of_none():
    assert Rate(0, 0).interval == (0, 1)
    assert math.isnan(Rate(0, 0).rate)


# Results in a file


def test_what_is_done_is_not_done_again(tmp_path):
    path = tmp_path / "new" / "rows.jsonl"
    problems = [problem(number) for number in range(4)]
    first = Filler("    y = 2 * x\n")
    run_infilling(first, problems[:2], output=path)
    second = Filler("    y = 2 * x\n")
    result = run_infilling(second, problems, output=path)
    assert (len(first.prompts), len(second.prompts)) == (2, 2)
    assert result.exact_match == Rate(4, 4)
    assert len(path.read_text().splitlines()) == 5
    third = Filler("never")
    assert run_infilling(third, problems, output=path) == result
    assert third.prompts == []


def test_any_crash_leaves_a_file_that_can_be_gone_on_with(tmp_path):
    """Wherever it is cut, the result is the same, and so is the file in the end."""
    path = tmp_path / "rows.jsonl"
    problems = [problem(number) for number in range(2)]
    expected = run_infilling(Filler("é = 1\n"), problems, output=path, settings={"a": 1})
    whole = path.read_bytes()
    for size in {*range(0, len(whole), 7), *range(len(whole) - 3, len(whole) + 1)}:
        path.write_bytes(whole[:size])
        again = run_infilling(Filler("é = 1\n"), problems, output=path, settings={"a": 1})
        assert again == expected
        assert path.read_bytes() == whole


def test_rows_of_other_settings_are_not_mixed(tmp_path):
    path = tmp_path / "rows.jsonl"
    run_infilling(Filler("a"), [problem()], output=path, settings={"model": "a", "top_p": (1,)})
    run_infilling(Filler("a"), [problem()], output=path, settings={"model": "a", "top_p": (1,)})
    with pytest.raises(UsageError, match="other settings"):
        run_infilling(Filler("a"), [problem()], output=path, settings={"model": "b"})
    path.write_text("no json\n")
    with pytest.raises(UsageError, match="line 1: not JSON"):
        run_infilling(Filler("a"), [problem()], output=path)


def test_programs_of_an_earlier_run_can_be_executed_later(tmp_path):
    path = tmp_path / "rows.jsonl"
    run_infilling(Filler("    y = 3 * x\n"), [problem(0), problem(1)], output=path)
    never = Filler("never")
    for _ in range(2):
        result = run_infilling(never, [problem(0), problem(1)], output=path, execute=True)
        assert result.passed == Rate(0, 2)
        assert result.rows[0].detail == "failed: AssertionError: "
    assert never.prompts == []
    assert len(path.read_text().splitlines()) == 1 + 2 + 2


# Programs


def test_canonical_solutions_pass_and_nothing_fails(shared):
    folder = shared / "eval" / "human_eval_infilling"
    problems = read_problems(folder / "HumanEval-RandomSpanInfillingLight.jsonl.gz")[3::60]
    problems += read_problems(folder / "HumanEval-SingleLineInfilling.jsonl.gz")[5::400]
    solutions = {(each.prompt, each.suffix): each.canonical_solution for each in problems}

    def cheat(prefix, suffix, *, stop):
        text = solutions[prefix, suffix]
        ended = bool(stop)
        text = text[:-1] if ended else text
        return Generation(text.encode(), text, 0.0, "stop" if ended else "end")

    result = run_infilling(cheat, problems, execute=True)
    assert result.exact_match == result.passed == Rate(len(problems), len(problems))
    assert len(problems) == 6
    nothing = run_infilling(Filler(""), problems, execute=True)
    assert nothing.passed == Rate(0, len(problems))


@pytest.mark.parametrize(
    ("program", "verdict", "detail"),
    [
        ("x = 1", "passed", ""),
        ("assert __name__ == '__main__'\nprint('a' * 10**6)", "passed", ""),
        ("assert 1 == 2, 'no'", "failed", "AssertionError: no"),
        ("def f(:\n", "failed", "SyntaxError"),
        ("import sys; sys.exit(0)", "failed", "SystemExit: 0"),
        ("import os; os._exit(0)", "failed", "left early with status 0"),
        ("raise KeyboardInterrupt", "failed", "KeyboardInterrupt"),
        ("def f(): f()\nf()", "failed", "RecursionError"),
        ("x = bytearray(1 << 34)", "failed", "MemoryError"),
        ("x = []\nwhile True: x.append(bytearray(1 << 20))", "failed", "MemoryError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed", "SIGSEGV"),
        ("import os; os.abort()", "killed", "SIGABRT"),
        ("open('x', 'wb').write(bytes(1 << 22))", "failed", "OSError"),
        ("files = [open('x', 'w') for _ in range(99)]", "failed", "Too many open files"),
        ("assert input() == ''", "failed", "EOFError"),
        ("import os; assert os.listdir('.') == []", "passed", ""),
        ("import os; assert 'SECRET' not in os.environ", "passed", ""),
        ("import numpy.tokkit", "failed", "ModuleNotFoundError"),
        ("s = 'é\\ud800'; assert len(s) == 2", "passed", ""),
    ],
)
def test_what_programs_do_stays_theirs(program, verdict, detail, monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    outcome = run_program(program, Limits(seconds=20, memory=1 << 28))
    assert (outcome.verdict, outcome.passed) == (verdict, verdict == "passed")
    assert detail in outcome.detail
    assert outcome.detail or outcome.passed


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "import time; time.sleep(60)",
        "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(60)",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
)
def test_endless_programs_end(program):
    begun = time.monotonic()
    outcome = run_program(program, Limits(seconds=1.0))
    assert (outcome.verdict, outcome.detail) == ("timed out", "after 1 s")
    assert time.monotonic() - begun < 15


def test_processor_time_ends_too():
    """Where the clock is kinder: a process may use 2 s of the processor here."""
    program = (
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass"
    )
    outcome = run_program(program, Limits(seconds=60))
    assert (outcome.verdict, outcome.detail) == ("timed out", "its processor time is used up")


def test_what_a_program_leaves_behind_is_killed(tmp_path):
    mark = tmp_path / "mark"
    program = f"""
import os, time
try:
    child = os.fork()
except OSError:
    child = 1
if child == 0:
    os.closerange(0, 64)
    time.sleep(0.7)
    open({str(mark)!r}, "w").close()
    os._exit(0)
"""
    assert run_program(program, Limits(seconds=20)).passed
    time.sleep(1.2)
    assert not mark.exists()


def test_limits_that_cannot_be_meant_are_refused():
    for limits in ({"seconds": 0.0}, {"seconds": math.inf}, {"memory": 0}):
        with pytest.raises(UsageError, match="above 0"):
            Limits(**limits)
