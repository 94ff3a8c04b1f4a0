"""Which of the candidates comes next: penalties, least probabilities, chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.choosing import Chooser
from tokkit.dynamic.writing.retrieval import Candidates
from tokkit.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to write a text.

    Attributes:
        max_bytes: After how many bytes to stop; the last token may go beyond.
        temperature: What logits are divided by; 0: always the greatest one.
        top_k: How many tokens are considered, those with the greatest logits.
        min_p: Tokens less likely than this share of the likeliest one are left out, after the
            temperature (arXiv 2407.01082).
        repetition_penalty: What positive logits of tokens that were there already, in the
            prompt too, are divided by, and negative ones multiplied (arXiv 1909.05858).
        boost: What is added to the logits of new tokens before all that: the model has learned
            to say the beginning of a word, not all of it, so they seldom win by themselves.
        seed: Of the random numbers.

    Raises:
        UsageError: If a value is out of range.
    """

    max_bytes: int = 200
    temperature: float = 1.0
    top_k: int = 64
    min_p: float = 0.1
    repetition_penalty: float = 1.1
    boost: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("max_bytes", "top_k"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; give 1 or more")
        if not 0 <= self.min_p <= 1:
            raise UsageError(f"min_p is {self.min_p}; give a number from 0 to 1")
        if not 0 < self.repetition_penalty < float("inf"):
            raise UsageError(
                f"repetition_penalty is {self.repetition_penalty}; give a number above 0, "
                "1 for none"
            )
        self.chooser()

    def chooser(self) -> Chooser:
        """Return what draws tokens in this way, its random numbers at their beginning."""
        return Chooser(self.temperature, None, None, self.seed)


def penalise(
    candidates: Candidates, seen: NDArray[np.int64], penalty: float
) -> NDArray[np.float64]:
    """Return logits, lowered for tokens that were seen.

    Args:
        candidates: The tokens.
        seen: Ids, ascending.
        penalty: See `Options`.
    """
    logits = candidates.logits.astype(np.float64)
    known = np.isin(candidates.ids, seen, assume_unique=True)
    lowered = np.where(logits > 0, logits / penalty, logits * penalty)
    return np.where(known, lowered, logits)


def drop_unlikely(
    logits: NDArray[np.float64], min_p: float, temperature: float
) -> NDArray[np.float64]:
    """Return logits, ``-inf`` where a token's share of the greatest probability is too small.

    Probabilities are proportional to ``exp(logit / temperature)``, so their sum does not matter
    and tokens that are no candidates change nothing.

    Args:
        logits: Of the candidates.
        min_p: The least share; 0: any.
        temperature: What logits will be divided by.
    """
    if not min_p:
        return logits
    least = logits.max() + temperature * np.log(min_p)
    return np.where(logits < least, -np.inf, logits)
