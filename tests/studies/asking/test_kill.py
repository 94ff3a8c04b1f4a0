"""Runs that are killed or interrupted, as processes of their own, and begun again."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.studies.asking.server import FakeServer, answer, slow, status

PROBLEMS = 80
WORKERS = 4
SCRIPT = """
import json, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs begin without it
from tokkit.studies.asking import AnswerCache, Message, Pace, Request, ask, pace
from tokkit.studies.asking.backends import BackendOptions, open_backend

url, file, problems, workers, *rpm = sys.argv[1:]
# A minute of one second, of which a tenth is leeway.
pace.MINUTE, pace.LEEWAY = 1.0, 0.1
requests = [
    Request(key=str(number), messages=(Message("user", str(number)),))
    for number in range(int(problems))
]
backend = open_backend(f"openai:{url}", options=BackendOptions(workers=int(workers)))
with AnswerCache(file) as cache:
    speed = Pace(first_wait=0.01, rpm=int(rpm[0]) if rpm else None)
    asked = ask(requests, backend, cache=cache, pace=speed)
print(json.dumps([answer.text for answer in asked.answers]))
"""


def start(server, file, *rpm, problems=PROBLEMS):
    arguments = [server.url, file, str(problems), str(WORKERS), *map(str, rpm)]
    command = [sys.executable, "-c", SCRIPT, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


def behaviour(call):
    """Answer after a little while; of some problems the first attempt fails."""
    if call.number == 1 and int(call.problem) % 10 == 0:
        return status(500)
    return slow(0.005, answer(f"answer to {call.problem}"))


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_ends_half_way_is_gone_on_with(tmp_path, end):
    """Every problem is answered once, but for those under way when the process was killed."""
    served, go_on = [], threading.Event()

    def half(call):
        """Keep what is asked after half of the calls under way until the signal was sent."""

        def act(handler):
            if len(server.calls) > PROBLEMS // 2:
                go_on.wait(60)
            behaviour(call)(handler)
            if call.number > 1 or int(call.problem) % 10:
                served.append(call.problem)

        return act

    with FakeServer(half) as server:
        first = start(server, tmp_path / "answers.db")
        server.wait_for(PROBLEMS // 2 + WORKERS)
        os.kill(first.pid, end)
        if end == signal.SIGINT:
            time.sleep(2)  # long enough for a busy machine to hear it
            go_on.set()
        assert first.communicate(timeout=60)[0] == ""
        assert first.returncode != 0
        go_on.set()
        assert len(server.calls) < PROBLEMS
        second = start(server, tmp_path / "answers.db")
        output, errors = second.communicate(timeout=120)
    assert (second.returncode, errors) == (0, "")
    assert json.loads(output) == [f"answer to {number}" for number in range(PROBLEMS)]
    assert sorted(set(served), key=int) == [str(number) for number in range(PROBLEMS)]
    assert len(served) - PROBLEMS <= (WORKERS if end == signal.SIGKILL else 0)


def test_a_run_that_is_killed_again_and_again_comes_to_its_end(tmp_path):
    """Whenever it is killed, what it was given is kept: each start gets on."""
    file = tmp_path / "answers.db"
    with FakeServer(lambda call: slow(0.01, answer(f"answer to {call.problem}"))) as server:
        for stop in (20, 50):
            run = start(server, file)
            server.wait_for(stop)
            run.kill()
            run.communicate(timeout=60)
        output, errors = start(server, file).communicate(timeout=120)
        assert json.loads(output) == [f"answer to {number}" for number in range(PROBLEMS)]
        assert errors == ""
        assert sum(server.counts().values()) <= PROBLEMS + 2 * WORKERS


def test_requests_per_minute_over_two_processes_at_once_and_a_kill(tmp_path):
    """Two share a file; one is killed and begun again: in no minute are there more than 60."""
    file = tmp_path / "answers.db"
    with FakeServer() as server:
        first, second = (start(server, file, 60, problems=count) for count in (PROBLEMS, 60))
        server.wait_for(30)
        first.kill()
        first.communicate(timeout=60)
        third = start(server, file, 60)
        for run in (second, third):
            assert run.communicate(timeout=120)[1] == ""
        times = sorted(call.at for call in server.calls)
    assert len(times) >= PROBLEMS
    assert max(sum(begin <= at < begin + 1 for at in times) for begin in times) <= 60
