"""Words and how often each occurs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from tokkit.kernels._jit import Bytes, Counts, Offsets
from tokkit.vocab import flatten
from tokkit.words.table import WordTable


@dataclass(frozen=True, eq=False)
class WordCounts:
    """Words in ascending order of their bytes, and how often each occurs.

    Attributes:
        data: The words end to end, ``uint8[n]``.
        ends: Where each ends, ``int64[k]``.
        counts: How often each occurs, ``int64[k]``, positive.
        metadata: How they were made: ``pattern`` (its name), ``regex``, ``digits``, ``engine``
            and the versions ``unicode`` and ``tokkit``; and of what: ``digest``, ``documents``,
            ``bytes`` and ``skipped`` (see `tokkit.corpus.Tally`).
    """

    data: Bytes
    ends: Offsets
    counts: Counts
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ends)

    def words(self) -> Iterator[bytes]:
        """The words one by one."""
        data = self.data.tobytes()
        begin = 0
        for end in self.ends.tolist():
            yield data[begin:end]
            begin = end

    def to_dict(self) -> dict[bytes, int]:
        """The count of each word."""
        return dict(zip(self.words(), self.counts.tolist(), strict=True))


def from_words(
    counts: Mapping[bytes, int], metadata: Mapping[str, str] | None = None
) -> WordCounts:
    """Make word counts of words counted elsewhere.

    Example: ``from_words({b"b": 2, b"a": 1}).counts`` is ``[1, 2]``.

    Raises:
        JobError: If a count is not between 1 and 2^63 - 1.
    """
    data, ends = flatten(list(counts))
    weights = np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
    table = WordTable()
    table.add(data, ends, weights)
    return WordCounts(*table.sorted(), dict(metadata or {}))
