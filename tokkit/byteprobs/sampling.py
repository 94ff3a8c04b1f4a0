"""Text written byte by byte, from anything that says how likely each next byte is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.choosing import Sampling, SamplingOptions
from tokkit.byteprobs.results import END
from tokkit.byteprobs.streams import ByteSource, ByteStream
from tokkit.errors import ImpossibleError, UsageError
from tokkit.lm.model import Usage
from tokkit.tokenizer import to_bytes
from tokkit.utf8 import allowed, unfinished

Finish = Literal["end", "stop", "length"]
"""Why a text is over: the model ended it, a stop string came, or `max_bytes` were written."""


@dataclass(frozen=True)
class Generation:
    """A text that was written.

    Attributes:
        data: Its bytes, without the prompt and without the stop string.
        text: The same as text; begins with a whole character where the prompt stops inside
            one. What is not UTF-8 is U+FFFD.
        logprob: The log probability that the prompt goes on with `data` and, if `finish` is
            ``"end"``, ends there: at temperature 1, among all outcomes.
        finish: Why it is over.
        usage: What it took of the models; zero where that is not known.
    """

    data: bytes
    text: str
    logprob: float
    finish: Finish
    usage: Usage = field(default_factory=Usage)

    def as_json(self) -> Mapping[str, object]:
        """Everything as JSON; ``hex`` spells the bytes, whatever they are."""
        return {
            "text": self.text,
            "hex": self.data.hex(),
            "n_bytes": len(self.data),
            "logprob": self.logprob,
            "finish": self.finish,
            "forward_calls": self.usage.calls,
            "forward_tokens": self.usage.tokens,
        }


def generate(
    source: ByteSource | ByteStream,
    prompt: bytes | str = b"",
    **options: Unpack[SamplingOptions],
) -> Generation:
    """Write a text.

    One uniform number is drawn per outcome, from Philox (Salmon et al., SC 2011), and turned
    into an outcome by the inverse of the distribution function, bytes in order and the end
    last: the same seed gives the same text wherever the probabilities are the same.

    Args:
        source: A model, an ensemble, or a stream, which is pushed on.
        prompt: What comes before; of a stream, what it was begun with (all that counts then is
            whether that stops inside a character).
        **options: See `Sampling`.

    Raises:
        ImpossibleError: If no outcome has a probability.
        UsageError: If an option is out of range.
    """
    before = _usage(source)
    writer = _Writer(source, to_bytes(prompt), Sampling(**options))
    for _ in writer:
        pass
    return writer.result(_usage(source).since(before))


def stream_bytes(
    source: ByteSource | ByteStream,
    prompt: bytes | str = b"",
    **options: Unpack[SamplingOptions],
) -> Iterator[bytes]:
    """Write a text, yielding its bytes as soon as they are sure to belong to it.

    Joined they are the ``data`` of `generate` with the same arguments. With ``utf8`` every
    part ends with a whole character.
    """
    yield from _Writer(source, to_bytes(prompt), Sampling(**options))


def stream_text(
    source: ByteSource | ByteStream,
    prompt: bytes | str = b"",
    **options: Unpack[SamplingOptions],
) -> Iterator[str]:
    """Write a text, yielding whole characters as soon as they are sure to belong to it.

    Joined they are the ``text`` of `generate` with the same arguments, of which ``utf8`` has
    to be true.

    Raises:
        UsageError: If ``utf8`` is false.
    """
    sampling = Sampling(**options)
    if not sampling.utf8:
        raise UsageError("bytes that need not be UTF-8 cannot be streamed as text; use bytes")
    begun = unfinished(to_bytes(prompt))
    for part in _Writer(source, to_bytes(prompt), sampling):
        yield (begun + part).decode()
        begun = b""


class _Writer:
    """A text being written; iterating yields the parts of it that are decided."""

    def __init__(
        self, source: ByteSource | ByteStream, prompt: bytes, sampling: Sampling
    ) -> None:
        self._stream = source.stream(prompt) if hasattr(source, "stream") else source
        self._begun = unfinished(prompt)
        self._sampling = sampling
        self._stops = sampling.stops
        self._chooser = sampling.chooser()
        self._data = bytearray()
        self._logprobs: list[float] = []
        self._finish: Finish = "length"

    def __iter__(self) -> Iterator[bytes]:
        shown = 0
        while len(self._data) < self._sampling.max_bytes and not self._step():
            sure = self._sure()
            if sure > shown:
                yield bytes(self._data[shown:sure])
                shown = sure
        if self._sampling.utf8:
            del self._data[self._whole(len(self._data)) :]
        if len(self._data) > shown:
            yield bytes(self._data[shown:])

    def _step(self) -> bool:
        """Choose an outcome; tell whether that ends the text."""
        logprobs = self._stream.logprobs
        outcome = self._chooser.choose(self._open(logprobs))
        self._logprobs.append(float(logprobs[outcome]))
        if outcome == END:
            self._finish = "end"
            return True
        self._data.append(outcome)
        ended = [stop for stop in self._stops if self._data.endswith(stop)]
        if ended:
            del self._data[-max(map(len, ended)) :]
            self._finish = "stop"
            return True
        # The last byte is chosen without asking what would come after it.
        if len(self._data) < self._sampling.max_bytes:
            self._stream.push(outcome)
        return False

    def _open(self, logprobs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Leave out what is not UTF-8, if only that is wanted."""
        if not self._sampling.utf8:
            return logprobs
        pending = unfinished(self._begun + self._data[-3:])
        considered = np.where(allowed(pending), logprobs, -np.inf)
        if np.isneginf(considered).all() and not np.isneginf(logprobs).all():
            raise ImpossibleError(
                f"after the bytes {pending.hex(' ')} nothing that can follow is UTF-8; "
                "sample with utf8=False"
            )
        return considered

    def _sure(self) -> int:
        """How many bytes no stop string can take back any more, in whole characters."""
        held = max((_overlap(self._data, stop) for stop in self._stops), default=0)
        sure = len(self._data) - held
        return self._whole(sure) if self._sampling.utf8 else sure

    def _whole(self, end: int) -> int:
        """Where the last whole character ends, at `end` or before."""
        seen = self._begun + self._data[max(end - 3, 0) : end]
        return max(end - len(unfinished(seen)), 0)

    def result(self, usage: Usage) -> Generation:
        """Return what was written; all of it has to be."""
        data = bytes(self._data)
        chosen = self._logprobs[: len(data)]
        if self._finish == "end":
            chosen = self._logprobs
        text = (self._begun + data).decode("utf-8", "replace")
        return Generation(data, text, float(np.sum(chosen)), self._finish, usage)


def _overlap(data: bytearray, stop: bytes) -> int:
    """How much of `stop` the data ends with, short of all: ``b"xab", b"abc" -> 2``."""
    sizes = range(min(len(stop) - 1, len(data)), 0, -1)
    return next((size for size in sizes if data.endswith(stop[:size])), 0)


def _usage(source: ByteSource | ByteStream) -> Usage:
    """Return what was asked of a source so far, as far as it says."""
    usage = getattr(source, "usage", None)
    return usage.copy() if isinstance(usage, Usage) else Usage()


__all__ = [
    "Finish",
    "Generation",
    "Sampling",
    "SamplingOptions",
    "generate",
    "stream_bytes",
    "stream_text",
]
