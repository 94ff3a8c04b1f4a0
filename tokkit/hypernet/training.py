"""One training run of a hypernetwork: what its optimizer remembers, and a step."""

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from tokkit.errors import JobError
from tokkit.hypernet.backbone import Backbone
from tokkit.hypernet.batches import Batch, Sequences, specials
from tokkit.hypernet.config import Recipe
from tokkit.hypernet.losses import IGNORED, identity_loss, language_loss, lexical_loss
from tokkit.hypernet.network import Network, Readable
from tokkit.hypernet.pieces import Pieces
from tokkit.hypernet.running import run
from tokkit.lm.processes import Processes
from tokkit.lm.train_run import BETAS

LOWEST = 0.1
"""To which share the learning rate falls."""


@dataclass
class State:
    """How far a run has come.

    Attributes:
        step: Steps taken, those of the warm-up among them.
        seconds: How long they took.
        losses: Of each step with the language model its loss, in nats per token, and the
            lexical loss; of each step before, 0 and the identity loss.
        curve: Bits per byte of held-out text by step.
    """

    step: int = 0
    seconds: float = 0.0
    losses: list[tuple[float, float]] = field(default_factory=list)
    curve: list[dict[str, float]] = field(default_factory=list)


class Training:
    """Steps of AdamW on a hypernetwork, beside a language model that stays as it is."""

    def __init__(
        self, network: Network, backbone: Backbone, recipe: Recipe, processes: Processes
    ) -> None:
        self.network = network.to(processes.device).train()
        self.backbone = backbone
        self.recipe = recipe
        self.state = State()
        self.readable = Readable(backbone.source, processes.device)
        self._processes = processes
        self._specials = torch.tensor(specials(backbone.frame), device=processes.device)
        matrices = [each for each in network.parameters() if each.dim() > 1]
        others = [each for each in network.parameters() if each.dim() <= 1]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": recipe.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=recipe.rate,
            betas=BETAS,
        )

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step; each of the two phases has its own curve."""
        recipe = self.recipe
        steps, rate = recipe.steps, recipe.rate
        if step < recipe.warm_up_steps:
            steps, rate = recipe.warm_up_steps, recipe.warm_up_rate
        else:
            step -= recipe.warm_up_steps
        rising = max(round(recipe.rising * steps), 1)
        if step < rising:
            return rate * (step + 1) / rising
        share = (step - rising) / max(steps - rising, 1)
        return rate * (LOWEST + (1 - LOWEST) * 0.5 * (1 + math.cos(math.pi * share)))

    def warm_up(self, ids: Any, pieces: Pieces) -> None:
        """Take a step that only learns the source's own rows.

        Args:
            ids: Source tokens, ``int64[n]``.
            pieces: What spells them.
        """
        with self._precision():
            made = self._run(pieces)
        loss = identity_loss(made, self._own(ids))
        _backward(loss)
        self._finish(0.0, float(loss.detach()))

    def advance(self, batch: Batch) -> None:
        """Take a step with the language model, and count it.

        Raises:
            JobError: If the loss is not a number any more.
        """
        with self._precision():
            rows = self.rows(batch)
            made = self._run(batch.lexical) if batch.lexical_ids.size else []
        # The language model's graph is freed text by text; only rows keep theirs.
        leaves = [each.detach().requires_grad_() for each in rows]
        nats, share = 0.0, self._share(batch)
        for each in batch.sequences:
            loss = share * language_loss(self.logits(each, leaves), self._tensor(each.wanted))
            _backward(loss)
            nats += float(loss.detach())
        ends, grads = list(rows), [each.grad for each in leaves]
        lexical = 0.0
        if made:
            distance = lexical_loss(made, self._own(batch.lexical_ids))
            lexical = float(distance.detach())
            ends.append(self.recipe.lexical_weight * distance)
            grads.append(None)
        torch.autograd.backward(ends, grads)
        self._finish(nats, lexical)

    def _share(self, batch: Batch) -> float:
        """Return what a token's loss counts for: as much as any other's of all processes.

        Gradients are averaged over these, whose texts may differ in length. A few texts of a
        masked model may have nothing to foretell.
        """
        wanted = sum(int((each.wanted != IGNORED).sum()) for each in batch.sequences)
        return self._processes.count / max(self._processes.sum(wanted), 1)

    def rows(self, batch: Batch) -> list[torch.Tensor]:
        """Return the matrices of a vocabulary: special tokens, then the others in order.

        Those the source has are its rows (unless a recipe predicts them too), all others are
        predicted.
        """
        predicted = self._run(batch.pieces)
        places = torch.empty(batch.size, dtype=torch.long, device=self._processes.device)
        known, new = self._tensor(batch.known), self._tensor(batch.new)
        places[known] = torch.arange(known.numel(), device=places.device)
        places[new] = torch.arange(new.numel(), device=places.device) + known.numel()
        ids = self._tensor(batch.known_ids)
        return [
            torch.cat(
                [
                    self.readable.target(number, self._specials),
                    torch.cat([self.readable.target(number, ids), made])[places],
                ]
            )
            for number, made in enumerate(predicted)
        ]

    def logits(self, sequences: Sequences, rows: Sequence[torch.Tensor]) -> torch.Tensor:
        """Run the language model on texts, ``float[batch, length, vocab]``."""
        hidden = self.backbone.source.hidden
        bias = None if self.backbone.source.bias is None else rows[-1][:, hidden]
        sides = [each[:, :hidden] for each in rows]
        if bias is not None and len(sides) == 1:
            sides = [sides[0].contiguous()]
        with self._precision():
            return self.backbone.logits(
                self._tensor(sequences.ids), sides, bias, self._tensor(sequences.mask)
            )

    @torch.no_grad()
    def judge(self, batches: Sequence[Batch]) -> float:
        """Measure held-out text cut with vocabularies of its own.

        Returns:
            Bits per byte of what is foretold.
        """
        nats = n_bytes = 0.0
        for batch in batches:
            with self._precision():
                rows = self.rows(batch)
            for each in batch.sequences:
                wanted = self._tensor(each.wanted)
                nats += float(language_loss(self.logits(each, rows), wanted))
                n_bytes += each.n_bytes
        return nats / n_bytes / math.log(2)

    def _run(self, pieces: Pieces) -> list[torch.Tensor]:
        return run(self.network, self.readable, pieces, checkpointing=self.recipe.checkpointing)

    def _own(self, ids: Any) -> list[torch.Tensor]:
        """Return the source's rows of tokens, without the bias."""
        numbers = self._tensor(ids)
        return [matrix[numbers].float() for matrix in self.readable.matrices]

    def _tensor(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array).to(self._processes.device)

    def _precision(self) -> Any:
        """Compute products as the recipe says."""
        enabled = self.recipe.precision == "bfloat16"
        return torch.autocast(
            self._processes.device.type, dtype=torch.bfloat16, enabled=enabled
        )

    def _finish(self, nats: float, lexical: float) -> None:
        """Let the optimizer take its step."""
        if not math.isfinite(nats + lexical):
            raise JobError(
                f"the loss of step {self.state.step} is not a number: lower the learning rate "
                f"({self.recipe.rate})"
            )
        self._processes.average(self.network.parameters())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        for group in self._optimizer.param_groups:
            group["lr"] = self.rate_at(self.state.step)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.state.step += 1
        self.state.losses.append((nats, lexical))

    def keep(self, path: Path) -> None:
        """Write all that the next step depends on, so that the file is whole or the last."""
        place = path.with_name(f".{path.name}")
        state = {
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "state": asdict(self.state),
        }
        torch.save(state, place)
        os.replace(place, path)

    def restore(self, path: Path) -> None:
        """Go back to what `keep` wrote."""
        found = torch.load(path, map_location=self._processes.device, weights_only=True)
        self.network.load_state_dict(found["network"])
        self._optimizer.load_state_dict(found["optimizer"])
        self.state = State(**found["state"])


def _backward(loss: Any) -> None:
    loss.backward()
