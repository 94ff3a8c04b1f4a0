"""The new rows of a model as the only thing of it that is trained."""

import hashlib
import math
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils import parametrize

from tokkit.errors import JobError
from tokkit.lm.hf import HFModel
from tokkit.lm.train_run import BETAS, Schedule

Ids = NDArray[np.int32]
_IGNORED = -100
_NN: Any = torch.nn


class _Scatter(_NN.Module):  # type: ignore[misc]
    """Puts rows of their own into a matrix that is not trained."""

    def __init__(self, weight: torch.Tensor, ids: torch.Tensor) -> None:
        super().__init__()
        self.ids = ids
        # The rows are trained in single precision whatever the model computes in.
        self.rows = torch.nn.Parameter(weight.detach()[ids].float())
        self.spread = float(weight.detach().float().square().mean().sqrt())

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight.index_copy(0, self.ids, self.rows.to(weight.dtype))


class NewRows:
    """A model whose new rows can be trained, while this is entered; then it is as before."""

    def __init__(self, model: HFModel, ids: NDArray[np.int64]) -> None:
        self.model = model
        self._modules: list[Any] = [model.model.get_input_embeddings()]
        head = model.model.get_output_embeddings()
        self.tied = head.weight is self._modules[0].weight
        self._modules.append(head)
        device = self._modules[0].weight.device
        self._ids = torch.from_numpy(ids).to(device)
        first = _Scatter(self._modules[0].weight, self._ids)
        second = first if self.tied else _Scatter(head.weight, self._ids)
        self.scatters = [first, second]
        self._trained: list[bool] = []

    @property
    def parameters(self) -> list[torch.Tensor]:
        """What is trained: one matrix of rows, or one for each side."""
        return [each.rows for each in self.scatters[: 1 if self.tied else 2]]

    def __enter__(self) -> Self:
        parameters = list(self.model.model.parameters())
        self._trained = [each.requires_grad for each in parameters]
        for each in parameters:
            each.requires_grad_(False)
        for module, scatter in zip(self._modules, self.scatters, strict=True):
            parametrize.register_parametrization(module, "weight", scatter)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for module in self._modules:
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)
        for each, trained in zip(self.model.model.parameters(), self._trained, strict=True):
            each.requires_grad_(trained)

    def values(self) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Return the rows of both sides; one only if the head is the input embedding."""
        found = [each.detach().cpu().numpy().copy() for each in self.parameters]
        return found[0], None if self.tied else found[1]

    def loss(self, texts: Sequence[Ids]) -> tuple[torch.Tensor, int]:
        """Return what texts cost in all, in nats, and how many tokens they have."""
        lead = len(self.model.start)
        width = lead + max(len(ids) for ids in texts)
        rows = np.zeros((len(texts), width), dtype=np.int64)
        wanted = np.full((len(texts), width), _IGNORED, dtype=np.int64)
        for row, target, ids in zip(rows, wanted, texts, strict=True):
            row[: lead + len(ids)] = [*self.model.start, *ids]
            target[lead : lead + len(ids)] = ids
        inputs = torch.from_numpy(rows[:, :-1]).to(self._ids.device)
        targets = torch.from_numpy(wanted[:, 1:]).to(self._ids.device)
        with parametrize.cached():
            logits = self.model.model(
                input_ids=inputs, attention_mask=torch.ones_like(inputs), use_cache=False
            ).logits
        total = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1),
            targets.flatten(),
            ignore_index=_IGNORED,
            reduction="sum",
        )
        return total, sum(len(ids) for ids in texts)

    @torch.no_grad()
    def cost(self, texts: Sequence[Ids], batch: int) -> float:
        """Return nats per token of texts."""
        found = [
            self.loss(texts[start : start + batch]) for start in range(0, len(texts), batch)
        ]
        return sum(float(nats) for nats, _ in found) / max(sum(count for _, count in found), 1)


class Training:
    """Steps of AdamW on new rows.

    Attributes:
        schedule: How to train.
        step: How many steps have been taken.
        losses: The loss of each, in nats per token.
    """

    def __init__(
        self,
        rows: NewRows,
        texts: Sequence[Ids],
        *,
        steps: int,
        batch: int,
        rate: float,
        seed: int,
    ) -> None:
        self.schedule = Schedule(steps=steps, batch=batch, rate=rate, seed=seed)
        self.step = 0
        self.losses: list[float] = []
        self._rows = rows
        self._texts = [ids for ids in texts if len(ids)]
        self._optimizer = torch.optim.AdamW(
            [{"params": [each]} for each in rows.parameters],
            lr=rate,
            betas=BETAS,
            weight_decay=0.0,
        )
        self._request = self._describe()

    def _describe(self) -> str:
        """Return a hash of all that decides how the training goes."""
        state = hashlib.blake2b(repr(self.schedule).encode(), digest_size=16)
        for rows in self._rows.parameters:
            state.update(rows.detach().cpu().numpy().tobytes())
        for ids in self._texts:
            state.update(ids.tobytes())
        return state.hexdigest()

    def advance(self) -> None:
        """Take one step.

        Raises:
            JobError: If the loss is not a number any more.
        """
        nats, count = self._rows.loss(self._batch())
        loss: Any = nats / count
        self.losses.append(loss.item())
        if not math.isfinite(self.losses[-1]):
            raise JobError(
                f"the loss of step {self.step} is not a number: the model overflows in this "
                "dtype, or its weights are damaged"
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._rows.parameters, self.schedule.clip)
        rate = self.schedule.rate_at(self.step)
        for group, scatter in zip(
            self._optimizer.param_groups, self._rows.scatters, strict=False
        ):
            group["lr"] = rate * scatter.spread
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.step += 1

    def _batch(self) -> list[Ids]:
        """Return the texts of this step: all have their turn before one has the next."""
        size = len(self._texts)
        wanted = range(self.step * self.schedule.batch, (self.step + 1) * self.schedule.batch)
        orders = {
            turn: np.random.default_rng([self.schedule.seed, turn]).permutation(size)
            for turn in {number // size for number in wanted}
        }
        return [self._texts[orders[number // size][number % size]] for number in wanted]

    def keep(self, path: Path) -> None:
        """Write all that the next step depends on, so that the file is whole or the last."""
        place = path.with_name(f".{path.name}")
        state = {
            "request": self._request,
            "rows": [each.detach() for each in self._rows.parameters],
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "losses": self.losses,
        }
        torch.save(state, place)
        os.replace(place, path)

    def restore(self, path: Path) -> None:
        """Go back to what `keep` wrote, if it was written of the same training."""
        if not path.is_file():
            return
        state = torch.load(path, weights_only=True, map_location="cpu")
        if state["request"] != self._request:
            return
        with torch.no_grad():
            for own, kept in zip(self._rows.parameters, state["rows"], strict=True):
                own.copy_(kept)
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.losses = state["step"], state["losses"]
