"""Run implementations of one task alternately, and compare the cost of their whole processes.

A task is a module of this folder with

* ``IMPLEMENTATIONS: Mapping[str, Callable[[Path], dict]]`` — each does the task on the corpus,
  calls `loaded` when its input is in memory, and returns figures to show beside its cost;
* ``DISTRIBUTIONS: Mapping[str, str]`` — what has to be installed for it.

Every run is a process of its own, told to use one thread. Cost is its user and system time from
start to end, imports and reading included, and its peak resident memory; "after loading" and
"extra" leave out what it took until `loaded` was called. Implementations take turns, so that
a busy machine disturbs all alike; medians are shown, and ratios are the point.
"""

import importlib
import importlib.metadata
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ONE_THREAD = {
    "RAYON_NUM_THREADS": "1",
    "RAYON_RS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_when_loaded = {"memory": 0.0, "cpu": 0.0}


def loaded() -> None:
    """Note how much memory (MB) and time (s) it took until the input is in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    _when_loaded["memory"] = pages * resource.getpagesize() / 1e6
    _when_loaded["cpu"] = time.process_time()


def run_child(task: str, name: str, corpus: Path) -> dict:
    """Run one implementation in a process of its own; return its figures and its cost."""
    command = [sys.executable, "-m", "benchmarks.pair", task, name, str(corpus)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=os.environ | ONE_THREAD
    ) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        return {"failed": f"exit {process.returncode}"}
    figures = json.loads(output.splitlines()[-1])
    before = figures.pop("loaded")
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6
    return figures | {
        "cpu": cpu,
        "cpu after": cpu - before["cpu"],
        "peak": peak,
        "extra": peak - before["memory"],
    }


def installed(distribution: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def compare(task: str, corpus: Path, rounds: int, only: list[str]) -> list[dict]:
    """Run every installed implementation `rounds` times, taking turns; one row for each."""
    module = importlib.import_module(f"benchmarks.{task}")
    runs: dict[str, list[dict]] = {}
    for name in module.IMPLEMENTATIONS:
        if installed(module.DISTRIBUTIONS[name]) is None:
            print(f"{task}: {name} is not installed", file=sys.stderr)
        elif not only or name in only:
            runs[name] = []
    for turn in range(rounds + 1):  # the first compiles kernels and warms caches
        for name in runs:
            if turn == 0 and name != "tokkit":
                continue
            figures = run_child(task, name, corpus)
            print(f"{task}: {name}: {figures}", file=sys.stderr)
            if turn:
                runs[name].append(figures)
    return [
        {"task": task, "name": name, "version": installed(module.DISTRIBUTIONS[name])}
        | median(figures)
        for name, figures in runs.items()
    ]


def median(runs: list[dict]) -> dict:
    """The median of every number; of anything else the last."""
    if any("failed" in run for run in runs):
        return {"failed": next(run["failed"] for run in runs if "failed" in run)}
    return {
        key: statistics.median(run[key] for run in runs) if isinstance(value, float) else value
        for key, value in runs[-1].items()
    }


COSTS = ("cpu", "cpu after", "peak", "extra")


def table(rows: list[dict]) -> str:
    """Lay out rows as a Markdown table, costs also relative to the first row's."""
    first = next((row for row in rows if "cpu" in row), None)
    lines = [
        "| | CPU s | × | after loading | × | peak MB | extra MB | × | result |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        title = f"| {row['name']} {row['version']} "
        if "failed" in row:
            lines.append(f"{title}| {row['failed']} |")
            continue
        ratio = {cost: f"{row[cost] / first[cost]:.2f}" for cost in COSTS}
        cells = (
            f"{row['cpu']:.1f}",
            ratio["cpu"],
            f"{row['cpu after']:.1f}",
            ratio["cpu after"],
            f"{row['peak']:.0f}",
            f"{row['extra']:.0f}",
            ratio["extra"],
            ", ".join(f"{k} {v}" for k, v in row.items() if k not in (*COSTS, *HIDDEN)),
        )
        lines.append(f"{title}| {' | '.join(cells)} |")
    return "\n".join(lines)


HIDDEN = ("task", "name", "version")


if __name__ == "__main__":
    _task, _name, _corpus = sys.argv[1:]
    from benchmarks import pair  # the module the task imports, not this __main__

    result = importlib.import_module(f"benchmarks.{_task}").IMPLEMENTATIONS[_name](
        Path(_corpus)
    )
    print(json.dumps(result | {"loaded": pair._when_loaded}))
