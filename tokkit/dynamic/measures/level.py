"""How far a batch is merged."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokkit.dynamic.boundaries import Boundary
from tokkit.dynamic.merging import Merged, merge_batch
from tokkit.kernels._jit import Ids
from tokkit.tokenizer import Tokenizer


@dataclass(frozen=True)
class Level:
    """How far a batch is merged: by a share, or so many times.

    Attributes:
        reduction: By which share it becomes shorter.
        merges: How many merges there are at most, if no reduction is asked for.
    """

    reduction: float = 0.0
    merges: int | None = None

    def __str__(self) -> str:
        return f"{self.reduction:.0%}" if self.merges is None else f"{self.merges:,}"

    def merge(
        self, tokenizer: Tokenizer, sequences: Sequence[Ids], boundary: Boundary
    ) -> Merged:
        """Merge a batch so far."""
        reduction = self.reduction if self.merges is None else None
        return merge_batch(
            tokenizer,
            sequences,
            merges=self.merges,
            reduction=reduction,
            boundary=boundary,
        )
