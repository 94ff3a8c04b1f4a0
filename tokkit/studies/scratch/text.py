"""Trials whose models learn to foretell text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import CorpusError
from tokkit.lm.hf import HFModel
from tokkit.lm.score import score, segments
from tokkit.lm.train import begin_and_end, token_stream
from tokkit.lm.train_run import Run
from tokkit.studies.scratch.trial import Measured
from tokkit.tokenizer import Tokenizer

_PIECE = 4096
"""Long documents are taken as pieces of so many bytes."""
_PART = 20
"""One document or piece in so many is held out."""
_MOST = 50_000
"""About how many bytes of what is held out are measured on."""


@dataclass(frozen=True)
class Texts:
    """Documents to learn from, and segments to measure on.

    Attributes:
        learnt: Documents.
        held_out: Segments of other documents.
    """

    learnt: Sequence[bytes]
    held_out: Sequence[bytes]


def divide(documents: Sequence[bytes], size: int) -> Texts:
    """Hold some documents out, those with the least hashes.

    Args:
        documents: All of them; equal ones count once, long ones are taken in pieces.
        size: How many bytes a segment of those held out has at most.

    Raises:
        CorpusError: If there is nothing to learn from, or nothing to measure on.
    """
    pieces = list(dict.fromkeys(segments(documents, _PIECE)))
    if len(pieces) < 2:
        raise CorpusError(
            f"{sum(map(len, pieces)):,} bytes of text are too few to hold some out: give more"
        )
    order = sorted(pieces, key=lambda piece: blake2b(piece, digest_size=8).digest())
    apart = frozenset(order[: -(-len(pieces) // _PART)])
    learnt = [piece for piece in pieces if piece not in apart]
    held_out = segments((piece for piece in pieces if piece in apart), size)
    enough = int(np.searchsorted(np.cumsum([len(each) for each in held_out]), _MOST)) + 1
    return Texts(learnt, held_out[:enough])


@dataclass(frozen=True)
class Foretelling:
    """Windows of a text in every step, and bits per byte of another.

    Attributes:
        tokenization: Its name.
        tokenizer: What cuts texts; it has a token that begins or ends them.
        texts: What is learnt and measured.
        context: How many tokens a window has.
    """

    tokenization: str
    tokenizer: Tokenizer
    texts: Texts
    context: int

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        return len(self.tokenizer)

    @property
    def begins(self) -> int:
        """The token before texts."""
        return begin_and_end(self.tokenizer)[0]

    @property
    def ends(self) -> int:
        """The token behind texts."""
        return begin_and_end(self.tokenizer)[1]

    @property
    def digest(self) -> str:
        """Of the tokenizer and all texts."""
        found = blake2b(self._stream.tobytes(), digest_size=16)
        for each in self.texts.held_out:
            found.update(each)
        return f"{self.tokenizer.digest} {found.hexdigest()}"

    @cached_property
    def _stream(self) -> NDArray[np.int32]:
        stream = token_stream(self.texts.learnt, self.tokenizer)
        if len(stream) <= self.context:
            raise CorpusError(
                f"the texts have {len(stream)} tokens ({self.tokenization}), which fill no "
                f"window of {self.context + 1}: give more"
            )
        return stream

    def advance(self, run: Run) -> int:
        """Take a step on windows that the run's seed and step choose."""
        run.advance(self._stream)
        return run.schedule.batch * self.context

    def measure(self, model: Any) -> Measured:
        """Measure bits per byte, each segment by itself after the token before texts."""
        was_training = model.training
        scores = score(
            HFModel(model, self.tokenizer, name=self.tokenization, start=[self.begins]),
            self.texts.held_out,
        )
        model.train(was_training)
        columns = {"bytes": scores.sizes, "tokens": scores.tokens, "nats": scores.nats}
        return Measured(scores.bits_per_byte, columns=columns)
