"""One training run: the model, what its optimizer remembers, and a step."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.errors import JobError, UsageError
from tokkit.lm.processes import ALONE, Processes

Penalty = Callable[[], torch.Tensor]
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
        model: The torch model, which is called with `input_ids` and gives `logits`; those of
            its parameters that require a gradient are trained.
        schedule: How it is trained.
        context: How many tokens of a window `advance` has it foretell.
        parts: In how many passes, one after the other, a process reads its sequences of a
            step: memory is for those of one pass, the result the same up to rounding.
        processes: Who shares the sequences of a step.
        penalty: What the loss has besides the mean over all tokens; asked once in a step.
        step: How many steps it has taken.
        seconds: How long they took.
        losses: The mean loss of each, in nats per token, without the penalty.
        penalties: The penalty of each.
    """

    model: Any
    schedule: Schedule
    context: int
    parts: int = 1
    processes: Processes = ALONE
    penalty: Penalty | None = None
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    penalties: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model.train()
        self.trained = [each for each in self.model.parameters() if each.requires_grad]
        matrices = [each for each in self.trained if each.dim() > 1]
        others = [each for each in self.trained if each.dim() <= 1]
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
            inputs: What the model reads, ``int64[batch, length]``; of several processes each
                is given all, and takes its share.
            targets: What it is to foretell at each place, ``int64[batch, length]``; `IGNORED`
                where that does not matter.

        Raises:
            JobError: If the loss is not a number any more.
        """
        rank, count = self.processes.rank, self.processes.count
        shares = (np.array_split(each[rank::count], self.parts) for each in (inputs, targets))
        wanted = int((targets != IGNORED).sum())
        parts = zip(*shares, strict=True)
        losses = [self._learn(read, own, wanted) for read, own in parts if len(read)]
        self.losses.append(self.processes.sum(sum(losses)))
        if not math.isfinite(self.losses[-1]):
            raise JobError(
                f"the loss of step {self.step} is not a number: lower the learning rate "
                f"({self.schedule.rate})"
            )
        if self.penalty is not None:
            extra: Any = self.penalty()
            self.penalties.append(extra.item())
            extra.backward()
        self.processes.average(self.trained)
        torch.nn.utils.clip_grad_norm_(self.trained, self.schedule.clip)
        for group in self._optimizer.param_groups:
            group["lr"] = self.schedule.rate_at(self.step)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.step += 1

    def _learn(
        self, inputs: NDArray[np.int64], targets: NDArray[np.int64], wanted: int
    ) -> float:
        """Add the gradient of some sequences, which have a share of the targets of the step.

        Returns:
            What they add to the mean loss over all of the step's targets.
        """
        read, own = (torch.from_numpy(each).to(self._device) for each in (inputs, targets))
        amp = self.schedule.precision == "bfloat16"
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=amp):
            logits = self.model(input_ids=read, use_cache=False).logits
        # Typed as anything: `backward` has no types.
        loss: Any = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), own.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        loss = loss / wanted
        # Gradients are averaged over the processes, each of which has a part of the mean.
        (loss * self.processes.count).backward()
        found: float = loss.item()
        return found

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
            "model": {
                name: each.detach()
                for name, each in self.model.named_parameters()
                if each.requires_grad
            },
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
            "penalties": self.penalties,
        }
        torch.save(state, place)
        os.replace(place, path)

    def restore(self, path: Path) -> None:
        """Go back to what `keep` wrote."""
        state = torch.load(path, map_location=self._device, weights_only=True)
        self.model.load_state_dict(state["model"], strict=False)
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self.seconds = state["seconds"]
        self.losses = state["losses"]
        self.penalties = state["penalties"]
