"""What may come next after a text: sums over everything that spells it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.cover import NEG_INF, Head, Strand, add_logs
from tokkit.byteprobs.engine import Engine
from tokkit.byteprobs.results import END, ByteLogprobs, Leaks
from tokkit.errors import ImpossibleError
from tokkit.kernels.marginals import spread
from tokkit.token_table import Node


class Outcomes(NamedTuple):
    """What a cover says.

    Attributes:
        logprobs: Log probabilities of the next byte and of the end, ``float64[257]``.
        logp: The log probability of a text that begins with what there is.
        shares: The share of each strand in what may come next.
    """

    logprobs: ByteLogprobs
    logp: float
    shares: NDArray[np.float64]


def find_outcomes(engine: Engine, cover: Sequence[Strand], root: Head | None) -> Outcomes:
    """Sum over a cover whose heads have all been weighed.

    Args:
        engine: The model and the definition.
        cover: All that spells the text.
        root: The empty sequence, if no byte of the text was given yet although the tokenizer
            put something before it: only here can such a text end.

    Raises:
        ImpossibleError: If all of it has probability 0.
    """
    weights = np.array([strand.head.logw - _log_norm(strand.head) for strand in cover])
    own = np.stack([spread_strand(engine, head, node) for head, node in cover])
    if root is not None and root.masses is not None:
        weights = np.append(weights, root.logw - _log_norm(root))
        own = np.vstack([own, np.zeros(END + 1)])
        own[-1, END] = root.masses.end
    scale = weights.max()
    masses = np.exp(weights - scale if scale > NEG_INF else weights)[:, None] * own
    sums = masses.sum(axis=0)
    total = sums.sum()
    if not total > 0:
        raise ImpossibleError("the model gives the text no probability at all")
    with np.errstate(divide="ignore"):
        logprobs = np.log(sums) - np.log(total)
        reached = np.log(own.sum(axis=1)) + weights
    # What ends here counts as it is; what goes on, as far as it goes on.
    logs = [
        reached[place] if strand.node.depth else strand.head.logw
        for place, strand in enumerate(cover)
    ]
    return Outcomes(logprobs, add_logs(logs), masses.sum(axis=1)[: len(cover)] / total)


def find_logp(engine: Engine, cover: Sequence[Strand]) -> float | None:
    """Return the log probability of the text; None if that takes asking the model first.

    Heads that end with the text need not have been weighed themselves.
    """
    logs = []
    for head, node in cover:
        if node.depth and head.masses is None:
            return None
        if head.parent is not None and not head.parent.is_weighed:
            return None
        own = head.logw
        if node.depth:
            reached = spread_strand(engine, head, node).sum()
            own += float(np.log(reached)) - _log_norm(head) if reached > 0 else NEG_INF
        logs.append(own)
    return add_logs(logs)


def find_leaks(engine: Engine, cover: Sequence[Strand], shares: Sequence[float]) -> Leaks:
    """Average over a cover what the model gives to tokens that no text goes on with."""
    noncanonical = special = 0.0
    for (head, _), share in zip(cover, shares, strict=True):
        masses = head.masses
        if masses is not None and share > 0:
            own = engine.special(masses)
            special += share * own
            noncanonical += share * max(1.0 - masses.total - masses.end - own, 0.0)
    return Leaks(noncanonical, special)


def spread_strand(engine: Engine, head: Head, node: Node) -> NDArray[np.float64]:
    """Return the mass of each next byte, and of the end, after one head."""
    masses, table = head.masses, engine.table
    assert masses is not None
    sums = np.zeros(END + 1)
    if node.depth:
        low, high, depth = node
        parts = (table.order, table.data, table.starts, low, high, depth, sums)
        spread(masses.probs, masses.flags, *parts)
    else:
        sums[:END] = masses.first
        sums[END] = masses.end
    return sums


def _log_norm(head: Head) -> float:
    return head.masses.log_norm if head.masses is not None else 0.0
