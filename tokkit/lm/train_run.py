"""One training run: the model, what its optimizer remembers, and a step."""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.errors import JobError, UsageError

Shape = Literal["cosine", "one-cycle", "constant"]
BETAS = (0.9, 0.95)
IGNORED = -100
"""The target of places that the loss leaves out."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How to train with AdamW.

    Attributes:
        steps: How many steps.
        batch: Windows, or other sequences, a step takes.
        rate: The highest learning rate.
        shape: What the rate does. ``cosine``: it rises linearly, then falls to zero like a
            cosine; ``constant``: it rises linearly and stays; ``one-cycle``: it rises from a
            hundredth and falls to a fifth, like cosines both (`OneCycleLR` of torch with
            ``div_factor=100, final_div_factor=0.05``).
        warm_up: In which share of the steps the rate rises.
        betas: How slowly AdamW forgets gradients, and their squares.
        weight_decay: Of matrices, not of norms.
        clip: The longest gradient that is taken as it is.
        seed: Of the first weights and of the choice of windows.
        precision: What products are computed in; the weights are always float32. bfloat16
            takes about half the time where the processor has instructions for it.
        save_every: After how many steps there is a checkpoint.
    """

    steps: int = 1000
    batch: int = 8
    rate: float = 3e-3
    shape: Shape = "cosine"
    warm_up: float = 0.05
    betas: tuple[float, float] = BETAS
    weight_decay: float = 0.1
    clip: float = 1.0
    seed: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    save_every: int = 100

    def __post_init__(self) -> None:
        """Refuse to do nothing.

        Raises:
            UsageError: If there is no step, or a step takes no window.
        """
        if self.steps < 1 or self.batch < 1:
            raise UsageError(f"{self.steps} steps of {self.batch} windows: both start at 1")

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, which count from 0."""
        if self.shape == "one-cycle":
            return self.rate * self._one_cycle(step)
        rising = max(round(self.warm_up * self.steps), 1)
        if step < rising:
            return self.rate * (step + 1) / rising
        if self.shape == "constant":
            return self.rate
        share = (step - rising) / max(self.steps - rising, 1)
        return self.rate * 0.5 * (1 + math.cos(math.pi * share))

    def _one_cycle(self, step: int) -> float:
        """Return the share of the highest rate."""
        peak, last = self.warm_up * self.steps - 1, self.steps - 1
        first, final = 1 / 100, 1 / 5
        if step <= peak:
            start, end, share = first, 1.0, step / max(peak, 1)
        else:
            start, end, share = 1.0, final, (step - peak) / max(last - peak, 1)
        return end + (start - end) * 0.5 * (1 + math.cos(math.pi * share))


@dataclass
class Run:
    """A model in training, on the device it is on.

    Attributes:
        model: The torch model, which is called with `input_ids` and gives `logits`.
        schedule: How it is trained.
        context: How many tokens of a window `advance` has it foretell.
        step: How many steps it has taken.
        seconds: How long they took.
        losses: The mean loss of each, in nats per token.
    """

    model: Any
    schedule: Schedule
    context: int
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model.train()
        matrices = [each for each in self.model.parameters() if each.dim() > 1]
        others = [each for each in self.model.parameters() if each.dim() <= 1]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": self.schedule.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=self.schedule.rate,
            betas=self.schedule.betas,
        )
        self._device = next(self.model.parameters()).device

    def advance(self, stream: NDArray[np.int32]) -> None:
        """Take one step on windows of ``stream: int32[n]``.

        Raises:
            JobError: If the loss is not a number any more.
        """
        windows = self._windows(stream)
        self.advance_on(windows[:, :-1], windows[:, 1:])

    def advance_on(self, inputs: NDArray[np.int64], targets: NDArray[np.int64]) -> None:
        """Take one step on sequences of the caller's.

        Args:
            inputs: What the model reads, ``int64[batch, length]``.
            targets: What it is to foretell at each place, ``int64[batch, length]``; `IGNORED`
                where that does not matter.

        Raises:
            JobError: If the loss is not a number any more.
        """
        read, wanted = (torch.from_numpy(each).to(self._device) for each in (inputs, targets))
        amp = self.schedule.precision == "bfloat16"
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=amp):
            logits = self.model(input_ids=read, use_cache=False).logits
        # Typed as anything: `backward` has no types.
        loss: Any = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), wanted.flatten(), ignore_index=IGNORED
        )
        self.losses.append(loss.item())
        if not math.isfinite(self.losses[-1]):
            raise JobError(
                f"the loss of step {self.step} is not a number: lower the learning rate "
                f"({self.schedule.rate})"
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.schedule.clip)
        for group in self._optimizer.param_groups:
            group["lr"] = self.schedule.rate_at(self.step)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.step += 1

    def _windows(self, stream: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the windows of this step, ``int64[batch, context + 1]``."""
        chance = np.random.default_rng([self.schedule.seed, self.step])
        starts = chance.integers(0, len(stream) - self.context, self.schedule.batch)
        places = starts[:, None] + np.arange(self.context + 1)
        windows: NDArray[np.int64] = stream[places].astype(np.int64)
        return windows

    def keep(self, path: Path) -> None:
        """Write all that the next step depends on, so that the file is whole or the last."""
        place = path.with_name(f".{path.name}")
        state = {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
        }
        torch.save(state, place)
        os.replace(place, path)

    def restore(self, path: Path) -> None:
        """Go back to what `keep` wrote."""
        state = torch.load(path, map_location=self._device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self.seconds = state["seconds"]
        self.losses = state["losses"]
