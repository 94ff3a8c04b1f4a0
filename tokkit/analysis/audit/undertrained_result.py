"""What the embeddings of a model say of its tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.audit.indicators import Floats
from tokkit.tokenizer import Tokenizer
from tokkit.utf8 import is_utf8
from tokkit.visible import spell_bytes

if TYPE_CHECKING:
    import pandas as pd

PERCENTILE = 2.0
"""Of the tokens that text gives, those below are candidates."""
CONFIRMED = 0.01
"""A token that the model never gives a probability of so much is under-trained."""


@dataclass(frozen=True)
class Undertrained:
    """What the embeddings of a model say of its tokens.

    Attributes:
        name: What the model is called.
        tokenizer: Its tokenizer.
        shape: Rows and columns of its embeddings.
        tied: Whether the output matrix is the input matrix.
        indicators: Of each row, by the name of the indicator, ``float64[rows]``; the first
            is the one that decides.
        unused: The ids known to be unused, by how that is known.
        tested: The ids that text gives and that are no special tokens.
        threshold: The greatest value that a candidate has.
        candidates: The ids below the percentile, the least first.
        probabilities: The highest probability that the model gave a token when asked to
            repeat it, of the candidates that were asked for.
        controls: The same of tokens from the middle.
    """

    name: str
    tokenizer: Tokenizer
    shape: tuple[int, int]
    tied: bool
    indicators: Mapping[str, Floats]
    unused: Mapping[str, Sequence[int]]
    tested: NDArray[np.int64]
    threshold: float
    candidates: tuple[int, ...]
    probabilities: Mapping[int, float] = field(default_factory=dict)
    controls: Mapping[int, float] = field(default_factory=dict)

    @property
    def main(self) -> str:
        """The name of the indicator that decides."""
        return next(iter(self.indicators))

    @property
    def values(self) -> Floats:
        """The indicator that decides."""
        return self.indicators[self.main]

    @property
    def known(self) -> list[int]:
        """All ids known to be unused, in order."""
        return sorted({token for ids in self.unused.values() for token in ids})

    @property
    def like_unused(self) -> int:
        """How many tested tokens are below nine in ten of the unused ones."""
        if not self.known:
            return 0
        limit = np.quantile(self.values[self.known], 0.9)
        return int((self.values[self.tested] <= limit).sum())

    @property
    def controls_below(self) -> int:
        """How many tokens from the middle the model could not be made to repeat either."""
        return sum(each < CONFIRMED for each in self.controls.values())

    @property
    def confirmed(self) -> tuple[int, ...]:
        """Candidates that the model could not be made to repeat."""
        asked = self.probabilities
        return tuple(each for each in self.candidates if asked.get(each, 1.0) < CONFIRMED)

    def spell(self, token: int) -> str:
        """Write a token for people."""
        vocab = self.tokenizer.vocab
        if token >= len(vocab):
            return ""
        names = {number: text for text, number in vocab.specials.items()}
        return names.get(token) or spell_bytes(vocab.tokens[token])

    def frame(self) -> "pd.DataFrame":
        """Return one row per row of the embeddings.

        Columns: ``id``, ``text``, ``group`` (tested, special, or how it is known to be
        unused), a column per indicator, ``candidate``, ``whole`` (whether the token is whole
        characters), ``probability`` and ``confirmed`` (both empty where it was not asked for).
        """
        import pandas as pd

        rows = range(self.shape[0])
        asked = {**self.controls, **self.probabilities}
        tokens = self.tokenizer.vocab.tokens
        candidates, confirmed = set(self.candidates), set(self.confirmed)
        return pd.DataFrame(
            {
                "id": rows,
                "text": [self.spell(token) for token in rows],
                "group": self.groups(),
                **self.indicators,
                "candidate": [token in candidates for token in rows],
                "whole": [token < len(tokens) and is_utf8(tokens[token]) for token in rows],
                "probability": [asked.get(token) for token in rows],
                "confirmed": [token in confirmed if token in asked else None for token in rows],
            }
        )

    def groups(self) -> list[str]:
        """Say of each row what it is."""
        names = ["special"] * self.shape[0]
        for token in self.tested.tolist():
            names[token] = "tested"
        for kind, tokens in self.unused.items():
            for token in tokens:
                names[token] = kind
        return names

    def as_json(self) -> dict[str, Any]:
        """Figures and candidates."""
        return {
            "model": self.name,
            "rows": self.shape[0],
            "hidden": self.shape[1],
            "tied": self.tied,
            "indicator": self.main,
            "percentile": PERCENTILE,
            "threshold": self.threshold,
            "tested": len(self.tested),
            "unused": {kind: len(ids) for kind, ids in self.unused.items()},
            "like_unused": self.like_unused,
            "asked": len(self.probabilities),
            "confirmed": len(self.confirmed),
            "controls": len(self.controls),
            "controls_below": self.controls_below,
            "candidates": [
                {
                    "id": token,
                    "text": self.spell(token),
                    "indicator": float(self.values[token]),
                    "probability": self.probabilities.get(token),
                }
                for token in self.candidates
            ],
        }

    def __rich__(self) -> Any:
        from tokkit.analysis.audit.undertrained_showing import show

        return show(self)
