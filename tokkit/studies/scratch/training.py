"""Training the models of a study, several at once, so that a killed one goes on."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from threading import Event, Lock
from typing import Any

import numpy as np
import torch

from tokkit.lm.device import one_thread
from tokkit.lm.train_model import new_model
from tokkit.lm.train_run import Run
from tokkit.progress import Progress
from tokkit.studies.scratch.plan import Plan
from tokkit.studies.scratch.points import Point, Record
from tokkit.studies.scratch.trial import Trial

_DRAWING = Lock()
"""First weights are drawn from the one generator of torch, by one thread at a time."""


class _StoppedError(Exception):
    """Another model could not be trained, or the user has had enough."""


class _Work:
    """How far all models are together; any thread may say so, or stop them all."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._over, self._lock = Event(), Lock()
        self._done, self._total, self._progress = 0, total, progress

    def done(self, steps: int) -> None:
        """Count steps.

        Raises:
            _StoppedError: If no more are wanted.
        """
        if self._over.is_set():
            raise _StoppedError
        with self._lock:
            self._done += steps
            self._progress("training", self._done, self._total)

    def stop(self) -> None:
        """Let no model take another step."""
        self._over.set()


def settings(plan: Plan, trial: Trial, seed: int, device: torch.device) -> Mapping[str, Any]:
    """Return all that the points of a model depend on, and that has no other file."""
    return {
        "task": plan.task,
        "tokenization": trial.tokenization,
        "digest": trial.digest,
        "every": plan.every,
        "schedule": asdict(plan.schedule(seed)),
        "architecture": asdict(replace(plan.architecture, context=trial.context)),
        "device": device.type,
    }


def train_all(
    plan: Plan,
    jobs: Sequence[tuple[Trial, Record]],
    *,
    device: torch.device,
    workers: int,
    progress: Progress,
) -> None:
    """Train models and keep their points.

    A model is trained by one thread, so that its weights do not depend on how many there are;
    several models are trained at the same time.

    Args:
        plan: How.
        jobs: What, and where to keep it.
        device: Where to compute.
        workers: How many models to train at once.
        progress: Told ``("training", steps done, steps of all models)``.

    Raises:
        JobError: If a loss is not a number any more.
    """
    work = _Work(len(jobs) * plan.steps, progress)
    with one_thread(), ThreadPoolExecutor(workers) as pool:
        tasks = [pool.submit(_train, plan, *job, device, work) for job in jobs]
        try:
            wait(tasks, return_when=FIRST_EXCEPTION)
        finally:
            work.stop()
            pool.shutdown(cancel_futures=True)
    errors = [task.exception() for task in tasks if not task.cancelled()]
    for error in errors:
        if error is not None and not isinstance(error, _StoppedError):
            raise error


def _train(plan: Plan, trial: Trial, record: Record, device: torch.device, work: _Work) -> None:
    """Train one model from where it is."""
    if record.is_complete:
        record.checkpoint.unlink(missing_ok=True)  # Killed before it could be.
        work.done(plan.steps)
        return
    run = _begin(plan, trial, record, device)
    work.done(run.step)
    tokens = record.points[-1].tokens if record.points else 0
    clock = time.thread_time if device.type == "cpu" else time.perf_counter
    while run.step < plan.steps:
        began = clock()
        tokens += trial.advance(run)
        run.seconds += clock() - began
        if run.step % plan.every == 0 or run.step == plan.steps:
            _measure(plan, trial, record, run, tokens)
        work.done(1)
    record.checkpoint.unlink(missing_ok=True)


def _begin(plan: Plan, trial: Trial, record: Record, device: torch.device) -> Run:
    """Return a model that knows nothing, or the one that was kept last."""
    architecture = replace(plan.architecture, context=trial.context)
    schedule = plan.schedule(record.settings["schedule"]["seed"])
    with _DRAWING:
        model = new_model(
            architecture, trial.vocab_size, trial.begins, trial.ends, schedule.seed
        )
    run = Run(model.to(device), schedule, trial.context)
    if record.checkpoint.is_file():
        run.restore(record.checkpoint)
    # A run that was killed between the two has a point that its model has not.
    record.points[:] = [each for each in record.points if each.step <= run.step]
    return run


def _measure(plan: Plan, trial: Trial, record: Record, run: Run, tokens: int) -> None:
    """Keep a point, then the model that goes on from it."""
    found = trial.measure(run.model)
    is_last = run.step == plan.steps
    since = record.points[-1].step if record.points else 0
    loss = float(np.mean(run.losses[since:]))
    seconds = round(run.seconds, 2)
    point = Point(run.step, tokens, seconds, round(loss, 4), found.value, found.counts)
    record.add(point, found.columns if is_last else None)
    if not is_last:
        run.keep(record.checkpoint)
