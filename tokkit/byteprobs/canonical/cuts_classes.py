"""Which characters a pre-tokenizer tells apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.canonical.automaton import Automaton
from tokkit.pretokenize import Scanner
from tokkit.unicode import SIZE, SURROGATES, classes

MOST = 64
"""How many classes there can be: sets of them are bits of one integer."""

_LITERALS = "'/ strevmldSTREVMLD\u017f"
"""The characters that scanners look for by themselves."""


@dataclass(frozen=True)
class CharacterClasses:
    """Characters by class.

    Attributes:
        table: The class of each code point, ``uint8[0x110000]``; 0 for surrogates.
        representatives: A character of each class, UTF-8.
    """

    table: NDArray[np.uint8]
    representatives: tuple[bytes, ...]

    def merged(self, automaton: Automaton) -> tuple["CharacterClasses", Automaton]:
        """Make one class of those that an automaton treats alike."""
        first, number = automaton.kinds()
        representatives = tuple(self.representatives[place] for place in first)
        table = number.astype(np.uint8)[self.table]
        return (
            CharacterClasses(table, representatives),
            Automaton(automaton.steps[:, first], automaton.accepts),
        )


def one_class() -> CharacterClasses:
    """Put all characters in the same class."""
    return CharacterClasses(np.zeros(SIZE, dtype=np.uint8), (b"x",))


def scanner_classes(scanner: Scanner) -> CharacterClasses:
    """Tell apart all that a scanner may: its engine's classes, and its literal characters."""
    keys = scanner_keys(scanner)
    keys[SURROGATES.start : SURROGATES.stop] = keys[0]
    _, first, table = np.unique(keys, return_index=True, return_inverse=True)
    representatives = tuple(chr(place).encode() for place in first)
    return CharacterClasses(table.astype(np.uint8).reshape(-1), representatives)


def scanner_keys(scanner: Scanner) -> NDArray[np.int64]:
    """Number what a scanner may tell apart, ``int64[0x110000]``, below 2 ** 16."""
    keys = classes(scanner.engine, scanner.pattern.scanner).astype(np.int64)
    for number, character in enumerate(_LITERALS, 1):
        keys[ord(character)] |= number << 8
    return keys
