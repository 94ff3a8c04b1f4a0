"""Processes that share a batch: one alone, and several that meet."""

import json
import os
import socket
import subprocess
import sys

import pytest

from tokkit.errors import UsageError

torch = pytest.importorskip("torch")

from tokkit.lm.processes import Processes, open_processes  # noqa: E402

TOGETHER = """
import json, torch
from tokkit.lm.processes import open_processes
processes = open_processes("cpu")
first, second = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))
first.grad = torch.tensor([1.0, 10.0]) * (processes.rank + 1)
processes.average([first, second])
processes.wait()
said = (processes.rank, processes.count, processes.is_main, first.grad.tolist(), second.grad,
        processes.sum(processes.rank + 0.5))
print(json.dumps(said))
"""

ENDING = """
import atexit, os
# Run last, as it is registered first.
atexit.register(lambda: print(*sorted(threads() - before)))
def threads():
    tasks = "/proc/self/task"
    return {open(f"{tasks}/{each}/comm").read() for each in os.listdir(tasks)}
import torch
from tokkit.lm.processes import open_processes
before = threads()
processes = open_processes("cpu")
torch.optim.AdamW([torch.nn.Parameter(torch.zeros(2))])
processes.wait()
print(len(threads() - before) > 0)
"""


def start_together(count, *command):
    """Run a command as several processes; return what each prints."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(
            command,
            env={
                **os.environ,
                **shared,
                "WORLD_SIZE": str(count),
                "RANK": rank,
                "LOCAL_RANK": rank,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in map(str, range(count))
    ]
    said = [each.communicate(timeout=100)[0] for each in running]
    assert [each.returncode for each in running] == [0] * count
    return said


def test_one_process_changes_nothing():
    alone = open_processes("cpu", {})
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.tensor([1.0, 2.0])
    alone.average([weight])
    alone.wait()
    assert weight.grad.tolist() == [1.0, 2.0]
    assert alone.sum(0.1) == 0.1
    assert alone == Processes(torch.device("cpu"), 0, 1)
    assert alone.is_main


def test_several_have_no_device_by_name():
    with pytest.raises(UsageError, match="a device of its own"):
        open_processes("cuda:1", {"WORLD_SIZE": "2"})


@pytest.mark.slow
def test_several_share_what_they_have():
    pytest.importorskip("accelerate")
    said = [json.loads(text) for text in start_together(3, sys.executable, "-c", TOGETHER)]
    assert said == [[rank, 3, rank == 0, [2.0, 20.0], None, 4.5] for rank in range(3)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the threads")
def test_nothing_of_the_others_is_left_when_python_ends():
    pytest.importorskip("accelerate")
    assert start_together(2, sys.executable, "-c", ENDING) == ["True\n\n"] * 2
