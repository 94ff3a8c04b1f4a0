"""Weighted sums of rows on a device of torch."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.transplant.rows import Rows

_NUMBERS = 1 << 26
"""Numbers that are gathered at once."""


class DeviceSummer:
    """Adds up rows on a device, in an order that does not depend on it.

    Args:
        values: The source's rows; bfloat16 as its bits.
        virtual: The virtual rows, ``float64[k, width]``.
        first_virtual: The id of the first of them.
        device: What torch calls the device.
    """

    def __init__(
        self,
        values: NDArray[Any],
        virtual: NDArray[np.float64],
        first_virtual: int,
        device: str,
    ) -> None:
        self._device = torch.device(device)
        # torch has no read-only arrays, and is never asked to write to this one.
        held = values.view(np.int16) if values.dtype == np.uint16 else values
        tensor = torch.from_numpy(np.require(held, requirements="W"))
        if values.dtype == np.uint16:
            tensor = tensor.view(torch.bfloat16)
        self._values = tensor.to(self._device)
        self._virtual = torch.from_numpy(virtual.copy()).to(self._device)
        self._first_virtual = first_virtual

    def sums(self, rows: Rows, first: int, count: int) -> NDArray[np.float64]:
        """Return the rows ``first`` to ``first + count - 1``, ``float64[count, width]``."""
        width = self._values.shape[1]
        sums = np.zeros((count, width))
        counts = rows.counts[first : first + count]
        # Rows with as many entries as each other make one rectangular gather.
        for entries in np.unique(counts[counts > 0]).tolist():
            numbers = np.flatnonzero(counts == entries)
            step = max(1, _NUMBERS // (entries * width))
            for start in range(0, numbers.size, step):
                part = numbers[start : start + step]
                places = rows.ends[part + first, None] - entries + np.arange(entries)
                sums[part] = self._gather(rows.ids[places], rows.weights[places])
        return sums

    def _gather(
        self, ids: NDArray[np.int32], weights: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Return ``Σ_k weights[i, k] · row(ids[i, k])``, ``float64[n, width]``."""
        numbers = torch.from_numpy(ids.astype(np.int64)).to(self._device)
        shares = torch.from_numpy(weights.astype(np.float64)).to(self._device)
        is_virtual = numbers >= self._first_virtual
        found = self._values[numbers.masked_fill(is_virtual, 0)].double()
        if is_virtual.any():
            found[is_virtual] = self._virtual[numbers[is_virtual] - self._first_virtual]
        result: NDArray[np.float64] = (found * shares[..., None]).sum(dim=1).cpu().numpy()
        return result
