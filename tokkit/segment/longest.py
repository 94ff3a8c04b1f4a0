"""Leftmost longest match: at every position the longest token that fits."""

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tokkit.errors import VocabularyError
from tokkit.kernels._jit import Bytes, Ids, Offsets, frozen
from tokkit.kernels.longest import BLOCK, EMPTY, count_nodes, longest_match, pack_trie
from tokkit.vocab import flatten

if TYPE_CHECKING:
    from tokkit.pretokenize import Pieces


class LongestMatch:
    """Cuts pieces into the longest tokens from the left, over bytes, any bytes.

    With the tokens ``a``, ``ab`` and ``bc``, ``abc`` becomes ``ab c``, not ``a bc``. Time grows
    with the text, times at worst the length of the longest token.

    Attributes:
        tokens: The bytes of each token; its id is its index.
        unknown_id: The id of a byte at which no token starts; None if there is no such byte.

    Raises:
        VocabularyError: If a single byte has no token and there is no `unknown_id`.
    """

    def __init__(self, tokens: Sequence[bytes], unknown_id: int | None = None) -> None:
        self.tokens = tuple(tokens)
        self.unknown_id = unknown_id
        ids = _lowest_ids(self.tokens)
        if unknown_id is None:
            require_bytes(ids)
        spellings = sorted(ids)
        self._units, numbers = pack(*flatten(spellings))
        self._slot_ids = np.array([ids[token] for token in spellings] or [0], np.int32)[numbers]

    def segment(self, pieces: "Pieces") -> tuple[Ids, Offsets]:
        """Cut every piece on its own.

        Args:
            pieces: Byte strings end to end; they need not be UTF-8.

        Returns:
            The ids of all pieces, ``int32[n]``, and where each piece's end in them,
            ``int64[len(pieces.ends)]``.
        """
        ids = np.empty(pieces.data.size, np.int32)
        id_ends = np.empty(pieces.ends.size, np.int64)
        unknown = -1 if self.unknown_id is None else self.unknown_id
        written = longest_match(
            frozen(pieces.data),
            frozen(pieces.ends),
            self._units,
            self._slot_ids,
            unknown,
            ids,
            id_ends,
        )
        return ids[:written].copy(), id_ends


def _lowest_ids(tokens: Sequence[bytes]) -> dict[bytes, int]:
    """Give each byte string its lowest id: ``[b"", b"a", b"a"]`` becomes ``{b"a": 1}``."""
    ids: dict[bytes, int] = {}
    for token_id, token in enumerate(tokens):
        if token:
            ids.setdefault(token, token_id)
    return ids


def require_bytes(tokens: Container[bytes]) -> None:
    """Refuse a vocabulary that cannot spell every byte."""
    missing = [byte for byte in range(256) if bytes([byte]) not in tokens]
    if missing:
        raise VocabularyError(
            f"no token for byte 0x{missing[0]:02X} ({len(missing)} of 256 bytes lack one): "
            "longest match needs all single bytes, or the id of an unknown token"
        )


def pack(data: Bytes, ends: Offsets) -> tuple[Offsets, Ids]:
    """Build the double array of distinct tokens in ascending order.

    Returns:
        The units and, for each slot, the number of the token that ends there.
    """
    data, ends = frozen(data), frozen(ends)
    nodes = count_nodes(data, ends)
    work = np.empty(4 * nodes, np.int64)
    size = (nodes * 5 // 4 // BLOCK + 2) * BLOCK
    while True:
        units = np.full(size, EMPTY, np.int64)
        numbers = np.zeros(size, np.int32)
        used = pack_trie(data, ends, units, numbers, work, np.empty(3 * size, np.int64))
        if used >= 0:
            return units[:used].copy(), numbers[:used].copy()
        size *= 2
