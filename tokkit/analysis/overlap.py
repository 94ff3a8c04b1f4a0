"""Which tokens two vocabularies have in common, as bytes."""

from dataclasses import dataclass
from typing import Any

from tokkit.tokenizer import Tokenizer
from tokkit.visible import spell_bytes

EXAMPLES = 12


@dataclass(frozen=True)
class Overlap:
    """What two vocabularies share.

    A token is its bytes: ``Ġthe``, ``▁the`` and `` the`` are one. Tokens that are written
    twice count once; special tokens, which have no bytes, are compared by their text.

    Attributes:
        sizes: How many different byte strings each has.
        shared: How many both have.
        same_id: How many of these have the same id in both.
        specials: How many special tokens each has, and how many both have.
        examples: The first tokens by id that only one of them has, as people read them.
    """

    sizes: tuple[int, int]
    shared: int
    same_id: int
    specials: tuple[int, int, int]
    examples: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def jaccard(self) -> float:
        """What both have as a share of what either has."""
        either = sum(self.sizes) - self.shared
        return self.shared / either if either else 1.0

    @property
    def coverage(self) -> tuple[float, float]:
        """What both have as a share of the first, and of the second."""
        first, second = (self.shared / size if size else 1.0 for size in self.sizes)
        return first, second

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "tokens": list(self.sizes),
            "shared": self.shared,
            "only": [size - self.shared for size in self.sizes],
            "jaccard": self.jaccard,
            "coverage": list(self.coverage),
            "same_id": self.same_id,
            "specials": dict(zip(("first", "second", "shared"), self.specials, strict=True)),
            "examples_only": [list(each) for each in self.examples],
        }


def overlap(first: Tokenizer, second: Tokenizer) -> Overlap:
    """Compare two vocabularies."""
    one, other = first.vocab.ids, second.vocab.ids
    shared = [token for token in one if token in other]
    named = first.vocab.specials.keys() & second.vocab.specials.keys()
    return Overlap(
        (len(one), len(other)),
        len(shared),
        sum(one[token] == other[token] for token in shared),
        (len(first.vocab.specials), len(second.vocab.specials), len(named)),
        (_only(first, second), _only(second, first)),
    )


def _only(one: Tokenizer, other: Tokenizer) -> tuple[str, ...]:
    """Show the first tokens that only `one` has."""
    missing = (token for token in one.vocab.ids if token not in other.vocab.ids)
    return tuple(spell_bytes(token) for token, _ in zip(missing, range(EXAMPLES), strict=False))
