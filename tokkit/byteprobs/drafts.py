"""What to ask a model about beforehand: what comes up if the likeliest token does."""

from math import log

import numpy as np

from tokkit.byteprobs.cover import NEG_INF, Cover, Head, Strand, add_logs, advance
from tokkit.byteprobs.engine import Engine
from tokkit.kernels.marginals import find_likeliest

_LIKELY = -2.0
"""Tokens less likely than this (a logarithm) are not worth asking about."""


def draft(engine: Engine, cover: Cover) -> list[Head]:
    """Return the heads that come up along the likeliest token, where it is likely enough.

    Example: after ``th``, with ``the`` the likeliest token, those of ``the`` and, where ``e``
    can stand by itself, of ``th`` and ``e``.
    """
    best, rest, reached = NEG_INF, b"", []
    for strand in cover:
        weight, token, total = _likeliest(engine, strand)
        reached.append(total)
        if weight > best:
            best, rest = weight, token
    if best < add_logs(reached) + _LIKELY:
        return []
    drafted: list[Head] = []
    for byte in rest:
        cover = advance(cover, byte, engine.table, engine.grammar)
        drafted += [head for head, _ in cover if not head.is_asked]
    return drafted


def _likeliest(engine: Engine, strand: Strand) -> tuple[float, bytes, float]:
    """Return the weight of the likeliest token, its bytes to come, and the weight of all."""
    head, node = strand
    if not node.depth:
        weight = head.logw if head.depth else NEG_INF
        return weight, b"", weight
    if head.masses is None:
        return NEG_INF, b"", NEG_INF
    table, masses, found = engine.table, head.masses, np.empty(2)
    token = find_likeliest(masses.probs, masses.flags, table.order, node.low, node.high, found)
    if token < 0:
        return NEG_INF, b"", NEG_INF
    weight = head.weight_of(token)
    return weight, table.tokens[token][node.depth :], weight + log(found[1] / found[0])
