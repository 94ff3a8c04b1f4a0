"""Canonical sequences: where pieces may be cut, and how they are segmented, side by side."""

from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.completions import ALL, Completions
from tokkit.canonical.protocols import NEVER, Cuts, Flags, Nodes, PieceGrammar
from tokkit.canonical.states import States
from tokkit.kernels._jit import frozen

NO_PIECE = -1
_CACHED_BYTES = 1 << 27
_FEWEST_NODES = 32
_CACHED_FLAGS = 64

Hypothesis = tuple[int, int]
"""A node of the cuts and a state of the pieces' grammar; `NO_PIECE` before the first token."""


class After(NamedTuple):
    """What comes after a node.

    Attributes:
        nodes: The node after each token, -1 if no text goes on from there.
        flags: Where there is one.
    """

    nodes: Nodes
    flags: Flags


class Product:
    """The grammar of a tokenizer whose pieces are segmented one by one.

    What later text may still decide leaves several hypotheses about the pieces of one sequence;
    a state is the set of those that some text confirms.

    Attributes:
        tokens: The text of each id; ``b""`` for ids that carry none.
        cuts: Where pieces begin.
        pieces: What pieces are segmented into.
    """

    def __init__(self, tokens: Sequence[bytes], cuts: Cuts, pieces: PieceGrammar) -> None:
        self.method = f"{pieces.method}, {cuts.method}"
        self.exact = pieces.exact and cuts.exact
        self.tokens = tokens
        self._cuts = cuts
        self._pieces = pieces
        self._completions = Completions(tokens, cuts, pieces)
        self._stuck_first = list(pieces.stuck(None))
        self._states = States[tuple[Hypothesis, ...]]()
        self._live: dict[Hypothesis, bool] = {}
        self.start = self._states.number(((cuts.start, NO_PIECE),))
        kept = max(_CACHED_BYTES // (5 * len(tokens) or 1), _FEWEST_NODES)
        self._after = lru_cache(kept)(self._find_after)
        self.allowed = lru_cache(_CACHED_FLAGS)(self._find_allowed)

    def step(self, state: int, token: int) -> int:
        """Return the state after one token more; `NEVER` if that is not canonical."""
        found: set[Hypothesis] = set()
        for node, piece in self._states[state]:
            if piece != NO_PIECE:
                after = int(self._after(node, False).nodes[token])
                following = self._pieces.follow(piece, token) if after >= 0 else NEVER
                if following != NEVER:
                    found.add((after, following))
            if piece == NO_PIECE or self._pieces.may_end(piece):
                after = int(self._after(node, True).nodes[token])
                beginning = self._pieces.begin(token) if after >= 0 else NEVER
                if beginning != NEVER:
                    found.add((after, beginning))
        alive = sorted(each for each in found if self._goes_on(*each))
        return self._states.number(tuple(alive)) if alive else NEVER

    @property
    def places(self) -> int:
        """How many nodes of the cuts are at the end of a character; they come first."""
        return self._cuts.places

    def after(self, place: int, begins: bool) -> After:
        """Return what comes after a place of the cuts, whatever was before.

        Args:
            place: A node at the end of a character.
            begins: Whether a piece begins there, or goes on.
        """
        return self._after(place, begins)

    def is_cut(self, token: int) -> bool:
        """Tell whether the cuts alone rule a token out, wherever it stands."""
        return all(
            self._cuts.beginning(place)[token] < 0 and self._cuts.within(place)[token] < 0
            for place in range(self.places)
        )

    def may_meet(self, first: int, second: int) -> bool:
        """Tell whether two tokens may stand next to each other in a piece.

        True also where the machine of the pieces cannot tell by two tokens alone.
        """
        return self._pieces.may_meet(first, second)

    def _goes_on(self, node: int, piece: int) -> bool:
        """Tell whether a piece that may not end, as it is another token then, can go on."""
        if self._pieces.may_end(piece):
            return True
        follows = self._pieces.following(piece) != 0
        return bool(((self._cuts.within(node) >= 0) & follows).any())

    def can_end(self, state: int) -> bool:
        """Tell whether the sequence is the encoding of a whole text."""
        return any(
            bool(self._cuts.can_end(np.array([node], dtype=np.int32))[0])
            and (piece == NO_PIECE or self._pieces.may_end(piece))
            for node, piece in self._states[state]
        )

    def _find_allowed(self, state: int) -> Flags:
        """Return which tokens `step` would not answer with `NEVER`."""
        parts: list[Flags] = []
        for node, piece in self._states[state]:
            if piece != NO_PIECE:
                parts.append(self._after(node, False).flags & self._pieces.following(piece))
            if piece == NO_PIECE or self._pieces.may_end(piece):
                parts.append(self._after(node, True).flags)
        if not parts:
            return frozen(np.zeros(self._pieces.begins.size, dtype=np.uint8))
        flags = reduce(np.bitwise_or, parts)
        stuck = {token for _, piece in self._states[state] for token in self._stuck(piece)}
        if stuck:
            flags = flags.copy()
            for token in stuck:
                flags[token] = flags[token] and self.step(state, token) != NEVER
        return frozen(flags)

    def _stuck(self, piece: int) -> list[int]:
        """Return the tokens after which a piece may not end, whether or not it is a new one."""
        if piece == NO_PIECE:
            return self._stuck_first
        new = self._stuck_first if self._pieces.may_end(piece) else []
        return [*self._pieces.stuck(piece), *new]

    def _find_after(self, node: int, begins: bool) -> After:
        """Return what comes after a node.

        Args:
            node: The node before.
            begins: Whether a piece begins with the token.
        """
        nodes = (self._cuts.beginning(node) if begins else self._cuts.within(node)).copy()
        if begins:
            nodes[self._pieces.begins == 0] = -1
        tokens = np.flatnonzero(nodes >= 0)
        nodes[tokens[self._is_dead(tokens, nodes[tokens])]] = -1
        return After(frozen(nodes), frozen((nodes >= 0).astype(np.uint8)))

    def _is_dead(self, tokens: NDArray[np.intp], nodes: Nodes) -> NDArray[np.bool_]:
        """Tell after which tokens, at these nodes then, no text goes on."""
        dead = np.zeros(tokens.size, dtype=np.bool_)
        waiting = self._cuts.waiting(nodes)
        is_waiting = waiting != ALL
        if is_waiting.any():
            dead[is_waiting] = self._cannot_complete(
                tokens[is_waiting], nodes[is_waiting], waiting[is_waiting]
            )
        for place in np.flatnonzero(~is_waiting & ~self._cuts.can_end(nodes)).tolist():
            dead[place] = not self._is_live(int(nodes[place]), int(tokens[place]))
        return dead

    def _cannot_complete(
        self, tokens: NDArray[np.intp], nodes: Nodes, waiting: NDArray[np.uint64]
    ) -> NDArray[np.bool_]:
        """Tell after which tokens the character they leave unfinished cannot be finished."""
        classes = self._completions.classes[tokens]
        dead: NDArray[np.bool_] = (classes & waiting) == 0
        # Perhaps a token can finish it and go on; and what is not the token's own beginning of
        # a character depends on the one before.
        for place in np.flatnonzero(dead | self._completions.is_inside[tokens]).tolist():
            node, token = int(nodes[place]), int(tokens[place])
            dead[place] = not self._can_go_on(node, token, self._completions.leading)
        return dead

    def _can_go_on(self, node: int, token: int, among: NDArray[np.int64] | None = None) -> bool:
        """Tell whether some token goes on with the piece, or the character, at `node`.

        Args:
            node: The node after `token`.
            token: The last token.
            among: The tokens to try; None: all.
        """
        piece = self._pieces.begin(token)
        if piece == NEVER:
            return False
        after, follows = self._cuts.within(node), self._pieces.following(piece)
        if among is not None:
            after, follows = after[among], follows[among]
        return bool(((after >= 0) & (follows != 0)).any())

    def _is_live(self, node: int, token: int) -> bool:
        """Tell whether any token can come after `token`, where the text cannot end."""
        key = node, token
        if key not in self._live:
            piece = self._pieces.begin(token)
            begins = self._cuts.beginning(node) >= 0
            can_begin = piece != NEVER and self._pieces.may_end(piece)
            self._live[key] = (
                can_begin and bool((begins & (self._pieces.begins != 0)).any())
            ) or self._can_go_on(node, token)
        return self._live[key]
