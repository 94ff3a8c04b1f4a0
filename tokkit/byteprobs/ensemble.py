"""Several models as one, byte by byte, whatever their vocabularies."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.combining import (
    Combination,
    EnsembleScore,
    EnsembleStream,
    Rows,
    log_sum_exp,
)
from tokkit.byteprobs.results import ByteLogprobs
from tokkit.byteprobs.streams import ByteSource
from tokkit.errors import UsageError

Mix = Literal["mixture", "product"]


class Ensemble(Combination):
    """Models mixed with fixed weights, anew for every byte.

    ``mixture`` is the weighted mean ``sum_i w_i p_i``. A member for which the text so far is
    impossible drops out, for good, and the weights of the others are scaled to sum to 1.
    ``product`` is the weighted geometric mean ``prod_i p_i^w_i``, normalised: what is
    impossible for one member is impossible. Weights do not change with how well a member
    predicted (for ``mixture`` that would be Bayesian model averaging).

    Example: ``Ensemble([llama, qwen], mix="product").sample("Once", max_bytes=80)``.

    Args:
        sources: The members.
        mix: How they are mixed.
        weights: How much each counts, in any unit; None: all the same. A member of weight 0
            is left out.

    Raises:
        UsageError: If there is no member, or the weights do not fit them.
    """

    def __init__(
        self,
        sources: Sequence[ByteSource],
        *,
        mix: Mix = "mixture",
        weights: Sequence[float] | None = None,
    ) -> None:
        if mix not in ("mixture", "product"):
            raise UsageError(f"mix is {mix!r}; choose 'mixture' or 'product'")
        shares = _shares(len(sources), weights)
        super().__init__([each for each, w in zip(sources, shares, strict=True) if w > 0])
        self.mix = mix
        self.weights = shares[shares > 0]

    def mixed(self, rows: Rows, members: Sequence[int]) -> ByteLogprobs:
        """Return the weighted mean of the rows, arithmetic or geometric."""
        weights = self.weights[list(members)]
        if self.mix == "product":
            mean: ByteLogprobs = weights @ rows
            return mean
        return log_sum_exp(rows + np.log(weights)[:, None])

    def asked(self, members: Sequence[int]) -> Sequence[int]:
        """Return the members themselves; of a product all or none."""
        return members if self.mix == "mixture" or len(members) == len(self.sources) else ()


class ProxyTuning(Combination):
    """A model steered by how tuning changed another: base + alpha (expert - antiexpert).

    ``log p`` is ``log base + alpha (log expert - log antiexpert)``, normalised (Liu et al.,
    COLM 2024), over bytes, so that the vocabularies may differ. Exactly what `base` can
    produce is possible: an outcome that the expert or the anti-expert cannot produce keeps the
    value that `base` gives it, and once such a byte was chosen `base` is alone.

    Args:
        base: The model that is steered.
        expert: A tuned model.
        antiexpert: The same before it was tuned.
        alpha: How strongly.

    Raises:
        UsageError: If `alpha` is not a number.
    """

    def __init__(
        self,
        base: ByteSource,
        expert: ByteSource,
        antiexpert: ByteSource,
        alpha: float = 1.0,
    ) -> None:
        if not math.isfinite(alpha):
            raise UsageError(f"alpha is {alpha}; give a finite number")
        super().__init__([base, expert, antiexpert])
        self.alpha = alpha

    def mixed(self, rows: Rows, members: Sequence[int]) -> ByteLogprobs:
        """Return the steered distribution, or that of `base` where the others have none."""
        base: ByteLogprobs = rows[0]
        if len(members) < len(self.sources):
            return base
        expert, antiexpert = rows[1], rows[2]
        known = np.isfinite(expert) & np.isfinite(antiexpert)
        change = np.zeros_like(base)
        np.subtract(expert, antiexpert, out=change, where=known)
        steered: ByteLogprobs = base + self.alpha * change
        return steered

    def asked(self, members: Sequence[int]) -> Sequence[int]:
        """Return all three, or `base` alone."""
        if len(members) == len(self.sources):
            return members
        return (0,) if 0 in members else ()


def _shares(n: int, weights: Sequence[float] | None) -> NDArray[np.float64]:
    """Return weights that sum to 1."""
    if n == 0:
        raise UsageError("an ensemble needs at least one model")
    shares = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    if shares.shape != (n,):
        raise UsageError(f"there are {n} models and {shares.size} weights; give one for each")
    if not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() == 0:
        raise UsageError(
            "weights have to be 0 or more, one of them more than 0; "
            "to steer away from a model use ProxyTuning"
        )
    return shares / float(shares.sum())


__all__ = ["Ensemble", "EnsembleScore", "EnsembleStream", "Mix", "ProxyTuning"]
