"""What methods that use a donor look at, and how far its rows can be trusted.

Rows of a donor can be planted: inert in the donor, they become salient in the model that they
are carried over to (arXiv 2601.00065). Methods that use a donor therefore say which new tokens
are approximated unusually badly, or with unusually large coefficients.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import ModelError, UsageError
from tokkit.kernels._jit import Ids
from tokkit.transplant.context import Context, Side

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]

DEVIATIONS = 8.0
"""How many median absolute deviations above the median make an outlier."""
_LEAST_SPREAD = 0.01
"""The deviation is taken to be at least this share of the median."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """What methods that use a donor look at, on one side.

    Attributes:
        atoms: The donor's rows of tokens that both tokenizers have, ``float32[s, d]``.
        targets: Its rows of the new tokens, ``float32[n, d]``.
        sources: The source ids of the atoms, ``int32[s]``.
    """

    atoms: Singles
    targets: Singles
    sources: Ids


def pair_rows(context: Context, side: Side) -> Pairs:
    """Collect the donor's rows of shared and of new tokens.

    Raises:
        UsageError: If there is no donor.
        ModelError: If the tokenizers share no token.
    """
    if context.donor is None:
        raise UsageError(
            "this method needs a donor: name a model trained with the target tokenizer"
        )
    alignment = context.alignment
    if not alignment.shared.size:
        raise ModelError(
            "the tokenizers share no token, so a donor's rows have nothing to be compared by: "
            "choose a method that needs no donor"
        )
    rows = context.donor.rows[side]
    return Pairs(
        np.ascontiguousarray(rows[alignment.shared]),
        np.ascontiguousarray(rows[alignment.new]),
        alignment.matches[alignment.shared],
    )


def find_outliers(
    context: Context, errors: Floats, norms: Floats | None = None
) -> list[Mapping[str, Any]]:
    """Find new tokens whose donor row fits badly, or only with large coefficients.

    Outliers lie more than `DEVIATIONS` median absolute deviations above the median of all new
    tokens. A deviation below a hundredth of the median counts as that.

    Args:
        context: Names the tokens.
        errors: ``|x - approximation| / |x|`` of each new token, ``float64[n]``.
        norms: Of its coefficients, ``float64[n]``; None: they cannot be large.

    Returns:
        ``id``, ``token`` (its bytes as text, U+FFFD where they are none), ``error`` and, if
        given, ``norm`` of each outlier, in the order of ids.
    """
    measures = {"error": errors} if norms is None else {"error": errors, "norm": norms}
    places = np.flatnonzero(np.any([_stand_out(each) for each in measures.values()], axis=0))
    return [
        {
            "id": int(context.alignment.new[place]),
            "token": context.tokens[place].decode("utf-8", "replace"),
            **{name: float(values[place]) for name, values in measures.items()},
        }
        for place in places.tolist()
    ]


def _stand_out(values: Floats) -> NDArray[np.bool_]:
    if not values.size:
        return np.zeros(0, dtype=np.bool_)
    middle = float(np.median(values))
    spread = max(float(np.median(np.abs(values - middle))), _LEAST_SPREAD * middle)
    # What is exact everywhere has no spread at all, and rounding is no finding.
    limit = middle + DEVIATIONS * spread + 1e-6
    found: NDArray[np.bool_] = values > limit
    return found


def relative(errors: Floats, targets: Singles) -> Floats:
    """Divide norms of errors by the norms of the rows; 0 for rows that are zero."""
    norms = np.sqrt(np.einsum("nd,nd->n", targets, targets, dtype=np.float64))
    return np.where(norms > 0, errors / np.where(norms > 0, norms, 1), 0)
