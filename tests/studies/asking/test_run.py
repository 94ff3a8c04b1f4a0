"""The runner: each request once, and in order, whatever happens between."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.studies.asking.echo import Echo, prompts, run, texts_of
from tests.studies.asking.questions import prompt
from tokkit.errors import JobError
from tokkit.studies.asking import Answer, AnswerCache, Budget, Decoding, Pace, TryAgain, ask


@given(st.lists(st.sampled_from("abcdefgh"), max_size=30), st.integers(1, 4), st.integers(1, 4))
def test_answers_are_in_order_and_equal_requests_asked_once(texts, batch_size, workers):
    backend = Echo(batch_size=batch_size, workers=workers)
    asked = run(texts, backend)
    assert texts_of(asked) == texts
    assert sorted(backend.asked) == sorted(set(texts))
    assert all(count <= workers and size <= batch_size for count, size in backend.together)
    assert asked.account.unique == asked.account.answered == len(set(texts))
    assert asked.account.prompt_tokens == 2 * len(set(texts))


def test_decoding_makes_requests_different():
    warm = prompt("a", temperature=1.0)
    assert warm.decoding == Decoding(temperature=1.0)
    backend = Echo()
    ask([prompt("a"), warm, prompt("a")], backend, cache=AnswerCache())
    assert backend.asked == ["a", "a"]


def test_what_was_answered_is_not_asked_again(tmp_path):
    first, second = Echo(), Echo()
    with AnswerCache(tmp_path / "answers.db") as cache:
        run("abc", first, cache)
    with AnswerCache(tmp_path / "answers.db") as cache:
        asked = run("abcde", second, cache)
    assert second.asked == ["d", "e"]
    assert texts_of(asked) == list("abcde")
    assert (asked.account.from_cache, asked.account.answered) == (3, 2)


def test_another_model_is_another_question():
    cache, second = AnswerCache(), Echo()
    second.model = "other"
    run("abc", Echo(), cache)
    run("abc", second, cache)
    assert len(second.asked) == 3


def test_simulated_answers_are_neither_kept_nor_looked_up():
    cache, simulated = AnswerCache(), Echo(keeps=False)
    run("abc", simulated, cache)
    assert cache.count() == 0
    run("abc", Echo(), cache)
    run("abc", simulated, cache)
    assert len(simulated.asked) == 6


def test_failures_are_counted_and_asked_again_by_the_next_run():
    cache = AnswerCache()
    asked = run(
        "abab", Echo(lambda text, _: Answer(error="no") if text == "b" else None), cache
    )
    assert texts_of(asked) == ["a", "no", "a", "no"]
    assert (asked.account.failed, asked.account.answered) == (1, 1)
    again = Echo()
    assert texts_of(run("ab", again, cache)) == ["a", "b"]
    assert again.asked == ["b"]


def test_what_fails_is_tried_as_often_as_told():
    backend = Echo(lambda text, number: TryAgain("busy") if number < 4 else None)
    pace = Pace(tries=4, first_wait=0.001)
    asked = ask(prompts("ab"), backend, cache=AnswerCache(), pace=pace)
    assert texts_of(asked) == ["a", "b"]
    assert asked.account.attempts == len(backend.asked) == 8
    fewer = Pace(tries=3, first_wait=0.001)
    asked = ask(prompts("c"), Echo(backend.fail), cache=AnswerCache(), pace=fewer)
    assert texts_of(asked) == ["busy (3 attempts)"]


def test_a_server_that_refuses_all_but_a_few_answers_all_in_the_end():
    """One request in 20 ms is answered, as by a server with a limit; the others are refused."""
    lock, free_at = threading.Lock(), [0.0]

    def fail(text, _):
        with lock:
            now = time.monotonic()
            if now < free_at[0]:
                return TryAgain("busy", after=0.02, everyone=True)
            free_at[0] = now + 0.02
            return None

    texts = [str(number) for number in range(24)]
    pace = Pace(tries=3, first_wait=0.01)
    asked = ask(prompts(texts), Echo(fail, workers=8), cache=AnswerCache(), pace=pace)
    assert texts_of(asked) == texts


def test_one_that_is_refused_for_ever_is_given_up():
    refused = TryAgain("too large", after=0.0, everyone=True)
    pace = Pace(tries=2, first_wait=0.001)
    backend = Echo(lambda text, _: refused if text == "0" else None, seconds=0.001)
    texts = [str(number) for number in range(300)]
    asked = ask(prompts(texts), backend, cache=AnswerCache(), pace=pace)
    assert asked.answers[0].error.startswith("too large (")
    assert texts_of(asked)[1:] == texts[1:]
    assert backend.asked.count("0") <= 20
    alone = ask(prompts("0"), Echo(lambda *_: refused), cache=AnswerCache(), pace=pace)
    assert texts_of(alone) == ["too large (2 attempts)"]


def test_a_request_that_waits_keeps_others_from_being_sent():
    """With three workers, three requests that wait leave nobody to ask the other 997."""
    backend = Echo(lambda text, _: TryAgain("down", unreachable=True))
    with pytest.raises(JobError, match=r"down, 3 times in a row"):
        ask(
            prompts(map(str, range(1000))),
            backend,
            cache=AnswerCache(),
            pace=Pace(tries=3, first_wait=0.01),
        )
    assert set(backend.asked) <= {"0", "1", "2"}


def test_nobody_being_there_for_one_request_is_its_own_failure():
    backend = Echo(
        lambda text, _: TryAgain("down", unreachable=True) if text == "0" else None,
        seconds=0.001,
    )
    texts = [str(number) for number in range(200)]
    asked = ask(
        prompts(texts), backend, cache=AnswerCache(), pace=Pace(tries=3, first_wait=0.01)
    )
    assert texts_of(asked) == ["down (3 attempts)", *texts[1:]]


def test_what_ends_the_job_is_raised_and_answers_under_way_are_kept():
    """All are under way when the first one fails for good."""
    cache = AnswerCache()

    def fail(text, _):
        time.sleep(0.02 if text == "a" else 0.1)
        return JobError("no money") if text == "a" else None

    backend = Echo(fail, workers=4)
    with pytest.raises(JobError, match="no money"):
        run("abcdefgh", backend, cache)
    assert sorted(backend.asked) == list("abcd")
    assert sorted(answer.text for *_, answer in cache) == list("bcd")


def test_an_interrupt_stops_at_once_and_keeps_what_is_under_way():
    cache, backend = AnswerCache(), Echo(seconds=0.1)

    def interrupt(stage, done, total):
        if done == 3:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(map(str, range(100)), backend, cache, progress=interrupt)
    assert time.monotonic() - began < 4
    assert cache.count() == len(backend.asked) <= 9


def test_a_backend_that_never_comes_back_does_not_hold_up_an_interrupt(monkeypatch):
    monkeypatch.setattr("tokkit.studies.asking.scheduling.GRACE", 0.05)
    release = threading.Event()

    def fail(text, _):
        if text != "a":
            release.wait(10)

    def interrupt(stage, done, total):
        if done == 1:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run("abc", Echo(fail), progress=interrupt)
    assert time.monotonic() - began < 4
    release.set()


def test_a_mistake_in_a_backend_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run("abc", Echo(lambda text, _: ZeroDivisionError()))


def test_progress_begins_with_what_is_known():
    cache, told = AnswerCache(), []
    run("ab", Echo(), cache)
    run("abcdd", Echo(workers=1), cache, progress=lambda *news: told.append(news))
    assert told == [("asking", 2, 4), ("asking", 3, 4), ("asking", 4, 4)]


def test_many_requests_are_not_all_under_way():
    """Requests are taken as there is room, not all at the start."""
    priced = []
    costs = Budget(estimate=lambda r: priced.append(r) or 0.0, charge=lambda r, a: 0.0)
    most = []
    run(
        map(str, range(2000)),
        Echo(workers=2),
        budget=costs,
        progress=lambda _, done, __: most.append(len(priced) - 2 * done),
    )
    assert max(most) <= 3


def test_seconds_are_of_all_attempts():
    backend = Echo(lambda text, number: TryAgain("no", after=0.05) if number == 1 else None)
    [answer] = run("a", backend).answers
    assert 0.05 <= answer.seconds < 0.5
