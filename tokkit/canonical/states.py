"""States of machines as small integers."""

from collections.abc import Hashable
from itertools import count
from typing import Generic, TypeVar

S = TypeVar("S")


class States(Generic[S]):
    """Numbers for states, given as they are met, and kept as long as the machine.

    Machines are kept for all models with the same tokenizer, which may run in threads of their
    own: whatever two threads do at once, a number stands for one state, and always the same.

    Example: after ``states.number((3, 5))`` has returned 7, ``states[7]`` is ``(3, 5)``.
    """

    def __init__(self) -> None:
        self._fresh = count()
        self._states: dict[int, S] = {}
        self._numbers: dict[Hashable, int] = {}

    def number(self, state: S, key: Hashable = None) -> int:
        """Return the number of a state, a new one if it was not met before.

        Args:
            state: The state.
            key: What stands for it if it cannot be hashed.
        """
        key = state if key is None else key
        number = self._numbers.get(key)
        if number is None:
            number = next(self._fresh)
            # First: once others can see the number they may ask what it stands for. If another
            # thread is faster its number counts, and this one stands for the same in vain.
            self._states[number] = state
            number = self._numbers.setdefault(key, number)
        return number

    def __contains__(self, key: Hashable) -> bool:
        return key in self._numbers

    def __getitem__(self, number: int) -> S:
        return self._states[number]

    def __len__(self) -> int:
        return len(self._numbers)
