"""Rows of an embedding matrix as weighted sums of the rows of another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, Offsets

Weights = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Rows:
    """A sparse matrix, row by row: row i is the sum of ``weights[k]`` times row ``ids[k]``.

    Attributes:
        ends: Where the entries of each row end, ``int64[n]``; those of row i are
            ``ends[i - 1]:ends[i]``. A row without entries is zero.
        ids: The rows that are added up, ``int32[entries]``.
        weights: How much of each, ``float32[entries]``.

    Example: ``Rows.of([[(5, 0.5), (7, 0.5)], []])`` are half of row 5 and of row 7, and zero.
    """

    ends: Offsets
    ids: Ids
    weights: Weights

    def __len__(self) -> int:
        return int(self.ends.size)

    @classmethod
    def of(cls, rows: Sequence[Sequence[tuple[int, float]]]) -> Self:
        """Lay rows of (id, weight) end to end."""
        entries = [entry for row in rows for entry in row]
        return cls(
            np.cumsum([len(row) for row in rows], dtype=np.int64),
            np.array([number for number, _ in entries], dtype=np.int32),
            np.array([weight for _, weight in entries], dtype=np.float32),
        )

    @classmethod
    def single(cls, ids: Ids) -> Self:
        """Rows that are one other row each, ``int32[n]``."""
        return cls(
            np.arange(1, ids.size + 1, dtype=np.int64),
            ids.astype(np.int32),
            np.ones(ids.size, dtype=np.float32),
        )

    @property
    def counts(self) -> Offsets:
        """How many entries each row has, ``int64[n]``."""
        return np.diff(self.ends, prepend=0)

    @property
    def owners(self) -> Offsets:
        """The row that each entry belongs to, ``int64[entries]``."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.counts)

    def is_sound(self, limit: int) -> bool:
        """Whether the parts fit together, and every id is less than `limit`."""
        types = [each.dtype.name for each in (self.ends, self.ids, self.weights)]
        return (
            types == ["int64", "int32", "float32"]
            and bool((self.counts >= 0).all())
            and int(self.ends[-1] if self.ends.size else 0)
            == self.ids.size
            == self.weights.size
            and bool(((self.ids >= 0) & (self.ids < limit)).all())
            and bool(np.isfinite(self.weights).all())
        )

    def row(self, number: int) -> list[tuple[int, float]]:
        """Return the entries of a row as (id, weight)."""
        start = int(self.ends[number - 1]) if number else 0
        span = slice(start, int(self.ends[number]))
        return list(zip(self.ids[span].tolist(), self.weights[span].tolist(), strict=True))

    def dense(self, width: int) -> NDArray[np.float64]:
        """Return the matrix with its zeros, ``float64[n, width]``; for small ones."""
        matrix = np.zeros((len(self), width))
        np.add.at(matrix, (self.owners, self.ids), self.weights.astype(np.float64))
        return matrix


def choose(first: Rows, second: Rows, wanted: NDArray[np.bool_]) -> Rows:
    """Take the rows of `second` where they are `wanted`, those of `first` elsewhere."""
    counts = np.where(wanted, second.counts, first.counts)
    kept = ~wanted[first.owners], wanted[second.owners]
    owners = np.concatenate([first.owners[kept[0]], second.owners[kept[1]]])
    order = np.argsort(owners, kind="stable")
    ids = np.concatenate([first.ids[kept[0]], second.ids[kept[1]]])
    weights = np.concatenate([first.weights[kept[0]], second.weights[kept[1]]])
    return Rows(np.cumsum(counts), ids[order], weights[order])


NO_ROWS = Rows.of([])


def stack(parts: Sequence[Rows]) -> Rows:
    """Put rows below rows."""
    shifts = np.cumsum([0, *(part.ids.size for part in parts)])
    return Rows(
        np.concatenate(
            [np.zeros(0, np.int64), *(p.ends + s for p, s in zip(parts, shifts, strict=False))]
        ),
        np.concatenate([NO_IDS, *(part.ids for part in parts)]),
        np.concatenate([NO_WEIGHTS, *(part.weights for part in parts)]),
    )


NO_IDS = np.zeros(0, dtype=np.int32)
NO_WEIGHTS = np.zeros(0, dtype=np.float32)
