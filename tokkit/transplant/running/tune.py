"""Training the new rows on text, with everything else as it is.

The new rows are parameters of their own, scattered into matrices that are not trained, so that
no other number of the model can change.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import CorpusError
from tokkit.lm.hf import HFModel
from tokkit.lm.score import fitting_segments
from tokkit.transplant.context import Progress, silent
from tokkit.transplant.running.drawing import draw
from tokkit.transplant.running.new_rows import NewRows, Training

SIZE = 512
"""The most bytes of a segment."""
MOST = 64 << 20
"""The most bytes of text that are held."""
_JUDGES = 64
"""Segments that are not trained on, to measure with; at most a tenth of all."""
_SAVE_EVERY = 50
STATE = "tuning.pt"
"""The file that a killed run goes on from."""


@dataclass(frozen=True, eq=False)
class Tuning:
    """What training found.

    Attributes:
        ids: The new tokens, ``int64[n]``.
        input: Their new input rows, ``float32[n, width]``.
        output: Their new output rows; None if the model's head is its input embedding.
        steps: How many steps were taken.
        losses: The loss of each, in nats per token.
        bits: Bits per token of text that was not trained on, before and after.
    """

    ids: NDArray[np.int64]
    input: NDArray[np.float32]
    output: NDArray[np.float32] | None
    steps: int
    losses: Sequence[float]
    bits: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """Return what a report says of it, as JSON."""
        few = max(self.steps // 20, 1)
        return {
            "tokens": len(self.ids),
            "steps": self.steps,
            "loss": {
                "start": float(np.mean(self.losses[:few])) if self.losses else None,
                "end": float(np.mean(self.losses[-few:])) if self.losses else None,
            },
            "held_out_bits_per_token": {"before": self.bits[0], "after": self.bits[1]},
        }


def tune(
    model: HFModel | str | Path,
    new: Sequence[int] | NDArray[np.integer[Any]],
    documents: Iterable[bytes],
    *,
    steps: int,
    batch: int = 16,
    rate: float = 0.03,
    seed: int = 0,
    checkpoint: Path | None = None,
    progress: Progress = silent,
) -> Tuning:
    """Train the input and output rows of new tokens to foretell text.

    On a CPU, and with equally many threads, a run that was killed and goes on gives the same
    rows bit for bit as one that was not.

    Args:
        model: The transplanted model, or its folder; it is not changed.
        new: The ids whose rows are guesses.
        documents: Text like what the model is for.
        steps: How many steps of AdamW to take; the rate rises, then falls like a cosine.
        batch: Segments in a step.
        rate: The highest learning rate, relative to the root mean square of a matrix.
        seed: Of the choice and the order of segments.
        checkpoint: The folder where a killed run's state is, and is kept; None: nowhere.
        progress: Told ``("tuning", steps done, steps)``.

    Returns:
        The new rows.

    Raises:
        CorpusError: If there is too little text.
        JobError: If the loss is not a number any more.
    """
    model = model if isinstance(model, HFModel) else HFModel.load(model)
    ids = np.unique(np.asarray(new, dtype=np.int64))
    drawn = draw(documents, min(steps * batch * SIZE, MOST), seed=seed, size=SIZE)
    parts = fitting_segments(drawn.segments, [model], SIZE)
    order = np.random.default_rng(seed).permutation(len(parts))
    judges = min(_JUDGES, len(parts) // 10 or 1)
    if len(parts) <= judges:
        raise CorpusError("the text to tune on is too short: give several documents")
    texts = model.tokenizer.encode_batch([parts[i] for i in order], parse_specials=False)
    with NewRows(model, ids) as rows:
        run = Training(rows, texts[judges:], steps=steps, batch=batch, rate=rate, seed=seed)
        before = rows.cost(texts[:judges], batch)
        _work(run, None if checkpoint is None else checkpoint / STATE, progress)
        after = rows.cost(texts[:judges], batch)
        first, second = rows.values()
    return Tuning(ids, first, second, steps, run.losses, (before / log(2), after / log(2)))


def _work(run: Training, file: Path | None, progress: Progress) -> None:
    """Take the steps that are left, and keep the state now and then."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        run.restore(file)
    progress("tuning", run.step, run.schedule.steps)
    while run.step < run.schedule.steps:
        run.advance()
        progress("tuning", run.step, run.schedule.steps)
        if file is not None and run.step % _SAVE_EVERY == 0:
            run.keep(file)
