"""Run implementations of one task alternately, and compare the cost of their whole processes.

A task is a module of this folder with

* ``IMPLEMENTATIONS: Mapping[str, Callable[[Path], dict]]`` — each does the task on the corpus,
  calls `loaded` when its input is in memory, and returns figures to show beside its cost;
* ``DISTRIBUTIONS: Mapping[str, str]`` — what has to be installed for it.

Every run is a process of its own, told to use one thread. Cost is its user and system time from
start to end, imports and reading included, and its peak resident memory; "extra" memory is the
peak minus what was resident when the input was in memory. Implementations take turns, so that
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
from pathlib import Path

ONE_THREAD = {
    "RAYON_NUM_THREADS": "1",
    "RAYON_RS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_loaded_at = {"memory": 0.0}


def loaded() -> None:
    """Note how much memory is resident now that the input is in memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    _loaded_at["memory"] = pages * resource.getpagesize() / 1e6


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
    peak = usage.ru_maxrss * 1024 / 1e6
    return figures | {
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": peak,
        "extra": peak - figures.pop("loaded", 0.0),
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


def table(rows: list[dict]) -> str:
    """Lay out rows as a Markdown table, costs relative to tokkit's."""
    own = next((row for row in rows if row["name"] == "tokkit" and "cpu" in row), None)
    lines = [
        "| | version | CPU s | × tokkit | peak MB | extra MB | result |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        title = f"| {row['name']} | {row['version']} "
        if "failed" in row:
            lines.append(title + f"| {row['failed']} | | | | |")
            continue
        ratio = f"{row['cpu'] / own['cpu']:.2f}" if own else ""
        hidden = ("task", "name", "version", "cpu", "peak", "extra")
        rest = ", ".join(f"{key} {value}" for key, value in row.items() if key not in hidden)
        lines.append(
            title
            + f"| {row['cpu']:.1f} | {ratio} | {row['peak']:.0f} | {row['extra']:.0f} | {rest} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    _task, _name, _corpus = sys.argv[1:]
    from benchmarks import pair  # the module the task imports, not this __main__

    result = importlib.import_module(f"benchmarks.{_task}").IMPLEMENTATIONS[_name](
        Path(_corpus)
    )
    print(json.dumps(result | {"loaded": pair._loaded_at["memory"]}))
