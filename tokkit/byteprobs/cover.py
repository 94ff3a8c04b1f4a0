"""The token sequences that spell a text as it grows: heads, and the covers they begin.

A *head* is a sequence of tokens that spells the text up to some place; with one token more,
that reaches to the end of the text or past it, it is a *cover*. Which heads there are depends
on the tokenizer alone, so they can be listed before the model is asked about any.
"""

from collections.abc import Iterator, Sequence
from math import log
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tokkit.byteprobs.engine import Masses
from tokkit.canonical.protocols import NEVER, Grammar
from tokkit.kernels.marginals import count_allowed
from tokkit.token_table import Node, TokenTable

if TYPE_CHECKING:
    from tokkit.lm.model import Logprobs

UNKNOWN = -1
NEG_INF = float("-inf")


class Head:
    """A sequence of tokens that spells the beginning of a text.

    Attributes:
        parent: The sequence without its last token; None: nothing was before.
        token: The last token.
        state: Of the grammar.
        depth: How many tokens it has.
        number: Its number in the model's tree; `UNKNOWN` if it is not there yet.
        logw: Its weight, a logarithm; only right once `parent` was weighed.
        row: What the model said of the next token, until it is weighed.
        masses: What that comes to; None before, and once it will not matter again.
        children: The sequences that were met with one token more.
    """

    __slots__ = (
        "children",
        "depth",
        "is_weighed",
        "logw",
        "masses",
        "number",
        "parent",
        "row",
        "state",
        "token",
    )

    def __init__(self, parent: "Head | None", token: int, state: int) -> None:
        self.parent = parent
        self.token = token
        self.state = state
        self.depth: int = parent.depth + 1 if parent else 0
        self.number = UNKNOWN if parent else 0
        self.logw = 0.0
        self.row: Logprobs | None = None
        self.masses: Masses | None = None
        self.is_weighed = False
        self.children: dict[int, Head] = {}
        if parent is not None and parent.masses is not None:
            self.logw = parent.weight_of(token)

    @property
    def is_asked(self) -> bool:
        """Whether the model was asked what comes next."""
        return self.is_weighed or self.row is not None

    def weight_of(self, token: int) -> float:
        """Return the weight of the sequence with one token more, once this one was weighed."""
        assert self.masses is not None
        return self.logw + float(self.masses.row[token]) - self.masses.log_norm

    def weigh(self, masses: Masses) -> None:
        """Take in what the model gives to the next token."""
        self.row, self.masses, self.is_weighed = None, masses, True
        for token, child in self.children.items():
            child.logw = self.weight_of(token)

    def child(self, token: int, grammar: Grammar) -> "Head | None":
        """Return the sequence with one token more; None if that is not canonical."""
        if token not in self.children:
            state = grammar.step(self.state, token)
            if state == NEVER:
                return None
            self.children[token] = Head(self, token, state)
        return self.children[token]

    def release(self) -> None:
        """Forget what the model said, once it matters to nothing that is still to come."""
        self.masses = None
        self.children = {}

    def line(self) -> Iterator["Head"]:
        """Yield the head and everything it came from, itself first."""
        head: Head | None = self
        while head is not None:
            yield head
            head = head.parent


class Strand(NamedTuple):
    """A head and the tokens that go on from it along the text.

    Attributes:
        head: The head.
        node: The tokens that begin with what comes after the head in the text.
    """

    head: Head
    node: Node


Cover = Sequence[Strand]
"""All that spells a text and may go on."""


def advance(cover: Cover, byte: int, table: TokenTable, grammar: Grammar) -> list[Strand]:
    """Return what spells the text with one byte more."""
    longer: list[Strand] = []
    fresh: list[Strand] = []
    for head, node in cover:
        child = table.child(node, byte)
        if child is None:
            continue
        for token in table.ending(child):
            ended = head.child(token, grammar)
            if ended is not None:
                fresh.append(Strand(ended, table.root))
        flags = grammar.allowed(head.state)
        if count_allowed(flags, table.order, child.low, child.high):
            longer.append(Strand(head, child))
    return longer + fresh


def add_logs(values: Sequence[float]) -> float:
    """Return the logarithm of the sum of exponentials; -inf for none."""
    if not values:
        return NEG_INF
    largest = max(values)
    if largest == NEG_INF:
        return NEG_INF
    return largest + log(float(np.exp(np.array(values) - largest).sum()))
