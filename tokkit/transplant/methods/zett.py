"""Rows that a hypernetwork predicts, after ZeTT (arXiv 2405.07883)."""

import numpy as np

from tokkit.errors import UsageError
from tokkit.transplant.context import PREDICTED, Composition, Context, Side
from tokkit.transplant.rows import Rows


def zett(context: Context, side: Side) -> Composition:
    """Leave every row to the hypernetwork, and say which pieces it reads.

    These weigh nothing in the row: `tokkit.transplant.matrix` asks the hypernetwork for it.

    Raises:
        UsageError: If there is no hypernetwork.
    """
    reader = context.hypernet
    if reader is None:
        raise UsageError("the method zett needs a hypernetwork: name it with --hypernet")
    ends = context.alignment.piece_ends
    counts = np.diff(ends, prepend=0)
    places = np.arange(ends[-1] if ends.size else 0) - np.repeat(ends - counts, counts)
    is_last = places == np.repeat(counts, counts) - 1
    ids = context.alignment.piece_ids[(places < reader.most - 1) | is_last]
    weights = np.zeros(ids.size, dtype=np.float32)
    origins = np.full(counts.size, PREDICTED, dtype=np.uint8)
    return Composition(
        Rows(np.cumsum(np.minimum(counts, reader.most)), ids, weights),
        origins,
        notes={"tokens_read_in_part": int((counts > reader.most).sum())},
    )
