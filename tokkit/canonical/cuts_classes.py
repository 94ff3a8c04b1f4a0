"""Which characters a pre-tokenizer tells apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.automaton import NONE, Automaton
from tokkit.pretokenize import Scanner
from tokkit.unicode import classes

MOST = 64
"""How many classes there can be: sets of them are bits of one integer."""

_LITERALS = "'/ strevmldSTREVMLD\u017f"
"""The characters that scanners look for by themselves."""


@dataclass(frozen=True)
class CharacterClasses:
    """Characters by class.

    Attributes:
        table: The class of each code point, ``int[0x110000]``; any for surrogates.
        representatives: A character of each class, UTF-8.
    """

    table: NDArray[np.integer]
    representatives: tuple[bytes, ...]

    def without(
        self, changed: NDArray[np.bool_], automaton: Automaton
    ) -> tuple["CharacterClasses", Automaton]:
        """Make one class of those an automaton treats alike, and refuse some characters.

        Args:
            changed: The characters that no text has, ``bool[0x110000]``.
            automaton: An automaton over the classes.
        """
        first, number = automaton.kinds()
        representatives = [self.representatives[place] for place in first]
        steps = automaton.steps[:, first]
        table = number[self.table].astype(np.uint8)
        if changed.any():
            table[changed] = len(representatives)
            representatives.append(chr(int(changed.argmax())).encode())
            steps = np.concatenate((steps, np.full_like(steps[:, :1], NONE)), axis=1)
        return (
            CharacterClasses(table, tuple(representatives)),
            Automaton(steps, automaton.accepts),
        )


def scanner_keys(scanner: Scanner) -> NDArray[np.int64]:
    """Number what a scanner may tell apart, ``int64[0x110000]``, below 2 ** 16."""
    keys = classes(scanner.engine, scanner.pattern.scanner).astype(np.int64)
    for number, character in enumerate(_LITERALS, 1):
        keys[ord(character)] |= number << 8
    return keys
