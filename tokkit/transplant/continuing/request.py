"""What continued training is asked to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tokkit.corpus import Corpus, OnError, open_corpus
from tokkit.errors import UsageError
from tokkit.lm.train_run import BETAS, Schedule

Trained = Literal["all", "embeddings", "new-rows"]
RATE = 3e-6
"""The learning rate of all weights: ZeTT's, for models of 1 to 7 billion parameters."""
ROW_RATE = 0.03
"""That of embeddings alone, relative to the root mean square of a number in them, so that it
fits models of any width; the best of those tried on small models (docs/log.md)."""
LENGTH = 512
"""Tokens of a window, if the model has the context for them; ZeTT's."""
WEIGHT_DECAY = 0.01


@dataclass(frozen=True, kw_only=True)
class Request:
    """How to train a model on. What has a default is as in ZeTT's n-shot stage, but the batch.

    That reads 32 windows a step (``batch=8, accumulate=4``), for 50,000 steps.

    Attributes:
        corpus: The text: files, globs, folders, datasets; see `tokkit.corpus.open_corpus`.
        steps: How many steps of AdamW to take.
        train: ``all`` weights, the ``embeddings`` (input, output, and the head's bias), or the
            ``new-rows`` that the model's plan says are guesses.
        rate: The highest learning rate; None: `RATE`, or what `ROW_RATE` makes it.
        shape: Whether it stays, or falls to zero like a cosine.
        warm_up: In which share of the steps it rises from nothing.
        clip: The longest gradient that is taken as it is.
        batch: Windows that are read at once, in all processes together.
        accumulate: How many batches make a step.
        length: Tokens of a window; None: `LENGTH`, or what the model has context for.
        lexical_weight: How much it counts that embeddings move away from where they began.
        precision: What products are computed in; the weights in training are float32.
        checkpointing: Compute activations twice, to keep few of them.
        evaluate: Text to measure bits per byte on, before and after, each a slice.
        seed: Of the choice of windows, and of dropout.
        save_every: After how many steps the state is kept.
        text_column: The field of a record that holds its text.
        on_error: Whether a bad record ends the job or is left out.
    """

    corpus: Sequence[str]
    steps: int
    train: Trained = "all"
    rate: float | None = None
    shape: Literal["constant", "cosine"] = "constant"
    warm_up: float = 0.0
    clip: float = 0.1
    batch: int = 8
    accumulate: int = 1
    length: int | None = None
    lexical_weight: float = 0.5
    precision: Literal["float32", "bfloat16"] = "float32"
    checkpointing: bool = False
    evaluate: Sequence[str] = ()
    seed: int = 0
    save_every: int = 100
    text_column: str = "text"
    on_error: OnError = "raise"

    def __post_init__(self) -> None:
        if not self.corpus:
            raise UsageError("there is nothing to train on: name text with --corpus")
        if min(self.steps, self.batch, self.accumulate, self.save_every) < 1:
            raise UsageError("--steps, --batch, --accumulate and --save-every start at 1")
        if self.lexical_weight < 0 or (self.rate is not None and self.rate <= 0):
            raise UsageError("--lexical-weight is 0 or more, --rate is more than 0")

    @property
    def schedule(self) -> Schedule:
        """How the steps are taken."""
        return Schedule(
            steps=self.steps,
            batch=self.batch * self.accumulate,
            rate=RATE if self.rate is None else self.rate,
            shape=self.shape,
            warm_up=self.warm_up,
            betas=BETAS,
            weight_decay=WEIGHT_DECAY,
            clip=self.clip,
            seed=self.seed,
            precision=self.precision,
            save_every=self.save_every,
        )

    def decisive(self) -> dict[str, Any]:
        """Return what decides the weights that come out, as JSON, but model and text."""
        free = ("corpus", "evaluate", "save_every", "text_column", "on_error")
        return {name: value for name, value in vars(self).items() if name not in free}

    def open(self, paths: Sequence[str]) -> Corpus:
        """Find the files of a text.

        Raises:
            CorpusError: If one is missing or damaged.
        """
        return open_corpus(paths, self.text_column, self.on_error)
