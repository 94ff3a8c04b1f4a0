"""What there is to say of a hypernetwork that was trained."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tokkit.hypernet.hypernet import Hypernet

if TYPE_CHECKING:
    from rich.console import RenderableType

_COMPARED = 4_096
"""Source tokens whose predicted rows are compared with their own, about."""


@dataclass(frozen=True)
class Trained:
    """How a hypernetwork was trained; ``hypernet.json`` says the same.

    Attributes:
        folder: Where it is.
        account: What there is to say, as JSON.
    """

    folder: str
    account: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return all of it, and the folder."""
        return {"folder": self.folder, **self.account}

    def __rich__(self) -> "RenderableType":
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        told = self.account
        title = (
            f"{self.folder}: {told['parameters']:,} parameters for {told['model']}, "
            f"{told['seconds'] / 60:.1f} minutes"
        )
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
        table.add_column("step", justify="right")
        table.add_column("held-out bits per byte", justify="right")
        for point in told["curve"]:
            table.add_row(f"{point['step']:,}", f"{point['bits_per_byte']:.4f}")
        means = ", ".join(f"{side} {each['mean']:.3f}" for side, each in told["cosine"].items())
        table.caption = f"cosine of predicted rows with the model's own: {means}"
        table.caption_justify = "left"
        return table


def compare(hypernet: Hypernet) -> dict[str, dict[str, float]]:
    """Compare predicted rows of source tokens with the model's own, by their cosines.

    Returns:
        For each side their mean, and what a twentieth of them is below.
    """
    source = hypernet.source
    ids = source.used[:: max(source.used.size // _COMPARED, 1)]
    made = hypernet.predict([source.tokenizer.vocab.tokens[each] for each in ids.tolist()])
    found = {}
    for side, matrix in zip(("input", "output"), source.matrices, strict=False):
        own = matrix[torch.from_numpy(ids).long()].float().cpu().numpy()
        rows = made.input if side == "input" else made.output
        norms = np.linalg.norm(own, axis=1) * np.linalg.norm(rows, axis=1)
        cosines = (own * rows).sum(1) / np.maximum(norms, 1e-12)
        found[side] = {
            "mean": round(float(cosines.mean()), 5),
            "lowest_twentieth": round(float(np.quantile(cosines, 0.05)), 5),
        }
    return found
