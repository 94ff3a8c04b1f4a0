"""What moving a model to another vocabulary costs, beside the others that do it.

    python -m benchmarks.transplant --rounds 3 --only mean

Every run is a process of its own on one thread; implementations take turns. Cost is the user
and system time of the whole process and its peak resident memory, as the kernel counts them;
medians are shown, and ratios are the point. A first run of tokkit, not counted, compiles
kernels; where an auxiliary encoder is needed, the first run of each keeps what it gave, so that
no time is spent in it afterwards.

The case of 8 GB is run only if named; what it makes is deleted.

``--tokensurgeon`` is the script of that name of mergekit; ``--tokenadapt`` is a checkout of
Tinycompany-AI/tokenadapt and the interpreter to run it with; ``--focus`` is an interpreter that
has deepfocus. ``--auxiliary`` is a sentence-transformers folder. What is not given is left out.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pair import ONE_THREAD

ROOT = Path(__file__).resolve().parents[1]
QUIET = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "MKL_NUM_THREADS": "1"}
OUTPUT = ROOT / "build" / "benchmarks" / "transplant"
CORPUS_BYTES = 15_000_000


@dataclass(frozen=True)
class Case:
    """A transplantation: the model, its new vocabulary, how, and who does it besides tokkit."""

    model: str
    target: str
    method: str
    rival: str
    donor: str = ""
    large: bool = False
    global_weight: float = 0.3


CASES = {
    "mean_gpt2_512": Case("llama2-512", "gpt2", "mean", "tokensurgeon", "donor-gpt2"),
    "mean_llama3_512": Case("llama2-512", "llama3", "mean", "tokensurgeon", "donor-llama3"),
    "mean_gpt2_1024": Case("llama2-1024", "gpt2", "mean", "tokensurgeon", "donor-gpt2"),
    "mean_llama3_1024": Case("llama2-1024", "llama3", "mean", "tokensurgeon", "donor-llama3"),
    "tokenadapt_gpt2_512": Case("llama2-512", "gpt2", "tokenadapt", "tokenadapt"),
    "focus_gpt2_512": Case("llama2-512", "gpt2", "focus", "focus"),
    "mean_llama3_8gb": Case(
        "llama2-8gb", "llama3", "mean", "tokensurgeon", "donor-llama3", large=True
    ),
}
LARGE_BYTES = 30_000_000_000


def tokkit(case: Case, options, output: Path) -> list[str]:
    """The command of tokkit."""
    models = options.output / "models"
    command = [options.tokkit, "transplant", str(models / case.model)]
    command += [str(models / case.target), "-o", str(output), "--method", case.method]
    if case.method == "tokenadapt":
        command += ["--aux-model", options.auxiliary]
        command += ["--aux-cache", str(options.output / "cache" / "tokkit")]
        command += ["--global-weight", str(case.global_weight)]
    if case.method == "focus":
        command += ["--corpus", str(options.output / "corpus.txt")]
    return command


def rival(case: Case, options, output: Path) -> list[str]:
    """The command of the rival; empty if it was not given."""
    models = options.output / "models"
    if case.rival == "tokensurgeon":
        script = [options.tokensurgeon, str(models / case.model), str(models / case.donor)]
        return [*script, str(output), "-a", "subword"] if options.tokensurgeon else []
    folder, python = options.tokenadapt or ("", "")
    if case.rival == "focus":
        python = options.focus
    spec = {
        "model": str(models / case.model),
        "tokenizer": str(models / case.target),
        "output": str(output),
        "cache": str(options.output / "cache" / f"{case.rival}-{case.model}-{case.target}"),
        "rival": folder,
        "auxiliary": options.auxiliary,
        "dtype": "fp32",
        "weight": case.global_weight,
        "corpus": str(options.output / "corpus.txt"),
    }
    child = ["-m", "benchmarks.transplant_rivals", case.rival, json.dumps(spec)]
    return [python, *child] if python else []


def run(command: list[str], output: Path) -> dict:
    """Run a command in a process of its own; its cost and the size of what it wrote."""
    shutil.rmtree(output, ignore_errors=True)
    log = output.with_name(f"{output.name}.log")
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=os.environ | ONE_THREAD | QUIET,
            cwd=ROOT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    lines = log.read_text(errors="replace").strip().splitlines() or ["no message"]
    weights = list(output.glob("*.safetensors"))
    if process.returncode or not weights:
        return {"failed": f"exit {process.returncode}: {lines[-1]}"}
    figures = {
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss * 1024 / 1e6,
        "written": sum(path.stat().st_size for path in weights) / 1e6,
    }
    last = lines[-1]
    return figures | (json.loads(last) if last.startswith('{"heuristics') else {})


def prepare(options, cases: list[Case]) -> None:
    """Make the models and texts, in other processes: a parent's memory counts as a child's."""
    folder = options.output / "models"
    folder.mkdir(parents=True, exist_ok=True)
    large = any(case.large for case in cases)
    if large and shutil.disk_usage(options.output).free < LARGE_BYTES:
        sys.exit(f"{options.output}: the large case needs {LARGE_BYTES / 1e9:.0f} GB")
    models = {name for case in cases for name in (case.model, case.target, case.donor) if name}
    module = [sys.executable, "-m", "benchmarks.transplant_models"]
    subprocess.run([*module, str(folder), *sorted(models)], check=True, cwd=ROOT)
    corpus = options.output / "corpus.txt"
    if any(case.method == "focus" for case in cases) and not corpus.exists():
        code = "from benchmarks.transplant import *; write_corpus(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, str(corpus)], check=True, cwd=ROOT)


def write_corpus(path: Path) -> None:
    """Write a part of every reference text, a line each."""
    from benchmarks.corpus import shared_documents

    written = 0
    with path.with_suffix(".new").open("w", encoding="utf-8") as file:
        for number, document in enumerate(shared_documents()):
            text = "\n".join(document.splitlines()) + "\n"
            if number % 3 == 0 and len(text) < 100_000 and written < CORPUS_BYTES:
                written += len(text.encode())
                file.write(text)
    path.with_suffix(".new").rename(path)


def compare(name: str, options) -> dict[str, dict]:
    """Run tokkit and its rival `rounds` times, taking turns; the medians of each."""
    case = CASES[name]
    commands = {"tokkit": tokkit, case.rival: rival}
    runs: dict[str, list[dict]] = {}
    for turn in range(options.rounds + 1):
        for who, command in commands.items():
            if options.who and who not in options.who:
                continue
            output = options.output / f"out-{name}-{who}"
            arguments = command(case, options, output)
            needed = who == "tokkit" or (case.method == "tokenadapt" and not options.warm)
            failed = any("failed" in figures for figures in runs.get(who, ()))
            if not arguments or failed or (turn == 0 and not needed):
                continue
            figures = run(arguments, output)
            print(f"{name} {who} {turn}: {figures}", file=sys.stderr, flush=True)
            if turn or "failed" in figures:
                runs.setdefault(who, []).append(figures)
            if not options.keep:
                shutil.rmtree(output, ignore_errors=True)
    return {who: median(figures) for who, figures in runs.items()}


def median(runs: list[dict]) -> dict:
    """The median of every figure, or what went wrong."""
    failed = [run for run in runs if "failed" in run]
    if failed:
        return failed[0]
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def table(rows: dict[str, dict]) -> str:
    """Lay out medians as a Markdown table, costs also relative to tokkit's."""
    first = rows.get("tokkit", {})
    lines = ["| | CPU s | × | peak MB | × | written MB |", "|---|--:|--:|--:|--:|--:|"]
    for who, row in rows.items():
        if "failed" in row:
            lines.append(f"| {who} | {row['failed']} |")
            continue
        cells = [f"{row['cpu']:.2f}", ratio(row, first, "cpu"), f"{row['peak']:.0f}"]
        cells += [ratio(row, first, "peak"), f"{row['written']:.0f}"]
        lines.append(f"| {who} | {' | '.join(cells)} |")
        if "heuristics" in row:
            lines.append(f"| of that in its formulas | {row['heuristics']:.2f} |")
    return "\n".join(lines)


def ratio(row: dict, first: dict, cost: str) -> str:
    """How many times as much as the first row."""
    return f"{row[cost] / first[cost]:.2f}" if cost in first else ""


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help=", ".join(CASES))
    parser.add_argument("--who", nargs="*", default=[], help="tokkit, or a rival")
    parser.add_argument("--warm", action="store_true", help="the rival kept its encodings")
    parser.add_argument("--keep", action="store_true", help="do not delete what they wrote")
    parser.add_argument("--tokkit", default=str(Path(sys.executable).with_name("tokkit")))
    parser.add_argument("--tokensurgeon", default="", metavar="SCRIPT")
    parser.add_argument("--tokenadapt", nargs=2, default=[], metavar=("FOLDER", "PYTHON"))
    parser.add_argument("--focus", default="", metavar="PYTHON")
    parser.add_argument("--auxiliary", default="", metavar="FOLDER")
    options = parser.parse_args()
    options.output = options.output.resolve()
    return options


def main() -> None:
    """Parse the command line, run, and print a table for each case."""
    options = arguments()
    wanted = options.only or [name for name, case in CASES.items() if not case.large]
    names = [name for name in CASES if any(part in name for part in wanted)]
    prepare(options, [CASES[name] for name in names])
    for name in names:
        rows = compare(name, options)
        print(f"\n{name}, medians of {options.rounds}\n\n{table(rows)}", flush=True)
        if CASES[name].large:
            shutil.rmtree(options.output / "models" / CASES[name].model)


if __name__ == "__main__":
    main()
