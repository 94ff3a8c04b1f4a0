"""What several models become together: a stream, a sample, a score."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.results import END, ByteLogprobs
from tokkit.byteprobs.sampling import Generation, SamplingOptions, generate
from tokkit.byteprobs.streams import ByteSource, ByteStream
from tokkit.errors import ImpossibleError
from tokkit.lm.model import Usage
from tokkit.tokenizer import to_bytes

Rows = NDArray[np.float64]
"""Log probabilities of the members' outcomes, ``float64[members, 257]``."""


@dataclass(frozen=True)
class EnsembleScore:
    """The probability of a text under several models.

    Attributes:
        n_bytes: Its length.
        logprob: The log probability of a text that begins with all of it.
        logprob_end: The log probability that the text ends there, after all of it.
        byte_logprobs: The log probability of each byte after those before it, ``float64[n]``.
        usage: What it took of all models.
    """

    n_bytes: int
    logprob: float
    logprob_end: float
    byte_logprobs: NDArray[np.float64] = field(repr=False)
    usage: Usage = field(default_factory=Usage)

    @property
    def bits_per_byte(self) -> float:
        """How many bits a byte takes, ``-logprob / (n_bytes * ln 2)``; NaN without bytes."""
        return -self.logprob / (self.n_bytes * math.log(2)) if self.n_bytes else math.nan

    def as_json(self) -> Mapping[str, object]:
        """The totals as JSON."""
        return {
            "n_bytes": self.n_bytes,
            "logprob": self.logprob,
            "logprob_end": self.logprob_end,
            "bits_per_byte": self.bits_per_byte if self.n_bytes else None,
            "forward_calls": self.usage.calls,
            "forward_tokens": self.usage.tokens,
        }


class Combination(ABC):
    """Sources whose distributions of the next byte become one.

    A member that gives a byte no probability cannot say what comes after it: from there on
    `mixed` is given only the rows of others.

    Args:
        sources: The members, in order.
    """

    def __init__(self, sources: Sequence[ByteSource]) -> None:
        self.sources = tuple(sources)

    @property
    def usage(self) -> Usage:
        """What was asked of the members so far; one that is there twice counts once."""
        members = {id(source): source for source in self.sources}.values()
        own = [getattr(source, "usage", Usage()) for source in members]
        return Usage(sum(each.calls for each in own), sum(each.tokens for each in own))

    @abstractmethod
    def mixed(self, rows: Rows, members: Sequence[int]) -> ByteLogprobs:
        """Return one distribution of several; it need not sum to 1.

        Args:
            rows: The distributions of those members that have one, ``float64[k, 257]``.
            members: Which these are, ascending.
        """

    @abstractmethod
    def asked(self, members: Sequence[int]) -> Sequence[int]:
        """Return whom to ask, of the members for which the text so far is possible.

        None of them: the text is impossible.
        """

    def stream(self, prefix: bytes | str = b"") -> "EnsembleStream":
        """Begin a stream after `prefix`.

        Raises:
            ImpossibleError: If no text begins with it.
        """
        return EnsembleStream(self, to_bytes(prefix))

    def sample(
        self, prompt: bytes | str = b"", **options: Unpack[SamplingOptions]
    ) -> Generation:
        """Go on with `prompt`; see `tokkit.byteprobs.sampling.generate`."""
        return generate(self, prompt, **options)

    def score(self, data: bytes | str) -> EnsembleScore:
        """Score a text, about all of which each member is asked at once where that is possible.

        Returns:
            Its `logprob_end` is about the end after all of the text, as with one model.

        Raises:
            ImpossibleError: If no text begins with it.
        """
        before, data = self.usage, to_bytes(data)
        stream = self.stream()
        stream.foresee(data)
        logprobs = np.empty(len(data))
        for place, byte in enumerate(data):
            logprobs[place] = stream.logprobs[byte]
            stream.push(byte)
        total, end = float(logprobs.sum()), float(stream.logprobs[END])
        return EnsembleScore(len(data), total, end, logprobs, self.usage.since(before))


class EnsembleStream:
    """A text that grows under several models; see `tokkit.byteprobs.streams.ByteStream`."""

    def __init__(self, combination: Combination, prefix: bytes) -> None:
        self._combination = combination
        self._prefix = prefix
        self._members: dict[int, ByteStream] = {}
        self._logprobs: ByteLogprobs | None = None
        self._rows: Rows | None = None
        self._logp_start: float | None = None if prefix else 0.0
        self._logp_pushed = 0.0
        self._length = len(prefix)
        for member, source in enumerate(combination.sources):
            with suppress(ImpossibleError):
                self._members[member] = source.stream(prefix)
        self._ask()
        if not self._members:
            raise ImpossibleError(
                f"no text of these models begins with {prefix[:40]!r}; shorten it"
            )

    @property
    def logprobs(self) -> ByteLogprobs:
        """Log probabilities of the next byte and of the end, ``float64[257]``.

        Raises:
            ImpossibleError: If the ensemble gives nothing a probability.
        """
        if self._logprobs is None:
            self._rows = np.stack([stream.logprobs for stream in self._members.values()])
            mixed = self._combination.mixed(self._rows, tuple(self._members))
            total = float(log_sum_exp(mixed[:, None])[0])
            if total == -math.inf:
                raise ImpossibleError(
                    "there is nothing the models together give a probability; a product "
                    "of them has to agree on something"
                )
            self._logprobs = mixed - total
        return self._logprobs

    @property
    def logp_prefix(self) -> float:
        """The log probability, under the ensemble, of a text that begins with what there is.

        The product of what the ensemble gives each byte after those before it. For the prefix
        the stream began with that takes a stream of its own, byte by byte, the first time.
        """
        if self._logp_start is None:
            stream = EnsembleStream(self._combination, b"")
            stream.foresee(self._prefix)
            for byte in self._prefix:
                stream.push(byte)
            self._logp_start = stream.logp_prefix
        return self._logp_start + self._logp_pushed

    def foresee(self, text: bytes) -> None:
        """Say what comes next, so that members can be asked about it at once.

        This changes how often they are asked, not what comes out.
        """
        for stream in self._members.values():
            tell = getattr(stream, "foresee", None)
            if tell is not None:
                tell(text)

    def push(self, byte: int) -> None:
        """Append a byte; members that give it no probability are asked no more.

        Raises:
            ImpossibleError: If the ensemble gives it none.
        """
        logprob, rows = float(self.logprobs[byte]), self._rows
        if logprob == -math.inf or rows is None:
            raise ImpossibleError(
                f"the text is impossible from byte {self._length} (0x{byte:02X}) on: no text "
                "of these models goes on like this"
            )
        for member, row in zip(tuple(self._members), rows, strict=True):
            if row[byte] == -math.inf:
                del self._members[member]
        self._ask()
        for stream in self._members.values():
            stream.push(byte)
        self._logp_pushed += logprob
        self._length += 1
        self._logprobs = None

    def _ask(self) -> None:
        """Keep the members whose word counts."""
        asked = self._combination.asked(tuple(self._members))
        self._members = {member: self._members[member] for member in asked}


def log_sum_exp(rows: Rows) -> NDArray[np.float64]:
    """Return ``log sum exp`` down each column of ``float64[k, n]``; -inf where all are."""
    highest = rows.max(axis=0)
    shift = np.where(np.isneginf(highest), 0.0, highest)
    with np.errstate(divide="ignore"):
        sums: NDArray[np.float64] = shift + np.log(np.exp(rows - shift).sum(axis=0))
    return sums
