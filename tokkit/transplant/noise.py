"""Random rows that depend on the token alone, not on order, batch or threads."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def gaussian(seed: int, side: str, tokens: Sequence[bytes], width: int) -> NDArray[np.float64]:
    """Draw standard normal rows.

    A row is decided by the seed, the side and the bytes of its token (the name of one without
    bytes), through the counter-based generator Philox.

    Args:
        seed: The seed.
        side: ``"input"`` or ``"output"``.
        tokens: The bytes of each token.
        width: Numbers in a row.

    Returns:
        ``float64[tokens, width]``.
    """
    rows = np.empty((len(tokens), width))
    for row, token in zip(rows, tokens, strict=True):
        digest = blake2b(token, digest_size=16, person=f"{side}".encode(), salt=_salt(seed))
        key = int.from_bytes(digest.digest(), "little")
        np.random.Generator(np.random.Philox(key=key)).standard_normal(out=row)
    return rows


def _salt(seed: int) -> bytes:
    """The seed as blake2b takes it."""
    return (seed % (1 << 128)).to_bytes(16, "little")
