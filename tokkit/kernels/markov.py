"""Text from a Markov chain."""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, kernel


@kernel
def draw_symbols(
    chances: NDArray[np.float64], sums: NDArray[np.float64], context: int, symbols: Bytes
) -> None:
    """Draw one symbol after the other, each by the context that those before it make.

    With ``sums = [[.5, 1], [.2, 1]]`` (two symbols, order 1) and context 0, the chances
    ``.7 .1 .9`` give ``1 0 1``.

    Args:
        chances: One number from [0, 1) per symbol.
        sums: Per context, the probability of each symbol or a lower one, ``[contexts,
            size]``. A context's number is its last symbols as digits, the oldest first.
        context: That of the first symbol.
        symbols: Filled; as long as `chances`.
    """
    contexts, size = sums.shape
    for place in range(chances.size):
        symbol = 0
        while symbol < size - 1 and chances[place] >= sums[context, symbol]:
            symbol += 1
        symbols[place] = symbol
        context = (context * size + symbol) % contexts
