"""Applying one half of a plan to a matrix: blocks of target rows, on a processor or a GPU."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import ModelError, UsageError
from tokkit.kernels._jit import Ids, frozen
from tokkit.kernels.rows import square_words, sum_rows, sum_words
from tokkit.transplant.context import MEAN_ROW, PADDING_ROW, Side
from tokkit.transplant.noise import gaussian
from tokkit.transplant.plan import Half, Plan, show
from tokkit.transplant.rows import Rows
from tokkit.weights.encoding import Values, dtype_of, encode

BLOCK = 1 << 18
"""Numbers that are computed at once."""
Predict = Callable[[Ids], NDArray[np.float32]]
"""Gives the rows that a hypernetwork predicts for some target ids, ``float32[n, width]``."""


class Summer(Protocol):
    """Adds up the rows of a matrix."""

    def sums(self, rows: Rows, first: int, count: int) -> NDArray[np.float64]:
        """Return the rows ``first`` to ``first + count - 1``, ``float64[count, width]``."""
        ...


@dataclass(eq=False)
class Matrix:
    """The matrix of one side of a model, and what a plan makes of it.

    Attributes:
        plan: The plan.
        side: Which side it is.
        values: The source's rows, ``[source rows, width]``.
        device: Where to add up: ``"cpu"``, or what torch calls a device.
        predict: Gives the rows that the plan leaves to a hypernetwork.
    """

    plan: Plan
    side: Side
    values: Values
    device: str = "cpu"
    predict: Predict | None = None

    def __post_init__(self) -> None:
        if self.values.shape[0] < self.plan.least_rows:
            raise ModelError(
                f"the model has {self.values.shape[0]} rows, but its tokenizer has the id "
                f"{self.plan.least_rows - 1}: name the tokenizer it was trained with"
            )
        if self.predict is None and self.half.predicted.size:
            raise UsageError(
                f"a hypernetwork predicts the {self.side} rows of this plan: name its folder "
                "with --hypernet"
            )
        self.values = frozen(self.values)

    @property
    def half(self) -> Half:
        """What the plan says for this side."""
        return self.plan.halves[self.side]

    def blocks(self, rows: int, dtype: str, block: int | None = None) -> Iterator[Values]:
        """Give the target's rows in order.

        Rows that are another one are copied bit for bit unless the dtype changes.

        Args:
            rows: How many there are to be; those behind the target's ids are padding, or the
                source's own where both vocabularies are the same.
            dtype: ``"BF16"``, ``"F16"``, ``"F32"`` or ``"F64"``.
            block: How many are computed at once; None: a few megabytes.
        """
        block = block or max(1, BLOCK // self.values.shape[1])
        half, known = self._extended(rows)
        plain = half.rows.counts == 1
        same_dtype = dtype_of(self.values) == dtype
        for first in range(0, rows, block):
            count = min(block, rows - first)
            sums = self._summer.sums(half.rows, first, count)
            self._put_predicted(first, sums)
            self._add_noise(half, first, sums)
            found = encode(sums, dtype)
            if same_dtype:
                here = np.flatnonzero(plain[first : first + count]) + first
                ids = half.rows.ids[half.rows.ends[here] - 1]
                exact = (ids < known) & (half.rows.weights[half.rows.ends[here] - 1] == 1)
                exact &= half.noise[here] == 0
                found[here[exact] - first] = self.values[ids[exact]]
            yield found

    def _extended(self, rows: int) -> tuple[Half, int]:
        """Add rows behind the target's ids; return the first id that is a virtual row too."""
        half = self.half
        size = len(half.rows)
        first_virtual = len(self.plan.source)
        if rows < size:
            raise ModelError(f"{rows} rows are too few for a vocabulary of {size} tokens")
        extra = np.full(rows - size, first_virtual + PADDING_ROW, dtype=np.int32)
        known = first_virtual
        if self.plan.is_identity:
            own = min(rows, self.values.shape[0])
            return self._as_it_is(rows, own), self.values.shape[0]
        more = Rows.single(extra)
        ends = np.concatenate([half.rows.ends, more.ends + half.rows.ids.size])
        stacked = Rows(
            ends,
            np.concatenate([half.rows.ids, more.ids]),
            np.concatenate([half.rows.weights, more.weights]),
        )
        noise = np.concatenate([half.noise, np.zeros(extra.size, dtype=np.float32)])
        return Half(half.method, stacked, half.virtual, noise, half.origins), known

    def _as_it_is(self, rows: int, own: int) -> Half:
        """Every row of the source in its place, and padding behind."""
        half = self.half
        ids = np.arange(rows, dtype=np.int32)
        ids[own:] = self.values.shape[0] + PADDING_ROW
        noise = np.zeros(rows, dtype=np.float32)
        return Half(half.method, Rows.single(ids), half.virtual, noise, half.origins)

    @cached_property
    def _first_virtual(self) -> int:
        return self.values.shape[0] if self.plan.is_identity else len(self.plan.source)

    @cached_property
    def virtual(self) -> NDArray[np.float64]:
        """The virtual rows, ``float64[k, width]``."""
        width = self.values.shape[1]
        none = np.zeros((0, width))
        rows = self.half.virtual
        return _Processor(self.values, none, self._first_virtual).sums(rows, 0, len(rows))

    @cached_property
    def _summer(self) -> Summer:
        if self.device == "cpu":
            return _Processor(self.values, self.virtual, self._first_virtual)
        from tokkit.transplant.on_device import DeviceSummer

        return DeviceSummer(self.values, self.virtual, self._first_virtual, self.device)

    def _put_predicted(self, first: int, sums: NDArray[np.float64]) -> None:
        """Ask for the rows of a block that are predicted."""
        start, stop = np.searchsorted(self.half.predicted, (first, first + len(sums)))
        wanted = self.half.predicted[start:stop]
        if wanted.size and self.predict is not None:
            sums[wanted - first] = self.predict(wanted)

    def _add_noise(self, half: Half, first: int, sums: NDArray[np.float64]) -> None:
        """Add the noise of a block of rows, in the deviations of each dimension."""
        wanted = np.flatnonzero(half.noise[first : first + len(sums)])
        if not wanted.size:
            return
        numbers = (wanted + first).tolist()
        vocab = self.plan.target
        names = [vocab.tokens[i] or show(vocab, i).encode() for i in numbers]
        drawn = gaussian(self.plan.seed, self.side, names, sums.shape[1])
        sums[wanted] += half.noise[wanted + first, None] * drawn * self._deviations

    @cached_property
    def _deviations(self) -> NDArray[np.float64]:
        """The standard deviation of each dimension of the source's rows, ``float64[width]``."""
        ends = self.half.virtual.ends
        used = frozen(self.half.virtual.ids[: ends[MEAN_ROW]])
        centre = self.virtual[MEAN_ROW]
        squares = np.zeros(self.values.shape[1])
        if self.values.dtype == np.uint16:
            square_words(self.values, used, frozen(centre), squares)
        else:
            step = max(1, BLOCK // squares.size)
            for start in range(0, used.size, step):
                part = self.values[used[start : start + step]].astype(np.float64)
                squares += ((part - centre) ** 2).sum(axis=0)
        deviations: NDArray[np.float64] = np.sqrt(squares / used.size)
        return deviations


class _Processor:
    """Adds up rows with Numba kernels."""

    def __init__(
        self, values: Values, virtual: NDArray[np.float64], first_virtual: int
    ) -> None:
        self._values = values
        self._virtual = frozen(virtual)
        self._first_virtual = first_virtual

    def sums(self, rows: Rows, first: int, count: int) -> NDArray[np.float64]:
        sums = np.empty((count, self._values.shape[1]))
        ends, ids, weights = frozen(rows.ends), frozen(rows.ids), frozen(rows.weights)
        rest = (frozen(self._virtual), self._first_virtual, sums)
        if self._values.dtype == np.uint16:
            sum_words(ends, ids, weights, first, self._values, *rest)
        elif self._values.dtype == np.float16:
            start = int(ends[first - 1]) if first else 0
            values, own = self._widen(ids[start : ends[first + count - 1]])
            moved = ends[first : first + count] - start
            sum_rows(frozen(moved), frozen(own), weights[start:], 0, frozen(values), *rest)
        else:
            sum_rows(ends, ids, weights, first, self._values, *rest)
        return sums

    def _widen(self, ids: Ids) -> tuple[NDArray[np.float32], Ids]:
        """Take the rows that are asked for in ``float32``, and number them anew."""
        is_real = ids < self._first_virtual
        wanted, places = np.unique(ids[is_real], return_inverse=True)
        own = ids.copy()
        own[is_real] = places
        return self._values[wanted].astype(np.float32), own
