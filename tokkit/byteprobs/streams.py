"""What generating byte by byte is built on: one text that grows, of one model or several."""

from typing import Protocol

from tokkit.byteprobs.results import ByteLogprobs


class ByteStream(Protocol):
    """A text that grows by bytes, and what may come next.

    Attributes:
        logp_prefix: The log probability of a text that begins with what there is.
    """

    @property
    def logprobs(self) -> ByteLogprobs:
        """Log probabilities of the next byte and of the end, ``float64[257]``.

        Raises:
            ImpossibleError: If nothing is given a probability.
        """
        ...

    @property
    def logp_prefix(self) -> float:
        """The log probability of a text that begins with what there is."""
        ...

    def push(self, byte: int) -> None:
        """Append a byte.

        Raises:
            ImpossibleError: If no text has this byte here.
        """
        ...


class ByteSource(Protocol):
    """What a stream can be had from: a model seen through its bytes, or an ensemble."""

    def stream(self, prefix: bytes | str = b"") -> ByteStream:
        """Begin a stream after `prefix`."""
        ...
