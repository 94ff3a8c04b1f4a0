"""Whether some text gives a token: a text that does, or why none can.

A `Grammar` says which tokens may follow a sequence. Looked at from a token, it says which text
leads up to it and how it goes on; where nothing leads up to it, whatever the text, it is proven
that no text gives it.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.added import WithAdded
from tokkit.canonical.composed import Composed
from tokkit.canonical.product import Product
from tokkit.canonical.protocols import NEVER, Grammar
from tokkit.utf8 import is_inside, may_occur, unfinished

_FEW = 12
"""Of how many tokens, evenly chosen, a text is tried to go on with where many may."""
_MOST_STATES = 400
"""How many states are looked at for a way to end a text."""
_MOST_LATER = 40
"""Of how many tokens that cannot begin a text either it is tried what is before them."""
_MOST_TRIED = 2000
"""How many sequences before a token are tried."""
_DEEPEST = 3


@dataclass(frozen=True)
class Use:
    """What was found of a token.

    Attributes:
        sequence: Tokens that are the encoding of a whole text, the token among them; empty if
            none was found.
        impossible: Why there is none, if that is proven: ``"cut"`` (the pre-tokenizer always
            cuts inside), ``"before"`` (whatever stands before it becomes another token with
            it) or ``"after"`` (whatever has to follow does); else empty.
    """

    sequence: tuple[int, ...] = ()
    impossible: str = ""


def find_use(grammar: Grammar, token: int) -> Use:
    """Find a text that gives a token, or prove that there is none.

    Args:
        grammar: The grammar; only an exact one proves anything.
        token: Which token; it has bytes.
    """
    found = _from_state(grammar, (), grammar.start, token)
    if found:
        return Use(found)
    # Added tokens are no product's: they have no bytes there.
    within = [each for each in _products(grammar) if each.tokens[token]]
    for product in within:
        found = _within(grammar, product, token)
        if found:
            return Use(found)
    if within and grammar.exact and all(_Entrances(each, token).none() for each in within):
        return Use(impossible=_cause(within[0], token))
    return Use()


def _products(grammar: Grammar) -> list[Product]:
    """Return what knows of places and pieces: whatever it rules out, the whole does as well."""
    match grammar:
        case Product():
            return [grammar]
        case Composed():
            return _products(grammar.inner)
        case WithAdded():
            found = [each for stretch in grammar.stretches for each in _products(stretch)]
            return list(dict.fromkeys(found))
    return []


def _within(grammar: Grammar, product: Product, token: int) -> tuple[int, ...]:
    """Find a text that gives a token by what may be before it; nothing if none is found."""
    ways = _approaches(product, _Entrances(product, token), _DEEPEST)
    for sequence, state in islice(ways, _MOST_TRIED):
        found = _from_state(product, sequence, state, token)
        if found and (product is grammar or _accepts(grammar, found)):
            return found
    return ()


def _accepts(grammar: Grammar, sequence: tuple[int, ...]) -> bool:
    """Tell whether tokens are the encoding of a whole text."""
    state = grammar.start
    for token in sequence:
        state = grammar.step(state, token)
        if state == NEVER:
            return False
    return grammar.can_end(state)


def _approaches(
    grammar: Product, entrances: "_Entrances", depth: int
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield sequences from the start of a text after which a token may come, and their states.

    Those of one token first, then those of two, and so on.
    """
    later: list[int] = []
    for token in entrances.before():
        state = grammar.step(grammar.start, token)
        if state != NEVER:
            yield (token,), state
        elif len(later) < _MOST_LATER:
            later.append(token)
    for token in later if depth > 1 else ():
        for sequence, state in _approaches(grammar, _Entrances(grammar, token), depth - 1):
            after = grammar.step(state, token)
            if after != NEVER:
                yield (*sequence, token), after
                break


def _from_state(
    grammar: Grammar, before: tuple[int, ...], state: int, token: int
) -> tuple[int, ...]:
    """Go on with `token`, then to the end of a text; nothing if no way is found."""
    after = grammar.step(state, token)
    ending = None if after == NEVER else _ending(grammar, after)
    return () if ending is None else (*before, token, *ending)


def _ending(grammar: Grammar, state: int) -> tuple[int, ...] | None:
    """Find a way from a state to the end of a text, of the fewest tokens among those tried."""
    waiting: deque[tuple[int, tuple[int, ...]]] = deque([(state, ())])
    seen = {state}
    while waiting and len(seen) <= _MOST_STATES:
        at, taken = waiting.popleft()
        if grammar.can_end(at):
            return taken
        for token in _some(np.flatnonzero(grammar.allowed(at))):
            after = grammar.step(at, token)
            if after != NEVER and after not in seen:
                seen.add(after)
                waiting.append((after, (*taken, token)))
    return None


def _some(tokens: NDArray[np.intp]) -> Iterator[int]:
    """Choose a few of many, evenly."""
    if tokens.size > _FEW:
        tokens = tokens[np.linspace(0, tokens.size - 1, _FEW).astype(np.intp)]
    yield from tokens.tolist()


class _Entrances:
    """What may come before a token, looked at from every place of the cuts: in any text."""

    def __init__(self, grammar: Product, token: int) -> None:
        self._grammar, self._token = grammar, token
        self._is_inside = is_inside(grammar.tokens[token])
        places = range(grammar.places)
        self._opens = [place for place in places if grammar.after(place, True).flags[token]]
        self._goes_on = [place for place in places if grammar.after(place, False).flags[token]]

    def before(self) -> Iterator[int]:
        """Yield the tokens that may stand directly before it."""
        if self._is_inside:
            yield from self._completed()
            return
        yield from self._neighbours()
        yield from _leading(self._grammar, self._opens).tolist()

    def none(self) -> bool:
        """Tell whether nothing leads to it, not even the start of a text.

        That of tokens which begin inside a character is not looked into.
        """
        return not (
            self._is_inside or self._opens or next(self._neighbours(), None) is not None
        )

    def _neighbours(self) -> Iterator[int]:
        """Yield the tokens that may stand before it in the same piece."""
        for token in _leading(self._grammar, self._goes_on).tolist():
            if self._grammar.may_meet(token, self._token):
                yield token

    def _completed(self) -> Iterator[int]:
        """Yield the tokens that end in a character which it can finish."""
        tokens = self._grammar.tokens
        for number, before in enumerate(tokens):
            tail = unfinished(before)
            if tail and may_occur(tail + tokens[self._token]):
                yield number


def _leading(grammar: Product, targets: list[int]) -> NDArray[np.intp]:
    """Return the tokens after which the cuts are at one of some places."""
    leads = np.zeros(len(grammar.tokens), dtype=np.bool_)
    if targets:
        for place in range(grammar.places):
            for begins in (True, False):
                leads |= np.isin(grammar.after(place, begins).nodes, targets)
    return np.flatnonzero(leads)


def _cause(grammar: Product, token: int) -> str:
    """Say why nothing leads to a token."""
    if grammar.is_cut(token):
        return "cut"
    is_alive = any(
        grammar.after(place, begins).flags[token]
        for place in range(grammar.places)
        for begins in (True, False)
    )
    return "before" if is_alive else "after"
