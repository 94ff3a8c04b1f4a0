"""The output side of a model by itself: from states to logits, and how to shift them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from tokkit.errors import ModelError
from tokkit.lm.hf import HFModel
from tokkit.transplant.running.positions import Positions, logits_of, states_of

RIDGE = 1e-3
"""Of the direction, relative to the mean squared number of a state."""
_PROBED = 8
"""Positions at which logits are compared with the model's own."""
_TOLERANCE = 0.1
"""How far they may differ, relative to their deviation: half precision rounds."""


@dataclass(frozen=True, eq=False)
class Head:
    """Output embeddings, and what the model does to the logits that they give.

    Attributes:
        weight: The rows, ``float32[ids, width]``.
        bias: The bias of each, ``float32[ids]``; None if the model has none.
        direction: What is added to a row to raise its logit by about one everywhere,
            ``float32[width]``; of no use where there is a bias.
        scale: Logits are multiplied by this.
        cap: Then ``cap tanh(logits / cap)`` is taken; 0: not.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None
    direction: torch.Tensor
    scale: float = 1.0
    cap: float = 0.0

    def lever(self, hidden: torch.Tensor) -> torch.Tensor:
        """How much a shift of one changes the logits at each state, ``float32[n]``."""
        if self.bias is not None:
            return torch.full(hidden.shape[:1], self.scale, device=hidden.device)
        return self.scale * (hidden @ self.direction)

    def logits(self, hidden: torch.Tensor, shifts: torch.Tensor | None = None) -> torch.Tensor:
        """Return the logits of states, ``float32[n, ids]``, with shifts: ``float32[ids]``."""
        found = hidden @ self.weight.T
        if self.bias is not None:
            found += self.bias
        if self.scale != 1:
            found *= self.scale
        if shifts is not None:
            found += torch.outer(self.lever(hidden), shifts)
        return torch.tanh(found / self.cap) * self.cap if self.cap else found

    def parts(self, positions: Positions) -> Iterator[slice]:
        """Divide positions so that the logits of a part fit into memory."""
        return positions.chunks(self.weight.shape[0])


def find_head(model: HFModel, positions: Positions) -> Head:
    """Take the head of a model, with the direction that states have in common.

    The direction u is ``argmin Σ (h·u - 1)² + λ |u|²`` over the states h of the positions.

    Raises:
        ModelError: If the model does something else to its logits.
    """
    module = model.model.get_output_embeddings()
    config = model.model.config.get_text_config()
    weight = module.weight.detach().float()
    bias = getattr(module, "bias", None)
    scale = float(getattr(config, "logit_scale", None) or 1.0)
    scale /= float(getattr(config, "logits_scaling", None) or 1.0)
    head = Head(
        weight,
        None if bias is None else bias.detach().float(),
        _direction(positions.hidden),
        scale,
        float(getattr(config, "final_logit_softcapping", None) or 0.0),
    )
    _check(model, head)
    return head


def _direction(hidden: torch.Tensor) -> torch.Tensor:
    """Solve for the direction in ``float64``."""
    square = torch.zeros(hidden.shape[1], hidden.shape[1], dtype=torch.float64)
    total = torch.zeros(hidden.shape[1], dtype=torch.float64)
    for start in range(0, len(hidden), 4096):
        states = hidden[start : start + 4096].double().cpu()
        square += states.T @ states
        total += states.sum(0)
    square += RIDGE * square.trace() / len(square) * torch.eye(len(square), dtype=torch.float64)
    found: torch.Tensor = torch.linalg.solve(square, total)
    return found.float().to(hidden.device)


def _check(model: HFModel, head: Head) -> None:
    """Compare logits with the model's own, on a few ids that mean nothing together."""
    tokens = model.tokenizer.vocab.tokens
    some = [token for token, text in enumerate(tokens) if text][:_PROBED]
    ids = torch.tensor([[*model.start, *some]])
    own = logits_of(model, ids)[0].float()
    mine = head.logits(states_of(model, ids)[0])
    if float((own - mine).abs().max()) > _TOLERANCE * float(own.std()):
        raise ModelError(
            f"{model.name}: its logits are not its output embeddings times a state, so they "
            "cannot be calibrated: leave that out (--calibrate)"
        )
