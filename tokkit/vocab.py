"""A vocabulary: which byte string each id stands for."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np

from tokkit.errors import VocabularyError
from tokkit.kernels._jit import Bytes, Offsets


def flatten(strings: Sequence[bytes]) -> tuple[Bytes, Offsets]:
    """Lay byte strings end to end: their bytes and where each ends (see `tokkit.kernels`)."""
    lengths = np.fromiter(map(len, strings), dtype=np.int64, count=len(strings))
    return np.frombuffer(b"".join(strings), dtype=np.uint8), np.cumsum(lengths)


@dataclass(frozen=True)
class Vocabulary:
    """Tokens as bytes; immutable, equal and hashed by value.

    Attributes:
        tokens: The bytes of each token; its id is its index. Ids that text cannot produce
            (special tokens, unused ids) have no bytes: ``b""``.
        specials: The ids of special tokens, by the text they are written with.

    Raises:
        VocabularyError: If a special token's id is out of range.
    """

    tokens: tuple[bytes, ...]
    specials: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "specials", MappingProxyType(dict(self.specials)))
        for text, token_id in self.specials.items():
            if not 0 <= token_id < len(self.tokens):
                raise VocabularyError(
                    f"special token {text!r} has id {token_id}, "
                    f"outside a vocabulary of {len(self.tokens)}"
                )

    def __len__(self) -> int:
        return len(self.tokens)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[type["Vocabulary"], tuple[tuple[bytes, ...], dict[str, int]]]:
        """Leave out what is derived, and the read-only view, which cannot be pickled."""
        return Vocabulary, (self.tokens, dict(self.specials))

    @cached_property
    def ids(self) -> Mapping[bytes, int]:
        """The id of each byte string; the lowest where several tokens have the same bytes."""
        ids: dict[bytes, int] = {}
        for token_id, token in enumerate(self.tokens):
            if token:
                ids.setdefault(token, token_id)
        return ids

    @cached_property
    def flat(self) -> tuple[Bytes, Offsets]:
        """The tokens end to end: ``uint8[n]`` and the end of each, ``int64[len(self)]``."""
        return flatten(self.tokens)

    @cached_property
    def digest(self) -> str:
        """A BLAKE2b hash of tokens and specials, 32 hexadecimal digits."""
        state = hashlib.blake2b(digest_size=16)
        for token in self.tokens:
            state.update(len(token).to_bytes(4, "little") + token)
        for text, token_id in sorted(self.specials.items()):
            state.update(f"{text}\0{token_id}\0".encode())
        return state.hexdigest()
