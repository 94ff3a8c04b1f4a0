import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.errors import UsageError
from tokkit.stats import wilson
from tokkit.studies.asking.backends.sim import ERRORS, SimulatedBackend
from tokkit.studies.asking.request import Request


def ask_one(name, rate=1.0, **facts):
    backend = SimulatedBackend(name, rate, seed=facts.pop("seed", 0))
    [answer] = backend.answer([Request(key="0", prompt="?", facts=facts)])
    return answer.text


def requests(n=300):
    facts = [{"truth": 10_000_000 + 37 * i, "problem": i} for i in range(n)]
    return [Request(key=str(i), prompt=f"{i}", facts=each) for i, each in enumerate(facts)]


def wrong_of(backend, asked):
    answers = backend.answer(asked)
    return [
        each.text != str(request.facts["truth"])
        for each, request in zip(answers, asked, strict=True)
    ]


def test_injected_rate_is_in_its_interval():
    asked = requests()
    inside = 0
    for seed in range(100):
        wrong = sum(wrong_of(SimulatedBackend("off-by-one", 0.2, seed=seed), asked))
        interval = wilson(wrong, len(asked))
        inside += interval.low <= 0.2 <= interval.high
    assert inside >= 90


@given(truth=st.integers(-(10**12), 10**12), seed=st.integers(0, 9))
def test_off_by_one_differs_by_a_power_of_ten(truth, seed):
    difference = abs(int(ask_one("off-by-one", truth=truth, seed=seed)) - truth)
    assert str(difference).rstrip("0") == "1"


@given(truth=st.integers(1000, 10**12), seed=st.integers(0, 9))
def test_left_aligned_changes_the_fourth_digit_alone(truth, seed):
    right, wrong = str(truth), ask_one("left-aligned", truth=truth, seed=seed)
    assert [a != b for a, b in zip(right, wrong, strict=True)] == [
        i == 3 for i in range(len(right))
    ]


@given(truth=st.integers(0, 10**6), seed=st.integers(0, 9))
def test_undercounter_says_less_unless_there_is_nothing(truth, seed):
    wrong = int(ask_one("undercounter", truth=truth, seed=seed))
    assert (1 <= truth - wrong <= 3 and wrong >= 0) if truth else wrong == 1


@pytest.mark.parametrize("name", [name for name in ERRORS if name != "perfect"])
@given(truth=st.one_of(st.integers(-99, 99), st.text()))
def test_wrong_answers_are_wrong(name, truth):
    assert ask_one(name, truth=truth) != str(truth)
    assert ask_one(name, rate=0.0, truth=truth) == str(truth)


def test_answers_are_written_as_asked_for():
    facts = {"truth": 1234, "formatted_truth": "1000+234=1234"}
    assert ask_one("perfect", 0.0, **facts) == "1000+234=1234"
    assert ask_one("undercounter", **facts) in {
        f"1000+234={each}" for each in (1231, 1232, 1233)
    }


def test_order_and_company_do_not_matter():
    asked = requests()
    backend = SimulatedBackend("off-by-one", 0.4, seed=3)
    alone = [backend.answer([each])[0] for each in asked]
    assert alone == backend.answer(asked)
    assert alone[::-1] == backend.answer(asked[::-1])


def test_a_problem_goes_wrong_in_all_formats_and_kinds_of_error():
    asked = requests()
    again = [Request(key=f"x{each.key}", prompt="other", facts=each.facts) for each in asked]
    first = wrong_of(SimulatedBackend("off-by-one", 0.3), asked)
    assert first == wrong_of(SimulatedBackend("undercounter", 0.3), again)
    assert first != wrong_of(SimulatedBackend("off-by-one", 0.3, seed=1), asked)


def test_a_request_without_a_truth_is_not_answered():
    [answer] = SimulatedBackend("perfect").answer([Request(key="0", prompt="?")])
    assert answer.error


def test_names_and_rates_are_checked():
    assert SimulatedBackend.parse("off-by-one:0.25", seed=2).rate == 0.25
    assert SimulatedBackend.parse("perfect").rate == 0
    assert SimulatedBackend.parse("undercounter").rate == 1
    for wrong in ("nobody", "off-by-one:2", "off-by-one:x", "perfect:0.5", "off-by-one:nan"):
        with pytest.raises(UsageError):
            SimulatedBackend.parse(wrong)
