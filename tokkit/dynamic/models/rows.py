"""The rows of new tokens, and what makes them.

A model knows no embedding of a new token. Whatever makes one is a `TokenRows`: it is given the
bytes of new tokens and the tokens of the vocabulary that each was merged from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Parts = Sequence[Sequence[int]]


@dataclass(frozen=True, eq=False)
class NewRows:
    """The rows of new tokens.

    Attributes:
        input: What is read, as the embedding matrix has it: ``float32[n, hidden]``.
        output: What is predicted with, as the head has it: ``float32[n, hidden]``.
        bias: What is added to the logits, ``float32[n]``; None: nothing.
        fallbacks: How many of them could not be made as was asked, and are means of parts.
    """

    input: NDArray[np.float32]
    output: NDArray[np.float32]
    bias: NDArray[np.float32] | None = None
    fallbacks: int = 0

    def __len__(self) -> int:
        return len(self.input)


class TokenRows(Protocol):
    """Makes rows for new tokens.

    Attributes:
        name: How it makes them, for results.
    """

    name: str

    def rows(self, tokens: Sequence[bytes], parts: Parts) -> NewRows:
        """Return the rows of new tokens.

        Args:
            tokens: Their bytes.
            parts: The ids of the vocabulary that each was merged from.
        """
        ...
