"""Finite automata over characters and the cuts before them.

A *word* is a sequence of characters, each given as its class and a bit: whether a piece begins
with it. The words of whole texts with the cuts they really have are the language of interest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Texts = NDArray[np.int16]
"""Texts as classes of characters, ``int16[n, width]``; -1, anywhere in a row, is nothing."""
Bits = NDArray[np.uint8]
"""The bits of texts, ``uint8[n, width]``; 0 where there is no character."""
Word = tuple[tuple[int, ...], tuple[int, ...]]
"""The classes of characters, and their bits."""

NONE = -1


def aligned(rows: list[tuple[int, ...]], nothing: int) -> Texts:
    """Write tuples of different lengths as the rows of a matrix.

    Example: ``aligned([(1,), (2, 3)], -1)`` is ``[[1, -1], [2, 3]]``.
    """
    width = max(map(len, rows), default=0)
    filled = [(*row, *(nothing,) * (width - len(row))) for row in rows]
    return np.array(filled, dtype=np.int16).reshape(len(rows), width)


@dataclass(frozen=True)
class Automaton:
    """Words as paths; every state leads to one in which a text can end.

    Attributes:
        steps: ``int32[states, classes, 2]``: the state after a character without and with a
            cut before it; -1 where no text goes on like that. State 0 is the start.
        accepts: ``bool[states]``: where a text can end.
    """

    steps: NDArray[np.int32]
    accepts: NDArray[np.bool_]

    def walk(self, texts: Texts, bits: Bits) -> NDArray[np.int32]:
        """Return the state after each text with these bits; -1 where there is none."""
        lost = np.full_like(self.steps[:1], NONE)
        table = np.concatenate((self.steps, lost))  # so that -1 leads to -1
        state = np.zeros(len(texts), dtype=np.int32)
        for column in range(texts.shape[1]):
            classes = texts[:, column]
            state = np.where(classes >= 0, table[state, classes, bits[:, column]], state)
        return state

    def kinds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first class of each kind, and the kind of each class.

        Classes are of one kind if all states go on alike with them.
        """
        columns = self.steps.transpose(1, 0, 2).reshape(self.steps.shape[1], -1)
        _, first, kind = np.unique(columns, axis=0, return_index=True, return_inverse=True)
        return first, kind.reshape(-1)

    def accepted(self, text: tuple[int, ...]) -> list[Word]:
        """Return a word for each state that a text can be accepted in."""
        ways: dict[int, tuple[int, ...]] = {0: ()}
        for character in text:
            after: dict[int, tuple[int, ...]] = {}
            for state, bits in ways.items():
                for bit in (0, 1):
                    target = int(self.steps[state, character, bit])
                    if target != NONE:
                        after.setdefault(target, (*bits, bit))
            ways = after
        return [(text, bits) for state, bits in ways.items() if self.accepts[state]]

    def trimmed(self) -> "Automaton":
        """Leave out what leads nowhere: steps to states from which no text can end."""
        alive = self.accepts.copy()
        while True:
            leads = ((self.steps != NONE) & alive[self.steps]).any(axis=(1, 2)) | alive
            if (leads == alive).all():
                break
            alive = leads
        alive[0] = True
        number = np.where(alive, np.cumsum(alive) - 1, NONE).astype(np.int32)
        steps = np.where(self.steps == NONE, NONE, number[self.steps])
        return Automaton(steps[alive].astype(np.int32), self.accepts[alive])

    def ambiguous(self, most: int) -> list[Word]:
        """Return words of which several are accepted for the same text; none if there are none.

        A pre-tokenizer cuts each text in one way, so most of them are wrong. Two runs over the
        same text are followed at once, from where they part.

        Args:
            most: Of how many texts.
        """
        return _Pairs(self).words(most)


class _Pairs:
    """Pairs of states that the same text leads to with different cuts."""

    def __init__(self, automaton: Automaton) -> None:
        self.automaton = automaton
        self.states = len(automaton.accepts)
        self.parents: dict[int, tuple[int, int, int, int]] = {}

    def words(self, most: int) -> list[Word]:
        """Search breadth first for pairs that can both end, or that are the same state."""
        found: list[Word] = []
        frontier = [0]
        self.parents[0] = (NONE, 0, 0, 0)
        while frontier and len(found) < 2 * most:
            after = []
            for pair in self._beyond(np.array(frontier)):
                first, second = divmod(pair >> 1, self.states)
                if not pair & 1 or (first != second and not self._both_end(first, second)):
                    after.append(pair)
                else:
                    found += self._spelled(pair)
            frontier = after
        return found

    def _both_end(self, first: int, second: int) -> bool:
        return bool(self.automaton.accepts[first] and self.automaton.accepts[second])

    def _beyond(self, pairs: NDArray[np.int64]) -> list[int]:
        """Note the pairs one character on that were not seen, and return them."""
        steps = self.automaton.steps
        first, second = np.divmod(pairs >> 1, self.states)
        fresh = []
        for one, other in ((0, 0), (1, 1), (0, 1), (1, 0)):
            left, right = steps[first][:, :, one], steps[second][:, :, other]
            apart = (pairs & 1 | (one != other))[:, None]
            codes = (left.astype(np.int64) * self.states + right) << 1 | apart
            codes[(left == NONE) | (right == NONE)] = NONE
            found, places = np.unique(codes, return_index=True)
            for code, place in zip(found.tolist(), places.tolist(), strict=True):
                if code != NONE and code not in self.parents:
                    row, character = divmod(place, steps.shape[1])
                    self.parents[code] = (int(pairs[row]), character, one, other)
                    fresh.append(code)
        return fresh

    def _spelled(self, pair: int) -> list[Word]:
        """Spell both words that lead to a pair, and on to where a text can end."""
        first, _ = divmod(pair >> 1, self.states)
        trail: list[tuple[int, int, int]] = []
        while self.parents[pair][0] != NONE:
            pair, *step = self.parents[pair]
            trail.append((step[0], step[1], step[2]))
        steps = trail[::-1]
        text, ending = self._ending(first) if not self.automaton.accepts[first] else ((), ())
        characters = (*(step[0] for step in steps), *text)
        return [(characters, (*(step[way] for step in steps), *ending)) for way in (1, 2)]

    def _ending(self, state: int) -> Word:
        """Return a shortest word that leads from a state to where a text can end."""
        seen: dict[int, Word] = {state: ((), ())}
        for at, (text, bits) in (waiting := list(seen.items())):
            if self.automaton.accepts[at]:
                return text, bits
            for character, bit in np.argwhere(self.automaton.steps[at] != NONE).tolist():
                target = int(self.automaton.steps[at, character, bit])
                if target not in seen:
                    seen[target] = ((*text, character), (*bits, bit))
                    waiting.append((target, seen[target]))
        raise ValueError(f"no text can end after state {state}")
