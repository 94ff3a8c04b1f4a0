"""Run comparisons: ``python -m benchmarks train_bpe encode --rounds 3``."""

import argparse
from pathlib import Path

from benchmarks import corpus, pair

TASKS = ("train_bpe", "train_superbpe", "train_lib", "encode", "longest_match", "analyze")


def main() -> None:
    """Parse the command line, run, and print a table per task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="implementations to run")
    parser.add_argument("--corpus", type=Path, default=corpus.DEFAULT)
    options = parser.parse_args()
    path = corpus.build(options.corpus)
    for task in options.tasks or TASKS:
        rows = pair.compare(task, path, options.rounds, options.only)
        print(f"\n{task} ({path.stat().st_size / 1e6:.1f} MB, medians of {options.rounds})\n")
        print(pair.table(rows), flush=True)


if __name__ == "__main__":
    main()
