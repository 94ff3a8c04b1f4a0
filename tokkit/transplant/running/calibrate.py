"""Calibrating the new rows of a head on text, with no gradient of the network.

New rows are made from rows of other tokens, which are foreseen more often or more rarely than
the new ones. What their logits lack is nearly the same everywhere, so that it can be added
along one direction: one number for all of them, or one each.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.errors import CorpusError
from tokkit.lm.hf import HFModel
from tokkit.lm.score import fitting_segments
from tokkit.transplant.context import Progress, silent
from tokkit.transplant.running.drawing import draw
from tokkit.transplant.running.head import Head, find_head
from tokkit.transplant.running.positions import Positions, collect
from tokkit.transplant.running.shifting import expect, fit_scalar, fit_tokens

By = Literal["scalar", "token"]
Found = Literal["nothing", "scalar", "token"]
POSITIONS = 12_000
"""How many positions are looked at, if nothing else is asked for."""
HELD_OUT = 5
"""One segment of this many is not fitted on."""
_BYTES = 8
"""About as many bytes per token as text can be expected to have at most."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What calibration found.

    Attributes:
        ids: The new tokens, ``int64[n]``.
        shifts: What is added to the logit of each, about, ``float32[n]``.
        rows: Their new output rows, ``float32[n, width]``; None if the bias changes instead.
        bias: Their new biases, ``float32[n]``; None if the model has none.
        by: What was fitted: ``"token"``, ``"scalar"``, or ``"nothing"`` where neither helps on
            text that was held out.
        scalar: The shift that all have in common.
        positions: How many positions were fitted on.
        bits: Bits per token held out: with nothing changed, and with what was fitted.
    """

    ids: NDArray[np.int64]
    shifts: NDArray[np.float32]
    rows: NDArray[np.float32] | None
    bias: NDArray[np.float32] | None
    by: Found
    scalar: float
    positions: int
    bits: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """Return what a report says of it, as JSON."""
        marks = np.quantile(self.shifts, [0.05, 0.5, 0.95]) if len(self.ids) else np.zeros(3)
        return {
            "by": self.by,
            "tokens": len(self.ids),
            "positions": self.positions,
            "scalar": self.scalar,
            "shifts": dict(zip(("5%", "50%", "95%"), marks.tolist(), strict=True)),
            "held_out_bits_per_token": {"before": self.bits[0], "after": self.bits[1]},
            "changed": "bias" if self.bias is not None else "rows",
        }


def calibrate(
    model: HFModel | str | Path,
    new: Sequence[int] | NDArray[np.integer[Any]],
    documents: Iterable[bytes],
    *,
    by: By = "token",
    positions: int = POSITIONS,
    seed: int = 0,
    progress: Progress = silent,
) -> Calibration:
    """Fit the output rows, or biases, of new tokens to text.

    Args:
        model: The transplanted model, or its folder; it is not changed.
        new: The ids whose rows are guesses.
        documents: Text like what the model is for.
        by: ``"scalar"``: one shift for all new tokens; ``"token"``: one for each besides.
        positions: About how many tokens of the text to look at.
        seed: Of their choice.
        progress: Told how far it is.

    Returns:
        The new rows or biases. What does not help on the part of the text that is not fitted
        on is not done.

    Raises:
        CorpusError: If there is too little text.
        ModelError: If the model's logits are more than its output embeddings times a state.
    """
    model = model if isinstance(model, HFModel) else HFModel.load(model)
    found = collect(model, _segments(model, documents, positions, seed), positions, progress)
    held = found.owners % HELD_OUT == 0
    if held.all() or not held.any():
        raise CorpusError("the text to calibrate on is too short: give several documents")
    head = find_head(model, found)
    is_new = torch.zeros(len(head.weight), dtype=torch.bool, device=found.hidden.device)
    ids = np.unique(np.asarray(new, dtype=np.int64))
    is_new[torch.from_numpy(ids).to(is_new.device)] = True
    choices = _fit(head, found.where(~held), is_new, by, progress)
    judge = found.where(held)
    nats = {name: expect(head, judge, shifts)[1] for name, shifts in choices.items()}
    best = min(choices, key=lambda name: nats[name])
    shifts = choices[best][is_new]
    return Calibration(
        ids,
        shifts.cpu().numpy(),
        *_changed(head, is_new, shifts),
        best,
        float(choices["scalar"][is_new].mean()) if len(ids) else 0.0,
        int((~held).sum()),
        (nats["nothing"] / log(2), nats[best] / log(2)),
    )


def _fit(
    head: Head, positions: Positions, is_new: torch.Tensor, by: By, progress: Progress
) -> dict[Found, torch.Tensor]:
    """Return the shifts of all ids by what they were fitted as, the simplest first."""
    choices: dict[Found, torch.Tensor] = {"nothing": torch.zeros_like(head.weight[:, 0])}
    if not is_new.any():
        return choices | {"scalar": choices["nothing"]}
    scalar = fit_scalar(head, positions, is_new)
    choices["scalar"] = is_new * scalar
    if by == "token":
        choices["token"] = fit_tokens(head, positions, is_new, scalar, progress)
    return choices


def _changed(
    head: Head, is_new: torch.Tensor, shifts: torch.Tensor
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Return the new rows or the new biases, whichever the model has."""
    if head.bias is not None:
        return None, (head.bias[is_new] + shifts).cpu().numpy()
    rows = head.weight[is_new] + torch.outer(shifts, head.direction)
    return rows.cpu().numpy(), None


def _segments(
    model: HFModel, documents: Iterable[bytes], positions: int, seed: int
) -> list[bytes]:
    """Draw text enough for as many positions, in no order."""
    drawn = draw(documents, positions * _BYTES, seed=seed)
    parts = fitting_segments(drawn.segments, [model])
    order = np.random.default_rng(seed).permutation(len(parts))
    return [parts[number] for number in order]
