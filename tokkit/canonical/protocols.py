"""What decides whether a token sequence is canonical.

A sequence is canonical if some text, well-formed UTF-8, has an encoding that begins with it. A
text is cut into pieces by the pre-tokenizer and every piece is segmented by itself, so two
machines run side by side: `Cuts` follows where pieces may begin, `PieceGrammar` what their
tokens may be. `Grammar` is both together, which is all that is asked for outside.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.uint8]
"""One 0 or 1 for each id, ``uint8[V]``; not to be written to."""
Nodes = NDArray[np.int32]
"""A node for each id, ``int32[V]``, -1 where there is none; not to be written to."""

NEVER = -1


class Grammar(Protocol):
    """The canonical sequences as a machine that reads tokens; states are small integers.

    Attributes:
        method: How it decides, in a word or two, for the output.
        exact: Whether it decides as the definition says, rather than by trying witnesses.
        start: The state before the first token.
    """

    method: str
    exact: bool
    start: int

    def step(self, state: int, token: int) -> int:
        """Return the state after one token more; `NEVER` if that is not canonical."""
        ...

    def allowed(self, state: int) -> Flags:
        """Return which tokens `step` would not answer with `NEVER`."""
        ...

    def can_end(self, state: int) -> bool:
        """Tell whether the sequence is the encoding of a whole text."""
        ...


class Cuts(Protocol):
    """Where a pre-tokenizer can cut, as an automaton that reads tokens.

    A node stands for everything that later text can still decide, given the cuts so far, and
    for the bytes of a character that is not complete. A token may have no cut inside.

    Attributes:
        method: How it decides, for the output.
        exact: Whether that is as the definition says.
        start: The node before any text.
        places: How many nodes are at the end of a character; they are the first.
    """

    method: str
    exact: bool
    start: int
    places: int

    def beginning(self, node: int) -> Nodes:
        """Return the node after each token if a piece begins with it."""
        ...

    def within(self, node: int) -> Nodes:
        """Return the node after each token if it goes on with the piece."""
        ...

    def can_end(self, nodes: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Tell at which nodes (none of them -1) a text can end."""
        ...

    def waiting(self, nodes: NDArray[np.int32]) -> NDArray[np.uint64]:
        """Return of which classes the unfinished character may turn out to be, as bits.

        All ones for nodes (none of them -1) at the end of a character.
        """
        ...

    def class_of(self, character: bytes) -> int:
        """Return the class of a character, 0 to 63, given as UTF-8."""
        ...


class PieceGrammar(Protocol):
    """The segmentations of one piece as a machine that reads tokens.

    States are small integers, numbered as they are met.

    Attributes:
        method: How it decides, for the output.
        exact: Whether that is as the definition says.
        begins: Which tokens a piece may begin with.
    """

    method: str
    exact: bool
    begins: Flags

    def begin(self, token: int) -> int:
        """Return the state after the first token of a piece; `NEVER` if it cannot be that.

        For tokens that begin inside a character: the state after one somewhere in a piece.
        """
        ...

    def follow(self, state: int, token: int) -> int:
        """Return the state after the next token of a piece, or `NEVER`."""
        ...

    def following(self, state: int) -> Flags:
        """Return which tokens `follow` would not answer with `NEVER`.

        Only whether tokens may stand next to each other counts here: that a character is
        not complete is for others to see.
        """
        ...

    def may_meet(self, first: int, second: int) -> bool:
        """Tell whether one token may follow another in some piece.

        True also where two tokens alone do not say.
        """
        ...

    def may_end(self, state: int) -> bool:
        """Tell whether the piece may end here."""
        ...

    def stuck(self, state: int | None) -> Sequence[int]:
        """Return the tokens after which, at the end of a character, the piece may not end.

        Args:
            state: The state before them; None: they begin the piece.
        """
        ...
