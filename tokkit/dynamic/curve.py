"""How much shorter batches get with every merge."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit.dynamic.boundaries import Boundary
from tokkit.dynamic.merging import merge_batch
from tokkit.errors import CorpusError
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas as pd

_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Curve:
    """Tokens of a corpus, batch by batch, after so many merges in each.

    Attributes:
        documents: How many texts there are.
        batches: How many batches.
        n_bytes: Bytes of all texts.
        boundary: What merges stayed within.
        lengths: Tokens of all batches together after 0, 1, 2, ... merges in each; a batch in
            which nothing is left to merge keeps its length. ``int64[most merges + 1]``.
    """

    documents: int
    batches: int
    n_bytes: int
    boundary: Boundary
    lengths: NDArray[np.int64]

    def frame(self) -> "pd.DataFrame":
        """Return one row per number of merges: ``merges``, ``tokens``, ``reduction``."""
        import pandas as pd

        merges = np.arange(self.lengths.size)
        reduction = 1 - self.lengths / self.lengths[0]
        return pd.DataFrame({"merges": merges, "tokens": self.lengths, "reduction": reduction})

    def merges_for(self, reduction: float) -> int | None:
        """Return how many merges make batches so much shorter; None if none do."""
        enough = np.flatnonzero(self.lengths <= self.lengths[0] * (1 - reduction))
        return int(enough[0]) if enough.size else None

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        shares = [tenth / 10 for tenth in range(1, 10)]
        return {
            "documents": self.documents,
            "batches": self.batches,
            "bytes": self.n_bytes,
            "boundary": self.boundary,
            "tokens": self.lengths.tolist(),
            "merges_for_reduction": {
                f"{share:.1f}": self.merges_for(share) for share in shares
            },
        }

    def __rich__(self) -> Any:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        title = (
            f"{self.documents:,} documents in {self.batches:,} batches, merged within "
            f"{self.boundary}"
        )
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
        for column in ("merges", "tokens", "reduction", "bytes per token"):
            table.add_column(column, justify="right")
        for merges in _shown(self.lengths.size - 1):
            tokens = int(self.lengths[merges])
            table.add_row(
                f"{merges:,}",
                f"{tokens:,}",
                f"{1 - tokens / self.lengths[0]:.1%}",
                f"{self.n_bytes / tokens:.2f}",
            )
        return table


def draw_curve(
    tokenizer: Tokenizer,
    documents: Iterable[bytes],
    *,
    batch_size: int = 32,
    merges: int | None = None,
    boundary: Boundary = "pretokens",
    progress: Callable[[str, int, int], None] | None = None,
) -> Curve:
    """Merge a corpus batch by batch, and add up lengths.

    Args:
        tokenizer: The tokenizer.
        documents: The texts.
        batch_size: How many of them are a batch.
        merges: How many merges at most in each; None: as many as there are.
        boundary: What merges stay within.
        progress: Told ``("merging", documents so far, 0)``.

    Raises:
        CorpusError: If the documents have no tokens.
    """
    found: list[NDArray[np.int64]] = []
    counted = n_bytes = 0
    rest = iter(documents)
    while batch := list(islice(rest, batch_size)):
        ids = tokenizer.encode_batch(batch, parse_specials=False)
        found.append(merge_batch(tokenizer, ids, merges=merges, boundary=boundary).lengths)
        counted, n_bytes = counted + len(batch), n_bytes + sum(map(len, batch))
        if progress:
            progress("merging", counted, 0)
    lengths = _add(found)
    if not lengths[0]:
        raise CorpusError("the documents have no tokens: there is nothing to merge")
    return Curve(counted, len(found), n_bytes, boundary, lengths)


def add_curves(curves: Sequence[Curve]) -> Curve:
    """Put curves of different texts, merged within the same boundary, together."""
    return Curve(
        sum(each.documents for each in curves),
        sum(each.batches for each in curves),
        sum(each.n_bytes for each in curves),
        curves[0].boundary,
        _add([each.lengths for each in curves]),
    )


def _add(found: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Add curves of different lengths; the shorter ones stay where they end."""
    total = np.zeros(max((each.size for each in found), default=1), dtype=np.int64)
    for each in found:
        total[: each.size] += each
        total[each.size :] += each[-1]
    return total


def _shown(last: int) -> list[int]:
    """Choose the numbers of merges for a table: 0, 1, 2, 5, 10, ... and the last."""
    steps = [step * 10**power for power in range(9) for step in _STEPS]
    return sorted({0, last, *(step for step in steps if step < last)})
