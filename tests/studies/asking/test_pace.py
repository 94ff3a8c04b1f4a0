"""Limits hold in any minute, whoever asks and however often it is begun again."""

import heapq
import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.studies.asking.questions import chat, prompt
from tokkit.errors import UsageError
from tokkit.studies.asking import Pace
from tokkit.studies.asking.database import Database
from tokkit.studies.asking.pace import Gate, most_tokens


def drive(gate, clock, sizes, *, workers=4, seconds=0.5, seed=0):
    """Send attempts of these sizes as a crew does; return their (start, end, tokens)."""
    draw = random.Random(seed)
    busy, done = [], []
    for most in sizes:
        if len(busy) == workers:
            clock = max(clock, leave(gate, heapq.heappop(busy), done))
        while (entry := gate.enter(clock, most)).wait > 0:
            later = clock + entry.wait
            if busy and busy[0][0] <= later:
                clock = max(clock, leave(gate, heapq.heappop(busy), done))
            else:
                clock = later
        end = clock + draw.uniform(0, 2 * seconds)
        heapq.heappush(busy, (end, clock, entry, draw.randint(0, most)))
    while busy:
        leave(gate, heapq.heappop(busy), done)
    return done


def leave(gate, attempt, done):
    end, start, entry, used = attempt
    gate.leave(entry, end, used)
    done.append((start, end, used))
    return end


def most_starts(attempts, window=60.0):
    """The most attempts that begin in any window."""
    starts = sorted(start for start, *_ in attempts)
    return max(sum(begin <= start < begin + window for start in starts) for begin in starts)


def most_used(attempts, window=60.0):
    """The most tokens of attempts that end in any window, as a server adds them up."""
    return max(
        sum(used for _, end, used in attempts if begin <= end < begin + window)
        for _, begin, _ in attempts
    )


@settings(max_examples=30)
@given(st.integers(1, 100), st.integers(1, 20), st.floats(0.001, 90), st.integers(0, 99))
def test_requests_in_any_minute(rpm, workers, seconds, seed):
    gate = Gate(Pace(rpm=rpm), Database(None), "model")
    attempts = drive(gate, 1e9, [1] * 120, workers=workers, seconds=seconds, seed=seed)
    assert most_starts(attempts) <= rpm
    if workers == 20 and seconds < 1:
        # Not slower than it must be: but for the leeway, each minute is used up.
        taken = max(start for start, *_ in attempts) - 1e9
        assert taken <= 61 * 120 / rpm + 60 * seconds


@settings(max_examples=30)
@given(st.integers(500, 5000), st.integers(1, 20), st.floats(0.1, 90), st.integers(0, 99))
def test_tokens_in_any_minute(tpm, workers, seconds, seed):
    gate = Gate(Pace(tpm=tpm), Database(None), "model")
    sizes = [random.Random(seed + number).randint(1, 500) for number in range(80)]
    attempts = drive(gate, 1e9, sizes, workers=workers, seconds=seconds, seed=seed)
    assert most_used(attempts) <= tpm


@settings(max_examples=30)
@given(st.integers(1, 60), st.integers(0, 99))
def test_a_run_that_is_begun_again_and_again(rpm, seed):
    """A process ends after each few requests, and another one goes on."""
    database, draw = Database(None), random.Random(seed)
    clock, attempts = 1e9, []
    while len(attempts) < 80:
        gate = Gate(Pace(rpm=rpm), database, "model")
        attempts += drive(gate, clock, [1] * draw.randint(1, 20), workers=20, seed=seed)
        clock = max(start for start, *_ in attempts) + draw.uniform(0, 2)
    assert most_starts(attempts) <= rpm


def test_a_slower_run_remembers_a_faster_one():
    database = Database(None)
    fast = drive(Gate(Pace(rpm=600), database, "model"), 1e9, [1] * 100, workers=100)
    slow = Gate(Pace(rpm=50), database, "model")
    # Of the hundred, fifty have to be a minute ago.
    last_but_49 = sorted(start for start, *_ in fast)[-50]
    wait = slow.enter(1e9 + 11, 1).wait
    assert wait == pytest.approx(last_but_49 - 1e9 + 61 - 11)


def test_two_processes_share_a_limit():
    database = Database(None)
    gates = [Gate(Pace(rpm=60), database, "model") for _ in range(2)]
    entered = [gates[number % 2].enter(1e9 + number / 10, 1).wait == 0 for number in range(100)]
    assert sum(entered) == 10


def test_models_have_limits_of_their_own():
    database = Database(None)
    gates = [Gate(Pace(rpm=1), database, name) for name in "ab"]
    assert [gate.enter(1e9, 1).wait for gate in gates] == [0, 0]


def test_a_request_over_the_limit_goes_alone():
    gate = Gate(Pace(tpm=100), Database(None), "model")
    first = gate.enter(1e9, 1000)
    assert first.wait == 0
    assert gate.enter(1e9 + 30, 1).wait > 0
    gate.leave(first, 1e9 + 40, 1000)
    assert gate.enter(1e9 + 50, 1).wait == pytest.approx(51)


def test_tokens_that_were_not_used_are_given_back():
    gate = Gate(Pace(tpm=100), Database(None), "model")
    first = gate.enter(1e9, 90)
    assert gate.enter(1e9 + 1, 90).wait > 0
    gate.leave(first, 1e9 + 2, 10)
    assert gate.enter(1e9 + 2, 90).wait == 0


def test_a_clock_that_was_set_back_stops_nothing():
    database = Database(None)
    drive(Gate(Pace(rpm=1), database, "model"), 2e9, [1])
    assert Gate(Pace(rpm=1), database, "model").enter(1e9, 1).wait == 0


def test_no_limit_leaves_no_trace():
    database = Database(None)
    drive(Gate(Pace(), database, "model"), 1e9, [1] * 9)
    assert database.execute("SELECT count(*) FROM attempts") == [(0,)]


def test_waits_double_up_to_the_longest():
    pace = Pace(first_wait=1, longest_wait=10)
    assert [pace.wait(failures, None, 1.0) for failures in range(1, 7)] == [1, 2, 4, 8, 10, 10]
    assert pace.wait(10_000, None, 0.5) == 5
    assert pace.wait(3, None, 0.0) == 0


def test_what_the_server_says_comes_first():
    pace = Pace(longest_wait=10)
    assert pace.wait(1, 30.0, 0.0) == 30
    assert pace.wait(1, 30.0, 1.0) == pytest.approx(33)
    assert pace.wait(1, 0.0, 1.0) == 0
    # Where that was not enough: half of what it would be without, to all of it, and more.
    assert pace.wait(2, 30.0, 0.0) == 31
    assert pace.wait(9, 30.0, 1.0) == pytest.approx(43)


def test_less_than_one_request_in_a_minute():
    """Every four minutes there is one; an hour after the last one there may be one at once."""
    gate = Gate(Pace(rpm=0.25), Database(None), "model")
    starts = sorted(start for start, *_ in drive(gate, 1e9, [1] * 4))
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert gaps == pytest.approx([244] * 3)
    assert gate.enter(starts[-1] + 3600, 1).wait == 0


@pytest.mark.parametrize("name", ["rpm", "tpm", "tries"])
def test_a_pace_at_which_nothing_is_asked(name):
    with pytest.raises(UsageError, match=f"{name} is 0"):
        Pace(**{name: 0})


@pytest.mark.parametrize("make", [chat, prompt])
@pytest.mark.parametrize("text", ["", "1234567+7654321=", "é" * 30])
def test_no_request_has_more_tokens_than_is_thought(make, text):
    """A token for each byte, what gpt-3.5-turbo-0301 adds (5 a message and 3), 20 to answer."""
    assert len(text.encode()) + 5 + 3 + 20 <= most_tokens(make(text, max_tokens=20))
