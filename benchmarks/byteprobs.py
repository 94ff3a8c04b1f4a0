"""What exact byte probabilities cost, beside the others that compute them.

    python -m benchmarks.byteprobs score_stories generate_gpt2 --rounds 3 --rivals FOLDER

Every run is a process of its own on one thread; implementations take turns. What is shown is
CPU time, user and system, per byte after a first run on another text: ``forward`` is spent in
the model's forward pass, ``other`` elsewhere. Calls and tokens (padding included) are counted
by a wrapper around that forward pass. Everyone reads the first bytes of the text for nothing;
only tokkit, which scores a text as a whole, pays for them too.

``--rivals`` holds two checkouts: ``fb``, which is the code of arXiv 2410.09303 (at
facebookresearch, Exact-Byte-Level-Probabilities-from-Tokenized-LMs), and ``byte-sampler`` (at
SewoongLab). ``--python paper=... sampler=... genlm=...`` names the interpreters of those that
want other versions of libraries than tokkit. What is not there is left out.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import byteprobs_inputs as inputs
from benchmarks.pair import ONE_THREAD

WARM = b"Once upon the sea, an old man caught a fish."
QUIET = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Implementation:
    """A way to do a task: by which module, its setting, and the longest text it gets."""

    module: str
    setting: str
    longest: int = 10_000

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return f"{self.module} {self.setting}"


@dataclass(frozen=True)
class Task:
    """What is done: ``score``, ``generate`` or ``setup``, with which model, how many bytes."""

    kind: str
    model: str
    counts: tuple[int, ...]
    implementations: tuple[Implementation, ...]


def tokkit(*ways: str) -> tuple[Implementation, ...]:
    """tokkit with settings like ``renorm score``."""
    return tuple(Implementation("tokkit", way) for way in ways)


SCORE = tokkit("renorm score", "mask score")
STEPS = tokkit("renorm stream", "renorm sample", "renorm plain")
PAPER = (Implementation("paper", "fast"), Implementation("paper", "exact"))
SAMPLER = (Implementation("sampler", "head"), Implementation("sampler", "mask"))
PRUNED = Implementation("genlm", "10 0.001", 200)
BEAM = Implementation("genlm", "5 0", 200)
TASKS = {
    "score_stories": Task("score", "stories", (200, 1000), (*SCORE, *PAPER, PRUNED, BEAM)),
    "score_gpt2": Task("score", "gpt2", (200, 1000), (*SCORE, *SAMPLER, PRUNED, BEAM)),
    "score_deep": Task("score", "deep", (60,), (*SCORE[:1], *SAMPLER, PRUNED)),
    "generate_stories": Task("generate", "stories", (200,), (*STEPS, PAPER[0], PRUNED)),
    "generate_gpt2": Task("generate", "gpt2", (200,), (*STEPS, *SAMPLER, PRUNED)),
    "total": Task("score", "stories", (200, 1000), tokkit("renorm total")),
    "setup_128k": Task("setup", "llama3", (0,), (*SCORE[:1], SAMPLER[0], PRUNED)),
    "overhead": Task(
        "score", "llama3", (200, 1000, 3000), tokkit("renorm score", "renorm stream")
    ),
}
GIVEN = 9


def run(task: Task, implementation: Implementation, count: int, options) -> dict:
    """Run one implementation in a process of its own; return its figures."""
    folder = options.inputs / task.model
    given = 0 if implementation.setting.endswith("total") else GIVEN
    spec = {
        "task": task.kind,
        "folder": str(folder),
        "lead": task.model == "stories",
        "setting": implementation.setting,
        "rivals": str(options.rivals),
        "text": Path(folder, "text").read_bytes()[: given + count].decode("latin1"),
        "warm": WARM.decode("latin1"),
        "given": given,
        "count": count,
    }
    python = options.interpreters.get(implementation.module, sys.executable)
    command = ["-m", "benchmarks.byteprobs_child", implementation.module, json.dumps(spec)]
    environment = os.environ | ONE_THREAD | QUIET
    done = subprocess.run([python, *command], capture_output=True, text=True, env=environment)
    if done.returncode:
        return {"failed": (done.stderr.strip() or "no message").splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def compare(task: Task, count: int, options) -> dict[str, list[dict]]:
    """Run every implementation `rounds` times, taking turns; the figures of each by name."""
    runs: dict[str, list[dict]] = {}
    absent = set()
    for turn in range(options.rounds + 1):  # the first compiles kernels and warms caches
        for one in task.implementations:
            wanted = not options.only or any(word in one.name for word in options.only)
            if not wanted or count > one.longest or one.name in absent:
                continue
            if turn == 0 and (one.module != "tokkit" or one.name in runs):
                continue
            figures = run(task, one, count, options)
            print(f"{task.model} {count} {one.name}: {figures}", file=sys.stderr, flush=True)
            if "absent" in figures or "failed" in figures:
                absent.add(one.name)
                runs[one.name] = [figures]
            elif turn:
                runs.setdefault(one.name, []).append(figures)
    return runs


def median(runs: list[dict]) -> dict:
    """The median of every number; of anything else the last."""
    return {
        key: statistics.median(run[key] for run in runs) if isinstance(value, float) else value
        for key, value in runs[-1].items()
    }


COLUMNS = ("forward ms", "other ms", "calls", "tokens")


def table(runs: dict[str, list[dict]]) -> str:
    """Lay out medians as a Markdown table, CPU time also relative to the first row's."""
    rows = {name: median(figures) for name, figures in runs.items()}
    first = next((row for row in rows.values() if "ms" in row), {})
    lines = [
        "| | ms/byte | × | forward | other | calls/byte | tokens/byte | result | set-up s |",
        "|---|--:|--:|--:|--:|--:|--:|---|--:|",
    ]
    for name, row in rows.items():
        if "ms" not in row:
            steps = ", ".join(
                f"{key} {value:.2f}" for key, value in row.items() if key == "setup"
            )
            lines.append(f"| {name} | {row.get('absent') or row.get('failed') or steps} |")
            continue
        cells = [f"{row['ms']:.3f}", f"{row['ms'] / first['ms']:.2f}"]
        cells += [f"{row[column]:.3f}" for column in COLUMNS]
        cells += [result(row, first), f"{row['setup']:.2f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def told(figure: tuple[str, object]) -> str:
    """A figure with its name; times in seconds."""
    name, value = figure
    return f"{name} {value:.2f}" if isinstance(value, float) else f"{name}: {value}"


def result(row: dict, first: dict) -> str:
    """Bits per byte, or how far the text that was generated is that of the first row."""
    if "bits" in row:
        return f"{row['bits']:.5f} bits/byte"
    pairs = zip(row["output"], first["output"], strict=True)
    same = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))
    return "same text" if row["output"] == first["output"] else f"same {same} bytes"


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="parts of names")
    parser.add_argument("--rivals", type=Path, default=Path("rivals"))
    parser.add_argument("--python", nargs="*", default=[], help="NAME=INTERPRETER")
    parser.add_argument("--inputs", type=Path, default=inputs.DEFAULT)
    options = parser.parse_args()
    options.interpreters = dict(pair.split("=", 1) for pair in options.python)
    return options


def main() -> None:
    """Parse the command line, run, and print a table per task and length."""
    options = arguments()
    inputs.make(options.inputs)
    for name in options.tasks or TASKS:
        task = TASKS[name]
        for count in task.counts:
            runs = compare(task, count, options)
            print(f"\n{name}, {count} bytes, medians of {options.rounds}\n")
            print(table(runs), flush=True)


if __name__ == "__main__":
    main()
