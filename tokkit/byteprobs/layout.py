"""Every head of a known text, found before the model is asked about any."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from tokkit.byteprobs.cover import Head
from tokkit.byteprobs.engine import Engine
from tokkit.kernels._jit import Bytes, Offsets, frozen
from tokkit.kernels.marginals import count_allowed
from tokkit.token_table import Node


@dataclass(eq=False)
class Placed:
    """A head in a text.

    Attributes:
        head: The head.
        start: Where its tokens end in the text.
        bounds: The nodes of what comes after it, one byte further each.
        goes_on: Whether a token that is allowed after it begins with the next byte.
    """

    head: Head
    start: int
    bounds: Offsets
    goes_on: bool


@dataclass(eq=False)
class Layout:
    """A text and its heads.

    Attributes:
        text: The text, with what the tokenizer puts before it.
        end: Up to where the text is laid out: from there on sequences get too long.
        heads: The heads at each place up to `end`, in the order of their places.
        root: The first of them.
    """

    text: Bytes
    end: int
    root: Head
    heads: list[list[Placed]] = field(default_factory=list)

    def reaching(self, engine: Engine) -> list[Placed]:
        """Return the heads after which one token can reach the end of the text, or pass it."""
        found = []
        for start in range(max(self.end - engine.table.longest, 0), self.end):
            for placed in self.heads[start]:
                place = 2 * (self.end - start - 1)
                if place < placed.bounds.size:
                    low, high = placed.bounds[place : place + 2].tolist()
                    flags = engine.grammar.allowed(placed.head.state)
                    if count_allowed(flags, engine.table.order, low, high):
                        found.append(placed)
        return found


def lay_out(engine: Engine, text: bytes, room: int | None) -> Layout:
    """Find every head of a text.

    Args:
        engine: The tokenizer's grammar and tokens.
        text: The text, with what the tokenizer puts before it.
        room: The most tokens a head may have; None: any number.
    """
    data = frozen(np.frombuffer(text, dtype=np.uint8))
    root = Head(None, -1, engine.grammar.start)
    waiting: defaultdict[int, list[Head]] = defaultdict(list, {0: [root]})
    layout = Layout(data, len(text), root)
    for start in range(len(text) + 1):
        heads = waiting.pop(start, [])
        if room is not None and any(head.depth > room for head in heads):
            layout.end = start
            break
        layout.heads.append([_place(engine, head, data, start) for head in heads])
        for placed in layout.heads[-1]:
            _continue(engine, placed, waiting)
    else:
        return layout
    layout.heads.append([])
    return layout


def _place(engine: Engine, head: Head, data: Bytes, start: int) -> Placed:
    """Follow the text after a head as far as tokens go."""
    bounds = engine.table.path(data[start:])
    goes_on = False
    if bounds.size:
        flags = engine.grammar.allowed(head.state)
        low, high = bounds[:2].tolist()
        goes_on = bool(count_allowed(flags, engine.table.order, low, high))
    return Placed(head, start, bounds, goes_on)


def _continue(engine: Engine, placed: Placed, waiting: defaultdict[int, list[Head]]) -> None:
    """Make the heads that have one token more."""
    if not placed.goes_on:
        return
    pairs = placed.bounds.reshape(-1, 2).tolist()
    for depth, (low, high) in enumerate(pairs, 1):
        for token in engine.table.ending(Node(low, high, depth)):
            child = placed.head.child(token, engine.grammar)
            if child is not None:
                waiting[placed.start + depth].append(child)
