"""Adding up what was found on batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.dynamic.measures.evaluation import ALL, Row
from tokkit.dynamic.measures.level import Level
from tokkit.dynamic.measures.measuring import (
    BITS,
    DIVERGENCE,
    FIRST_DIVERGENCE,
    FIRST_SAME,
    HALF_BITS,
    PREFIX,
    SAME,
    TOKENS,
    Floats,
    Measured,
)
from tokkit.stats import Interval, ratio_interval


@dataclass(frozen=True, eq=False)
class Group:
    """The batches of one group of texts.

    Attributes:
        batches: What was found on each.
        owners: Which document each text is from, in order, ``int64[texts]``.
    """

    batches: Sequence[Measured]
    owners: NDArray[np.int64]


def summarize(groups: Mapping[str, Group], levels: Sequence[Level], seed: int) -> list[Row]:
    """Add up what was found, for each group and level.

    Args:
        groups: By name; there is something in each.
        levels: How far batches were to be merged, the first one not at all.
        seed: Of the intervals.
    """
    found = dict(groups)
    if len(groups) > 1:
        owners, shift = [], 0
        for each in groups.values():
            owners.append(each.owners + shift)
            shift += int(each.owners.max()) + 1
        batches = [batch for each in groups.values() for batch in each.batches]
        found[ALL] = Group(batches, np.concatenate(owners))
    return [
        _row(name, group, levels, place, seed)
        for name, group in found.items()
        for place in range(len(levels))
    ]


def _row(name: str, group: Group, levels: Sequence[Level], place: int, seed: int) -> Row:
    """Add up one group at one level."""
    _, owners = np.unique(group.owners, return_inverse=True)
    sizes = np.concatenate([each.sizes for each in group.batches])
    values = np.concatenate([each.values for each in group.batches], axis=1)
    own, plain = values[place], values[0]
    n_bytes, half_bytes, first_tokens = (int(sizes[:, k].sum()) for k in (0, 4, 2))
    total = own.sum(axis=0)

    def ratio(above: Floats, below: Floats) -> Interval:
        return ratio_interval(np.bincount(owners, above), np.bincount(owners, below), seed=seed)

    made = sum(int(each.new[place]) for each in group.batches)
    return Row(
        name,
        levels[place],
        int(owners.max()) + 1,
        len(sizes),
        n_bytes,
        float(np.mean([each.merges[place] for each in group.batches])),
        made / len(group.batches),
        sum(int(each.fallbacks[place]) for each in group.batches) / max(made, 1),
        int(total[TOKENS]),
        1 - float(total[TOKENS] / plain[:, TOKENS].sum()),
        float(total[BITS]) / n_bytes,
        ratio(own[:, BITS], plain[:, BITS]),
        1 - float(total[PREFIX]) / max(first_tokens, 1),
        float(total[HALF_BITS]) / half_bytes,
        ratio(own[:, HALF_BITS], plain[:, HALF_BITS]),
        ratio(own[:, DIVERGENCE], sizes[:, 3]),
        ratio(own[:, SAME], sizes[:, 3]),
        ratio(own[:, FIRST_DIVERGENCE], np.ones(len(sizes))),
        ratio(own[:, FIRST_SAME], np.ones(len(sizes))),
    )
