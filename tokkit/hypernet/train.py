"""Training a hypernetwork for a model (arXiv 2405.07883), so that it can be moved at no cost.

While a run is under way everything lies in ``FOLDER.partial``, which becomes ``FOLDER`` at the
end. A run that was killed goes on from its last checkpoint: on a CPU, and with equally many
threads, it gives the same weights bit for bit as one that was not.
"""

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tokkit.corpus import Corpus
from tokkit.errors import UsageError
from tokkit.hypernet.account import Trained, compare
from tokkit.hypernet.backbone import Backbone
from tokkit.hypernet.batches import Batch, Batches
from tokkit.hypernet.config import PRESETS, Preset, Recipe
from tokkit.hypernet.hypernet import ACCOUNT, Hypernet
from tokkit.hypernet.network import Network
from tokkit.hypernet.running import groups, select
from tokkit.hypernet.texts import Texts, draw, split
from tokkit.hypernet.training import State, Training
from tokkit.lm.device import peak_memory
from tokkit.lm.processes import Processes, open_processes
from tokkit.lm.train_work import CHECKPOINT, partial_folder, patience, take_over
from tokkit.outputs import refuse_existing, replace_folder
from tokkit.progress import Progress, silent

_log = logging.getLogger("tokkit")
_JUDGES = 4
"""Vocabularies that held-out text is cut with."""
_JUDGED = 32
"""Texts that each of them cuts."""
_ANCHORS = 2_048
"""Source tokens that the output's scale is fitted on (``init_rescaler``)."""
_PARTS = 100
"""Means of losses that are reported."""
_JUDGE_TEXT = 7


def train_hypernet(
    model: str | Path,
    corpus: Corpus,
    folder: str | Path,
    preset: Preset = PRESETS["tiny"],
    *,
    tokenizer: str | None = None,
    start: str | None = None,
    device: str = "auto",
    force: bool = False,
    progress: Progress = silent,
) -> Trained:
    """Train a hypernetwork for a causal or masked language model.

    Args:
        model: A folder written by ``save_pretrained``, or a Hub id; it is not changed.
        corpus: Text like what the model is for.
        folder: What to write; `Hypernet.load` reads it.
        preset: The shape, and how to train it.
        tokenizer: Where the model's tokenizer is, if not in its folder.
        start: What to put before every text, if not what the model's files say.
        device: Where to compute; of several processes each has its own.
        force: Replace what an earlier training wrote.
        progress: Told ``("warming up" | "training", steps done, steps)``.

    Raises:
        UsageError: If the folder exists, or the run that was begun there was another one.
        ModelError: If the model cannot be used.
        CorpusError: If the text is missing, damaged or too short.
        JobError: If the loss is not a number any more.
    """
    place = Path(os.path.abspath(folder))
    refuse_existing(place, force=force, sign=ACCOUNT)
    processes = open_processes(device)
    backbone = Backbone.load(
        model, tokenizer=tokenizer, start=start, device=str(processes.device)
    )
    _check_sizes(backbone, preset.recipe, processes)
    if preset.recipe.precision == "float32":
        backbone.model.float()  # its weights may be stored in half precision
    progress("reading text", 0, 0)
    learned, judged = split(corpus.documents())
    job = _Job(backbone, learned, judged, preset, processes, progress)
    partial = partial_folder(place)
    if processes.is_main:
        take_over(partial, job.request(str(model)))
    processes.wait()
    with patience() as interrupts:
        state = job.run(partial / CHECKPOINT, interrupts)
    if not processes.is_main:
        return Trained(str(folder), {})
    account = job.account(str(model), state)
    result = partial / "folder"
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir()
    job.hypernet().save(result, account)
    replace_folder(result, place)
    shutil.rmtree(partial)
    return Trained(str(folder), account)


class _Job:
    """One training from beginning to end."""

    def __init__(
        self,
        backbone: Backbone,
        learned: Texts,
        judged: Texts,
        preset: Preset,
        processes: Processes,
        progress: Progress,
    ) -> None:
        self._backbone, self._progress, self._processes = backbone, progress, processes
        self._preset, self._learned, self._judged = preset, learned, judged
        recipe, source = preset.recipe, backbone.source
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            network = Network(preset.config, source)
        self._batches = Batches(
            source,
            backbone.frame,
            learned,
            recipe,
            preset.config.surface,
            (processes.rank, processes.count),
        )
        self._training = Training(network, backbone, recipe, processes)

    def request(self, model: str) -> dict[str, Any]:
        """Say what decides how the run goes, as JSON."""
        text = hashlib.blake2b(self._learned.data.tobytes(), digest_size=16)
        text.update(self._judged.data.tobytes())
        return {
            "model": model,
            "rows": self._training.network.state_dict()["mean_0"].sum().item(),
            **asdict(self._preset.config),
            **asdict(self._preset.recipe),
            "frame": asdict(self._backbone.frame),
            "tokenizer": self._backbone.source.tokenizer.digest,
            "text": text.hexdigest(),
            "processes": self._processes.count,
        }

    def run(self, checkpoint: Path, interrupts: Sequence[int]) -> State:
        """Take the steps that are left, and keep the run now and then, or when interrupted."""
        training, recipe = self._training, self._preset.recipe
        if checkpoint.is_file():
            training.restore(checkpoint)
        elif not self._preset.config.residual:
            self._fit()
        while training.state.step < recipe.warm_up_steps:
            with self._timed():
                training.warm_up(*self._batches.warm_up(training.state.step))
            self._after_step(checkpoint, interrupts, "warming up", 0, recipe.warm_up_steps)
        batches = self._batches.ahead(training.state.step, recipe.warm_up_steps + recipe.steps)
        if not training.state.curve:
            self._judge()
        for batch in batches:
            with self._timed():
                training.advance(batch)
            self._after_step(
                checkpoint, interrupts, "training", recipe.warm_up_steps, recipe.steps
            )
        return training.state

    def _after_step(
        self, checkpoint: Path, interrupts: Sequence[int], name: str, first: int, steps: int
    ) -> None:
        """Measure, keep and report what is due.

        Raises:
            KeyboardInterrupt: As it came, when the run is kept.
        """
        state, recipe = self._training.state, self._preset.recipe
        done = state.step - first
        due = recipe.judge_every and done % recipe.judge_every == 0
        if first + steps == recipe.warm_up_steps + recipe.steps and (due or done == steps):
            self._judge()
        if (interrupts or state.step % recipe.save_every == 0) and self._processes.is_main:
            self._training.keep(checkpoint)
        if interrupts:
            raise KeyboardInterrupt
        self._progress(name, done, steps)

    def _timed(self) -> "_Clock":
        return _Clock(self._training.state)

    def _judge(self) -> None:
        """Measure held-out text, and write it down."""
        training = self._training
        training.network.eval()
        found = training.judge(self._judges())
        training.network.train()
        step = training.state.step - self._preset.recipe.warm_up_steps
        _log.info("step %s of %s: %.4f bits per byte", step, self._preset.recipe.steps, found)
        training.state.curve.append({"step": step, "bits_per_byte": round(found, 5)})

    def _judges(self) -> Sequence[Batch]:
        """Return held-out text, cut with vocabularies that are not learned from."""
        recipe = self._preset.recipe
        chance = draw(recipe.seed, _JUDGE_TEXT, 0)
        size = recipe.length * 12
        return [
            self._batches.judge(number, self._judged.windows(_JUDGED, size, chance))
            for number in range(_JUDGES)
        ]

    def _fit(self) -> None:
        """Fit the scale of a network that predicts whole rows."""
        ids, pieces = self._batches.warm_up(0)
        kept = np.arange(min(_ANCHORS, ids.size))
        training = self._training
        tokens = [
            select(pieces, members[members < kept.size]).to(self._processes.device)
            for members in groups(pieces)
            if (members < kept.size).any()
        ]
        training.network.fit(training.readable, tokens)

    def hypernet(self) -> Hypernet:
        """Return what was trained."""
        return Hypernet(
            self._training.network, self._backbone.source, device=self._processes.device
        )

    def account(self, model: str, state: State) -> dict[str, Any]:
        """Say how it was trained, as JSON."""
        parameters = self._training.network.parameters()
        parts = np.array_split(np.array(state.losses), min(len(state.losses), _PARTS))
        return {
            "model": model,
            "recipe": asdict(self._preset.recipe),
            "parameters": sum(each.numel() for each in parameters),
            "text_bytes": int(self._learned.data.size),
            "held_out_bytes": int(self._judged.data.size),
            "seconds": round(state.seconds, 1),
            "processes": self._processes.count,
            "peak_memory": peak_memory(self._processes.device),
            "curve": state.curve,
            "losses": [[round(float(x), 5) for x in part.mean(0)] for part in parts],
            "cosine": compare(self.hypernet()),
        }


class _Clock:
    """Adds the time of a step to a run's."""

    def __init__(self, state: State) -> None:
        self._state = state

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._state.seconds += time.perf_counter() - self._began


def _check_sizes(backbone: Backbone, recipe: Recipe, processes: Processes) -> None:
    """Refuse texts that the model has no context for, and batches too small to share."""
    if processes.count > recipe.batch:
        raise UsageError(
            f"{processes.count} processes cannot share a batch of {recipe.batch} texts: make "
            "it larger (--batch)"
        )
    around = len(backbone.frame.before) + len(backbone.frame.after)
    if backbone.context is not None and recipe.length + around > backbone.context:
        raise UsageError(
            f"texts of {recipe.length} tokens do not fit a context of {backbone.context}: "
            "give shorter ones (--length)"
        )
