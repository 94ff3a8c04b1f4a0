"""How pieces become ids: one segmenter per family of tokenizers."""

from typing import Protocol

from tokkit.kernels._jit import Ids, Offsets
from tokkit.pretokenize import Pieces


class Segmenter(Protocol):
    """Turns pieces into ids, each piece by itself."""

    def segment(self, pieces: Pieces) -> tuple[Ids, Offsets]:
        """Return the ids of all pieces, ``int32[n]``, and where each piece ends in them.

        Example: pieces ``ab`` and ``c`` with ids ``[5, 6]`` and ``[7]`` give
        ``([5, 6, 7], [2, 3])``.
        """
        ...
