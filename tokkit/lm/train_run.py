"""One training run: the model, what its optimizer remembers, and a step."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from tokkit.errors import JobError, UsageError

Progress = Callable[[str, int, int], None]
BETAS = (0.9, 0.95)


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A small Llama.

    Attributes:
        hidden_size: Width; a multiple of `heads`.
        layers: Blocks of attention and feed-forward.
        heads: Heads of attention.
        context: The most tokens a sequence may have, and the length of training windows.
        tied: Whether the output uses the input's embeddings.
        spread: Standard deviation of all weights in the beginning. That of large models, 0.02,
            makes small ones learn slowly.
    """

    hidden_size: int = 192
    layers: int = 3
    heads: int = 3
    context: int = 256
    tied: bool = False
    spread: float = 0.06


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How to train: AdamW, whose rate rises linearly, then falls to zero like a cosine.

    Attributes:
        steps: How many steps.
        batch: Windows a step takes.
        rate: The highest learning rate.
        warm_up: In which share of the steps the rate rises.
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
    warm_up: float = 0.05
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
        rising = max(round(self.warm_up * self.steps), 1)
        if step < rising:
            return self.rate * (step + 1) / rising
        share = (step - rising) / max(self.steps - rising, 1)
        return self.rate * 0.5 * (1 + math.cos(math.pi * share))


def new_model(
    architecture: Architecture, vocab_size: int, begins: int, ends: int, seed: int
) -> Any:
    """Return a model that knows nothing, its weights drawn with `seed`.

    Raises:
        UsageError: If the heads do not share the width evenly.
    """
    if architecture.hidden_size % (2 * architecture.heads):
        raise UsageError(
            f"{architecture.heads} heads cannot share a width of {architecture.hidden_size}: "
            "it has to be a multiple of twice their number"
        )
    config = transformers.LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=architecture.hidden_size,
        # Of the usual 8/3 of the width, the next multiple of 64.
        intermediate_size=-(-architecture.hidden_size * 8 // (3 * 64)) * 64,
        num_hidden_layers=architecture.layers,
        num_attention_heads=architecture.heads,
        num_key_value_heads=architecture.heads,
        max_position_embeddings=architecture.context,
        tie_word_embeddings=architecture.tied,
        initializer_range=architecture.spread,
        bos_token_id=begins,
        eos_token_id=ends,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers.LlamaForCausalLM(config)


@dataclass
class Run:
    """A model in training.

    Attributes:
        model: The torch model.
        schedule: How it is trained.
        context: How many tokens of a window it is to foretell.
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
            betas=BETAS,
        )

    def advance(self, stream: NDArray[np.int32]) -> None:
        """Take one step on windows of ``stream: int32[n]``.

        Raises:
            JobError: If the loss is not a number any more.
        """
        windows = torch.from_numpy(self._windows(stream))
        amp = self.schedule.precision == "bfloat16"
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=amp):
            logits = self.model(input_ids=windows[:, :-1], use_cache=False).logits
        # Typed as anything: `backward` has no types.
        loss: Any = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), windows[:, 1:].flatten()
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
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self.seconds = state["seconds"]
        self.losses = state["losses"]
