"""The largest numbers of each row of a matrix that comes in tiles."""

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Ids, kernel


@kernel
def keep_largest(
    values: NDArray[np.float32], first: int, best: NDArray[np.float32], ids: Ids
) -> None:
    """Keep, of what each row had so far and its next columns, the largest in falling order.

    Of equal values the one in the column with the lowest number stays before the others, if
    the tiles come in the order of their columns. What is not a number is passed over.

    Args:
        values: The next columns, ``float32[rows, columns]``.
        first: The number of the first of them.
        best: The largest values so far, ``float32[rows, kept]``; -inf where there is none.
        ids: Their columns, ``int32[rows, kept]``.
    """
    kept = best.shape[1]
    for row in range(values.shape[0]):
        least = best[row, kept - 1]
        for column in range(values.shape[1]):
            value = values[row, column]
            if value > least:
                place = kept - 1
                while place > 0 and best[row, place - 1] < value:
                    best[row, place] = best[row, place - 1]
                    ids[row, place] = ids[row, place - 1]
                    place -= 1
                best[row, place] = value
                ids[row, place] = first + column
                least = best[row, kept - 1]
