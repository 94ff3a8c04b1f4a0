"""Trials whose models learn to answer questions."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tokkit.lm.train_run import IGNORED, Run
from tokkit.studies.scratch.decoding import greedy
from tokkit.studies.scratch.groups import Values, digit_counts
from tokkit.studies.scratch.problems import Source
from tokkit.studies.scratch.rows import lengths, lesson
from tokkit.studies.scratch.trial import ALL, Measured


@dataclass(frozen=True)
class Asking:
    """Fresh problems in every step, and an exam of those that are held out.

    Attributes:
        tokenization: Its name.
        source: Where problems come from.
    """

    tokenization: str
    source: Source

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        return self.source.vocab_size

    @property
    def begins(self) -> int:
        """Nothing begins a question; the token that ends answers."""
        return self.source.end

    @property
    def ends(self) -> int:
        """The token that ends answers."""
        return self.source.end

    @property
    def context(self) -> int:
        """How many tokens a question and its answer have at most."""
        return self.source.context

    @property
    def digest(self) -> str:
        """Of the problems there is nothing more to say."""
        return repr(self.source)

    def advance(self, run: Run) -> int:
        """Take a step on problems that the run's seed and step choose.

        Returns:
            How many tokens the model read, padding apart.
        """
        chance = np.random.default_rng([run.schedule.seed, run.step])
        problems = self.source.draw(chance, run.schedule.batch)
        inputs, targets = lesson(problems.questions, problems.answers)
        run.advance_on(inputs, targets)
        # The token that ends an answer is foretold, not read.
        return int(lengths(problems.questions).sum() + (targets != IGNORED).sum()) - len(inputs)

    def measure(self, model: Any) -> Measured:
        """Let a model answer what is held out."""
        problems = self.source.held_out
        said = self.source.read(
            greedy(model, problems.questions, self.ends, self.source.longest_answer)
        )
        is_right = said == problems.truths
        masks = {ALL: np.ones(len(said), dtype=bool)}
        masks |= {str(kind): problems.kinds == kind for kind in np.unique(problems.kinds)}
        counts = {
            name: (int(mask.sum()), int(is_right[mask].sum())) for name, mask in masks.items()
        }
        columns = {
            **problems.columns,
            "kind": problems.kinds,
            "truth": problems.truths,
            "answer": said,
        }
        return Measured(
            float(is_right.mean()), counts | right_digits(problems.truths, said), columns
        )


def right_digits(truths: Values, said: Values) -> dict[str, tuple[int, int]]:
    """Count the right digits of each place, the last digit of a number being ``digit 1``.

    Returns:
        How many true answers have such a digit, and how many answers agree there; an answer
        that is too short, or none, does not.
    """
    found = {}
    sizes = digit_counts(truths)
    for place in range(1, int(sizes.max()) + 1):
        unit = 10 ** (place - 1)
        has_it = sizes >= place
        agrees = (truths // unit % 10 == said // unit % 10) & (digit_counts(said) >= place)
        found[f"digit {place}"] = (
            int(has_it.sum()),
            int((has_it & agrees & (said >= 0)).sum()),
        )
    return found
