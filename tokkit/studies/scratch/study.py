"""The same small decoder trained from scratch under several tokenizations."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from tokkit.lm.device import find_device
from tokkit.progress import Progress, silent
from tokkit.results import begin_folder
from tokkit.studies.scratch.plan import Plan, open_trials
from tokkit.studies.scratch.points import Record
from tokkit.studies.scratch.results import Study
from tokkit.studies.scratch.training import settings, train_all

RUNS = "runs"


def run_study(
    plan: Plan,
    folder: str | Path,
    documents: Sequence[bytes] = (),
    *,
    command: Sequence[str] = (),
    device: str = "auto",
    workers: int | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Study:
    """Train models of several tokenizations and seeds, and compare them.

    All models of a seed see the same problems in the same order. What was trained in the
    folder before, under the same settings, is not trained again: a study that was killed goes
    on from the last points of its models, and more seeds or tokenizations are added to those
    that are there. On a processor the outcome is the same bit for bit, times apart.

    Args:
        plan: What to train.
        folder: Where to write; see `Study.write`. Models are in ``runs`` until they are done.
        documents: What to learn text from, for that task.
        command: The command line, for ``summary.json``.
        device: Where to compute, such as ``"cpu"`` or ``"cuda:1"``; ``"auto"``: CUDA where
            there is some.
        workers: How many models to train at once; None: as many as there are processors, or
            one on a GPU.
        force: Whether an older study in the folder is replaced.
        progress: Told ``("training", steps done, steps of all models)``.

    Raises:
        UsageError: If the plan makes no sense, or the folder is of another study.
        CorpusError: If text is wanted, and there is not enough.
        FormatError: If there is no such tokenizer.
        JobError: If a loss is not a number any more.
    """
    folder, place = Path(folder), find_device(device)
    trials = open_trials(plan, documents)
    begin_folder(folder, force=force, resume=not force)
    if force:
        shutil.rmtree(folder / RUNS, ignore_errors=True)
    jobs = [
        (
            trial,
            Record.open(
                folder / RUNS / f"{_safe(trial.tokenization)}-{seed}",
                settings(plan, trial, seed, place),
            ),
        )
        for seed in range(plan.seeds)
        for trial in trials
    ]
    if workers is None:
        workers = (os.cpu_count() or 1) if place.type == "cpu" else 1
    train_all(plan, jobs, device=place, workers=workers, progress=progress)
    study = Study(plan, [record for _, record in jobs])
    study.write(folder, command)
    return study


def _safe(name: str) -> str:
    """Return a name that a folder may have: that of a tokenizer may be a path."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "tokenizer"
