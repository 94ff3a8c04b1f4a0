"""What runs the new model in its folder: calibrating, tuning, measuring, as was asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.lm.hf import HFModel
from tokkit.transplant.context import Progress
from tokkit.transplant.preparing import Prepared
from tokkit.transplant.running.calibrate import calibrate
from tokkit.transplant.running.evaluate import Evaluation, evaluate
from tokkit.transplant.running.tune import tune

Patch = tuple[str, NDArray[np.integer[Any]], NDArray[Any]]
"""A tensor, which of its rows, and what they become."""


@dataclass(frozen=True)
class Running:
    """A transplanted model in its folder, and what was asked for.

    Attributes:
        prepared: What was planned.
        folder: Where the model lies.
        device: What torch calls the device to run it on.
        progress: Told how far each step is.
    """

    prepared: Prepared
    folder: Path
    device: str
    progress: Progress

    def calibrate(self) -> tuple[list[Patch], dict[str, Any]]:
        """Fit the new rows of the head: what to change, and what to say of it."""
        options = self.prepared.options
        found = calibrate(
            self._load_moved(),
            self._guesses,
            self._documents(options.calibrate),
            by=options.calibrate_by,
            seed=options.seed,
            progress=self.progress,
        )
        names = self.prepared.embeddings
        head = self.prepared.head or names.output or names.input
        patches: list[Patch] = []
        if found.rows is not None:
            patches.append((head, found.ids, found.rows))
        if found.bias is not None and names.bias is not None:
            patches.append((names.bias, found.ids, found.bias))
        return patches, found.as_json()

    def tune(self, state: Path) -> tuple[list[Patch], dict[str, Any]]:
        """Train the new rows: what to change, and what to say of it."""
        options = self.prepared.options
        found = tune(
            self._load_moved(),
            self._guesses,
            self._documents(options.tune_corpus or options.calibrate),
            steps=options.tune,
            seed=options.seed,
            checkpoint=state,
            progress=self.progress,
        )
        names = self.prepared.embeddings
        patches: list[Patch] = [(names.input, found.ids, found.input)]
        if found.output is not None:
            patches.append((self.prepared.head or str(names.output), found.ids, found.output))
        return patches, found.as_json()

    def evaluate(self) -> Evaluation:
        """Measure the model before and after, each corpus as a slice."""
        options = self.prepared.options
        before = HFModel.load(
            self.prepared.checkpoint.folder,
            device=self.device,
            tokenizer=options.model_tokenizer,
        )
        slices: Mapping[str, Iterator[bytes]] = {
            Path(path).name: self._documents([path]) for path in options.evaluate
        }
        known = self.prepared.plan.known.tolist()
        after = self._load_moved()
        return evaluate(before, after, slices, known, seed=options.seed, progress=self.progress)

    @property
    def _guesses(self) -> NDArray[np.integer[Any]]:
        """The ids whose rows are guesses."""
        return np.flatnonzero(self.prepared.plan.halves["input"].guesses)

    def _documents(self, paths: Sequence[str]) -> Iterator[bytes]:
        return self.prepared.options.open(paths).documents()

    def _load_moved(self) -> HFModel:
        """Load the new model; without a token that begins texts, they begin after a line."""
        roles = self.prepared.translation.target_roles
        begins = any(role in roles for role in ("bos", "eos", "cls"))
        start = None if begins else "\n"
        model = HFModel.load(self.folder, device=self.device, start=start)
        model.name = "transplanted"  # not that of the folder it is written in
        return model
