"""What is found about bytes, as values that know how to become JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.lm.model import Usage
from tokkit.utf8 import END as END

if TYPE_CHECKING:
    from pandas import DataFrame

Segmentation = Literal["renorm", "mask", "all"]
"""What the probability of bytes under a model of tokens means, see `tokkit.byteprobs`."""

SEGMENTATIONS: tuple[Segmentation, ...] = ("renorm", "mask", "all")
"""All of them, the default first."""

_SHOWN = 5
"""How many outcomes a `repr` shows."""

ByteLogprobs = NDArray[np.float64]
"""Log probabilities of the next byte, and of the end of the text: ``float64[257]``."""


@dataclass(frozen=True)
class Leaks:
    """What a model gives to tokens that no text continues with; shares of its probability.

    Attributes:
        noncanonical: To tokens with bytes that the tokenizer would not produce there.
        special: To special and unused ids that do not end a text.
        pruned: Of the prefix' probability, to sequences left out of a beam (``all`` only).
    """

    noncanonical: float = 0.0
    special: float = 0.0
    pruned: float = 0.0


@dataclass(frozen=True, repr=False)
class NextByte:
    """The distribution of the next byte.

    Attributes:
        logprobs: Natural logarithms, ``float64[257]``; the last is the end of the text.
        logp_prefix: The log probability of a text that begins with the prefix.
        segmentation: Which definition was used.
        method: How canonical sequences were told apart; empty for ``all``.
        exact: Whether that is exact; for ``all``, whether nothing was left out of the beam.
        leaks: What the model gives to other outcomes.
        usage: What it took.
        prefix: The text before.
        bytes_read: How much of its end the model read; less than all of it where that is
            longer than the model's context.
    """

    logprobs: ByteLogprobs
    logp_prefix: float
    segmentation: Segmentation
    method: str
    exact: bool
    leaks: Leaks
    usage: Usage = field(default_factory=Usage)
    prefix: bytes = b""
    bytes_read: int = 0

    @property
    def probs(self) -> NDArray[np.float64]:
        """Probabilities, ``float64[257]``."""
        return np.exp(self.logprobs)

    def as_json(self) -> Mapping[str, object]:
        """Everything as JSON: ``probs`` by byte value, ``eos``, ``logp_prefix`` and so on."""
        probs = self.probs.tolist()
        return {
            "probs": {str(byte): probs[byte] for byte in range(END)},
            "eos": probs[END],
            "logp_prefix": self.logp_prefix,
            "segmentation": self.segmentation,
            "method": self.method,
            "exact": self.exact,
            "leaked": vars(self.leaks),
            "prefix_bytes": len(self.prefix),
            "bytes_read": self.bytes_read,
            "forward_calls": self.usage.calls,
            "forward_tokens": self.usage.tokens,
        }

    def frame(self, top: int | None = None) -> "DataFrame":
        """Return the outcomes as a table, likeliest first.

        Args:
            top: How many; None: all 257.

        Returns:
            Columns ``outcome`` (0 to 255, 256 for the end), ``text`` (how it is written for
            people, such as ``"␠"``), ``probability`` and ``logprob``.
        """
        from pandas import DataFrame

        from tokkit.byteprobs.spelling import spell

        order = np.argsort(-self.logprobs, kind="stable")[:top]
        texts = [spell(outcome, self.prefix) for outcome in order.tolist()]
        shares = {"probability": self.probs[order], "logprob": self.logprobs[order]}
        return DataFrame({"outcome": order, "text": texts, **shares})

    def __repr__(self) -> str:
        from tokkit.byteprobs.spelling import spell

        order = np.argsort(-self.logprobs, kind="stable")[:_SHOWN].tolist()
        said = [f"{spell(each, self.prefix)!r}: {self.probs[each]:.4g}" for each in order]
        exact = "exact" if self.exact else "approximate"
        return f"NextByte({{{', '.join(said)}, …}}, {self.segmentation}, {exact})"

    def _repr_html_(self) -> str:
        """Show the likeliest outcomes as a table in a notebook."""
        return str(self.frame(2 * _SHOWN).to_html(index=False, border=0))


@dataclass(frozen=True)
class Score:
    """The probability of a document.

    Attributes:
        n_bytes: Its length.
        logprob: The log probability of a text that begins with all of it.
        logprob_end: The log probability that the text ends there, after all of it; None if it
            was not asked for.
        byte_logprobs: The log probability of each byte after those before it, ``float64[n]``;
            None if only the total was asked for. With ``renorm`` its sum is `logprob`; the
            others normalise every next-byte distribution anew, since not all that a model
            gives to the next token is given to a byte.
        n_tokens: The tokens of the document's own encoding.
        token_logprob: The log probability of these tokens.
        windows: In how many windows the document was read.
        segmentation: Which definition was used.
        method: How canonical sequences were told apart.
        exact: Whether that is exact.
        leaks: What the model gives to other outcomes, on average over the tokens.
        usage: What it took.
    """

    n_bytes: int
    logprob: float
    logprob_end: float | None
    byte_logprobs: NDArray[np.float64] | None = field(repr=False)
    n_tokens: int
    token_logprob: float
    windows: int
    segmentation: Segmentation
    method: str
    exact: bool
    leaks: Leaks
    usage: Usage = field(default_factory=Usage, repr=False)

    @property
    def bits_per_byte(self) -> float:
        """How many bits a byte takes, ``-logprob / (n_bytes * ln 2)``; NaN without bytes."""
        return _bits(self.logprob, self.n_bytes)

    @property
    def token_bits_per_byte(self) -> float:
        """The same from the tokens of the document's own encoding."""
        return _bits(self.token_logprob, self.n_bytes)


def _bits(logprob: float, n_bytes: int) -> float:
    return -logprob / (n_bytes * float(np.log(2))) if n_bytes else float("nan")
