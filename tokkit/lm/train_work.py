"""Taking the steps of a training run: what is kept on the way, and what interrupts it."""

import json
import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.errors import UsageError
from tokkit.lm.train_run import Run
from tokkit.progress import Progress

CHECKPOINT = "checkpoint.pt"
"""The file that a killed run goes on from."""
_REQUEST = "request.json"
_REPORTS = 20
"""How often a run says what its loss is."""
_log = logging.getLogger("tokkit")


def partial_folder(folder: Path) -> Path:
    """Return where everything lies while `folder` is being made."""
    return folder.with_name(f"{folder.name}.partial")


def take_over(place: Path, request: Mapping[str, Any]) -> None:
    """Make the folder to work in, or take over the one an earlier run left.

    Args:
        place: See `partial_folder`.
        request: All that decides what the run gives, as JSON.

    Raises:
        UsageError: If the earlier run was another one.
    """
    file = place / _REQUEST
    asked = json.loads(json.dumps(request))  # As it will be read: tuples are lists there.
    if not file.is_file():
        place.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asked, indent=1), encoding="utf-8")
        return
    before = json.loads(file.read_text(encoding="utf-8"))
    if before != asked:
        other = sorted(
            name for name in {*before, *asked} if before.get(name) != asked.get(name)
        )
        raise UsageError(
            f"{place} is of a run with other settings, tokenizer or text ({', '.join(other)} "
            "differ): ask for the same, or remove it"
        )


def work(run: Run, stream: NDArray[np.int32], checkpoint: Path, progress: Progress) -> None:
    """Take the steps that are left on windows of a stream, and keep the run now and then.

    On a CPU, and with equally many threads, one that was killed and goes on ends with the same
    weights bit for bit as one that was not.

    Args:
        run: The run; it goes on from the checkpoint if there is one.
        stream: See `Run.advance`.
        checkpoint: The file to keep it in; only the main process writes it.
        progress: Told ``("training", steps done, steps)``.

    Raises:
        JobError: If the loss is not a number any more.
        KeyboardInterrupt: As it came, when the step under way is done and kept.
    """
    schedule, is_main = run.schedule, run.processes.is_main
    if checkpoint.is_file():
        run.restore(checkpoint)
    progress("training", run.step, schedule.steps)
    with patience() as interrupts:
        while run.step < schedule.steps:
            began = time.perf_counter()
            with _own_chance(run):
                run.advance(stream)
            run.seconds += time.perf_counter() - began
            is_due = run.step % schedule.save_every == 0 and run.step < schedule.steps
            if is_main and (is_due or interrupts):
                run.keep(checkpoint)
            if interrupts:
                raise KeyboardInterrupt
            if is_main:
                _report(run)
            progress("training", run.step, schedule.steps)


def _report(run: Run) -> None:
    """Say now and then what the loss was since it was last said."""
    every = max(run.schedule.steps // _REPORTS, 1)
    if run.step % every == 0:
        loss = float(np.mean(run.losses[-every:]))
        _log.info("step %s of %s: loss %.4f", run.step, run.schedule.steps, loss)


@contextmanager
def _own_chance(run: Run) -> Iterator[None]:
    """Let what a step draws, as dropout does, depend on seed, step and process alone."""
    numbers = [run.schedule.seed, run.step, run.processes.rank]
    device = run.processes.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(np.random.default_rng(numbers).integers(1 << 62)))
        yield


@contextmanager
def patience() -> Iterator[list[int]]:
    """Give a list that Ctrl-C fills, so that a step can end; the second time it interrupts."""
    interrupts: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if interrupts:
            raise KeyboardInterrupt
        interrupts.append(number)
        _log.info("interrupted: keeping the run after this step")

    # Elsewhere interrupts come to the main thread, whatever is done here.
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


def hundredths(losses: Sequence[float]) -> list[float]:
    """Return the mean of each hundredth of losses, or all of them if they are fewer."""
    parts = np.array_split(np.asarray(losses), min(len(losses), 100)) if losses else []
    return [round(float(part.mean()), 4) for part in parts]
