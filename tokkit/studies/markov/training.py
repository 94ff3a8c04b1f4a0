"""A small transformer trained on the tokens of a source, with what it loses as it learns.

Losses are nats per *character*: the negative log probabilities of held-out tokens, by the
characters they spell. All dictionaries are measured on the same held-out characters.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import CorpusError, MissingExtraError
from tokkit.kernels._jit import Bytes, Ids
from tokkit.results import write_json
from tokkit.studies.markov.dictionaries import Dictionary
from tokkit.studies.markov.plan import Transformer

try:
    import torch
    import transformers  # noqa: F401
except ModuleNotFoundError as missing:
    raise MissingExtraError("torch", "torch") from missing

from tokkit.lm.device import one_thread
from tokkit.lm.train_model import Architecture, new_model
from tokkit.lm.train_run import Run, Schedule

MEASURED = 65_536
"""How many held-out characters a model is measured on."""
_AT_ONCE = 64
_POINTS, _CHECKPOINT = "points.json", "checkpoint.pt"


@dataclass(frozen=True)
class Point:
    """A model after some steps.

    Attributes:
        step: How many.
        characters: How many characters its steps were to foretell, those seen again included.
        loss: What it loses on held-out text, nats per character.
    """

    step: int
    characters: int
    loss: float


def train_on(
    dictionary: Dictionary,
    texts: tuple[Bytes, Bytes],
    plan: Transformer,
    seed: int,
    *,
    device: torch.device,
    folder: Path | None = None,
    took: Callable[[int], None],
) -> list[Point]:
    """Train a model on the tokens of a text and measure it as it learns.

    On a CPU one thread computes, which is quickest for models so small, so that results do
    not depend on how many there are.

    Args:
        dictionary: What the text is cut into.
        texts: What to learn from and what to measure on, as symbols.
        plan: How.
        seed: Of the first weights and of the choice of windows.
        device: Where to compute.
        folder: Where to keep the model while it is trained; a run that was killed goes on from
            there. None: nowhere.
        took: Told how many steps were done since it was last told.

    Returns:
        A point every so many steps, from before the first to after the last.

    Raises:
        CorpusError: If a text is shorter than a window.
        JobError: If the loss is not a number any more.
    """
    work = _Work(dictionary, texts, plan, seed, device)
    if folder is not None:
        work.go_on(folder)
    took(work.run.step)
    with one_thread():
        if not work.points:
            work.measure()
        while work.run.step < plan.steps:
            work.advance()
            if plan.is_measured(work.run.step):
                work.measure()
            took(1)
    return work.points


class _Work:
    """A run, the text it reads, and what was found so far."""

    def __init__(
        self,
        dictionary: Dictionary,
        texts: tuple[Bytes, Bytes],
        plan: Transformer,
        seed: int,
        device: torch.device,
    ) -> None:
        self._lengths, self._plan, self._seed = dictionary.lengths, plan, seed
        self._stream = dictionary.encode(texts[0])
        self._windows = _windows(dictionary.encode(texts[1][:MEASURED]), plan.context)
        if self._stream.size <= plan.context or not len(self._windows):
            raise CorpusError(
                f"the texts fill no window of {plan.context + 1} tokens: ask for more "
                "characters, or a shorter context"
            )
        self.run = _new_run(plan, len(dictionary.tokens), seed, device)
        self.points: list[Point] = []
        self._characters = 0
        self._folder: Path | None = None

    def go_on(self, folder: Path) -> None:
        """Keep everything in a folder, and take over what a run that was killed left there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        if (folder / _CHECKPOINT).is_file():
            self.run.restore(folder / _CHECKPOINT)
            # One that was killed between the two has a point that its model has not.
            kept = json.loads((folder / _POINTS).read_text(encoding="utf-8"))["points"]
            self.points = [Point(**row) for row in kept if row["step"] <= self.run.step]
            self._characters = self.points[-1].characters

    def advance(self) -> None:
        """Take a step on windows that seed and step choose."""
        plan = self._plan
        chance = np.random.default_rng([self._seed, self.run.step])
        starts = chance.integers(0, self._stream.size - plan.context, plan.batch)
        windows = self._stream[starts[:, None] + np.arange(plan.context + 1)].astype(np.int64)
        self.run.advance_on(windows[:, :-1], windows[:, 1:])
        self._characters += int(self._lengths[windows[:, 1:]].sum())

    def measure(self) -> None:
        """Add a point, and keep the model that goes on from it."""
        loss = _loss(self.run.model, self._windows) / self._lengths[self._windows[:, 1:]].sum()
        self.points.append(Point(self.run.step, self._characters, round(float(loss), 5)))
        if self._folder is not None:
            rows = [asdict(point) for point in self.points]
            write_json(self._folder / _POINTS, {"points": rows})
            self.run.keep(self._folder / _CHECKPOINT)


def _windows(stream: Ids, context: int) -> NDArray[np.int64]:
    """Cut a text into ``[n, context + 1]``: windows end in the first token of the next."""
    count = (stream.size - 1) // context
    places = np.arange(count)[:, None] * context + np.arange(context + 1)
    windows: NDArray[np.int64] = stream[places].astype(np.int64)
    return windows


def _new_run(plan: Transformer, tokens: int, seed: int, device: torch.device) -> Run:
    architecture = Architecture(
        family="gpt2",
        hidden_size=plan.hidden_size,
        layers=plan.layers,
        heads=plan.heads,
        context=plan.context,
        spread=0.02,
    )
    schedule = Schedule(
        steps=plan.steps,
        batch=plan.batch,
        rate=plan.rate,
        shape="one-cycle",
        warm_up=0.02,
        weight_decay=1e-3,
        seed=seed,
    )
    model = new_model(architecture, tokens, 0, 0, seed).to(device)
    return Run(model, schedule, plan.context)


@torch.no_grad()
def _loss(model: Any, windows: NDArray[np.int64]) -> float:
    """Add up what a model loses on the tokens of all windows, the first of each left out."""
    device = next(model.parameters()).device
    total = 0.0
    model.eval()
    for start in range(0, len(windows), _AT_ONCE):
        part = torch.from_numpy(windows[start : start + _AT_ONCE]).to(device)
        logits = model(input_ids=part[:, :-1], use_cache=False).logits
        total += torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), part[:, 1:].flatten(), reduction="sum"
        ).item()
    model.train()
    return total
