"""A growing table of byte strings and their counts."""

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import JobError
from tokkit.kernels import counts as kernels
from tokkit.kernels._jit import Bytes, Counts, Offsets, frozen

ROWS = 1 << 14
ARENA_SIZE = 1 << 16
ONCE = np.empty(0, dtype=np.int64)


class WordTable:
    """Counts byte strings; memory grows with the distinct ones.

    Example: after ``table.add(*flatten([b"b", b"a", b"b"]))``, ``table.sorted()`` holds ``a``
    once and ``b`` twice.
    """

    def __init__(self) -> None:
        self._table = np.zeros((ROWS, 3), dtype=np.uint64)
        self._arena = np.empty(ARENA_SIZE, dtype=np.uint8)
        self._rows = 0
        self._arena_used = 0

    def __len__(self) -> int:
        return self._rows

    def add(self, data: Bytes, ends: Offsets, weights: Counts = ONCE) -> None:
        """Count strings, each once or as often as its weight says.

        Args:
            data: The strings, end to end.
            ends: Where each ends.
            weights: Positive, ``int64[k]``; empty if each counts once.

        Raises:
            JobError: If a count would not fit into 63 bits.
        """
        data, ends, weights = frozen(data), frozen(ends), frozen(weights)
        state = np.array([0, self._rows, self._arena_used], dtype=np.int64)
        while True:
            code = kernels.count_strings(data, ends, weights, self._table, self._arena, state)
            self._rows, self._arena_used = int(state[1]), int(state[2])
            if code == kernels.DONE:
                return
            if code == kernels.TABLE_FULL:
                self._enlarge_table()
            elif code == kernels.ARENA_FULL:
                number = int(state[0])
                begin = int(ends[number - 1]) if number else 0
                self._enlarge_arena(int(ends[number]) - begin)
            else:
                raise JobError("a word occurs more than 2^63 - 1 times; lower the weights")

    def sorted(self) -> tuple[Bytes, Offsets, Counts]:
        """All strings in ascending order, end to end, where each ends, and their counts."""
        rows = self._table[self._table[:, kernels.COUNT] > 0]
        keys = np.empty((len(rows), 2), dtype=np.uint64)
        ends = np.empty(len(rows), dtype=np.int64)
        kernels.describe_rows(rows, self._arena, keys, ends)
        order = np.lexsort((keys[:, kernels.LOW], keys[:, kernels.HIGH]))
        rows, keys = rows[order], keys[order]
        lengths = np.diff(ends, prepend=0)[order]
        self._sort_ties(rows, keys, lengths)
        ends = np.cumsum(lengths)
        data = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
        kernels.spell_rows(rows, self._arena, ends, data)
        return data, ends, rows[:, kernels.COUNT].astype(np.int64)

    def _enlarge_table(self) -> None:
        larger = np.zeros((2 * len(self._table), 3), dtype=np.uint64)
        kernels.move_rows(self._table, larger)
        self._table = larger

    def _enlarge_arena(self, length: int) -> None:
        used = self._arena_used
        larger = np.empty(2 * used + length + ARENA_SIZE, dtype=np.uint8)
        larger[:used] = self._arena[:used]
        self._arena = larger

    def _sort_ties(
        self, rows: NDArray[np.uint64], keys: NDArray[np.uint64], lengths: Offsets
    ) -> None:
        """Sort, in place, each run of strings that agree in their first 15 bytes."""
        same = np.zeros(len(keys) + 1, dtype=np.int8)
        same[1:-1] = (keys[1:] == keys[:-1]).all(axis=1)
        firsts, lasts = (np.flatnonzero(np.diff(same) == step).tolist() for step in (1, -1))
        for first, last in zip(firsts, lasts, strict=True):
            run = slice(first, last + 1)
            strings = [self._string(row[kernels.LOW]) for row in rows[run]]
            order = sorted(range(len(strings)), key=strings.__getitem__)
            rows[run] = rows[run][order]
            lengths[run] = lengths[run][order]

    def _string(self, low: np.uint64) -> bytes:
        entry = int(low) >> 8
        begin = entry + kernels.HEADER_SIZE
        length = int.from_bytes(self._arena[entry:begin].tobytes(), "little")
        return self._arena[begin : begin + length].tobytes()
