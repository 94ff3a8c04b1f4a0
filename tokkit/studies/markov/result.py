"""What a study of a Markov source found."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from tokkit.stats import Interval, student_mean
from tokkit.studies.markov.losses import useful_size
from tokkit.studies.markov.plan import Plan
from tokkit.studies.markov.source import Source

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType

THEOREM = (
    "H / (1 - e), e = log(1/least probability) / (0.99 log size): Rajaraman, Jiao and "
    "Ramchandran, arXiv 2404.08335. For single tokens of a large LZW dictionary, in the limit "
    "of long texts; learning from little text, or cutting other text than was learned from, "
    "may lose more. It is far from tight."
)
_LEFT = 0.1
"""How far from the unigram bound to the entropy rate a model is that has left the plateau."""


@dataclass(frozen=True)
class Loss:
    """What models that are counted lose on the held-out text of one seed.

    Attributes:
        dictionary: How text is cut.
        size: How many tokens were asked for.
        seed: Of the text.
        tokens: How many tokens there are.
        unigram: Loss of single tokens, nats per character.
        ngram: Loss of the longest n-grams of tokens, nats per character.
        characters_per_token: Held-out characters by held-out tokens.
        window_nearly_all: How many characters 99 % of windows of tokens cover at least.
        window_half: The same of half of them.
        theorem_bound: See `tokkit.studies.markov.losses.theorem_bound`; LZW only.
    """

    dictionary: str
    size: int
    seed: int
    tokens: int
    unigram: float
    ngram: float
    characters_per_token: float
    window_nearly_all: float
    window_half: float
    theorem_bound: float | None


@dataclass(frozen=True)
class CurvePoint:
    """A transformer after some steps.

    Attributes:
        dictionary: What it reads.
        size: How many tokens were asked for.
        seed: Of its text and its weights.
        step: How many steps it has taken.
        characters: How many characters it was to foretell in them.
        loss: What it loses on held-out text, nats per character.
    """

    dictionary: str
    size: int
    seed: int
    step: int
    characters: int
    loss: float


@dataclass(frozen=True)
class Result:
    """Everything that was found.

    Attributes:
        source: What the text is from.
        plan: What was asked for.
        losses: Of models that are counted: one per dictionary, size and seed.
        points: Of transformers, as they learn; empty if none was trained.
        own: The loss of the source itself on the held-out text of each seed, which is what the
            entropy rate happens to be there.
    """

    source: Source
    plan: Plan
    losses: Sequence[Loss]
    points: Sequence[CurvePoint]
    own: Sequence[float]

    def frame(self) -> "pandas.DataFrame":
        """Return one line per dictionary, size and seed, with the attributes of `Loss`."""
        import pandas

        return pandas.DataFrame([asdict(loss) for loss in self.losses])

    def curves(self) -> "pandas.DataFrame":
        """Return one line per measured step, with the attributes of `CurvePoint`."""
        import pandas

        return pandas.DataFrame(
            [asdict(point) for point in self.points], columns=list(CurvePoint.__annotations__)
        )

    def bounds(self) -> Mapping[int, float]:
        """Return, by how many characters are seen, the least loss of any model, in nats.

        The first is that of single characters, the last the entropy rate.
        """
        return {seen: self.source.bound(seen) for seen in range(self.source.order + 1)}

    def mean_losses(self, column: str) -> dict[tuple[str, int], Interval]:
        """Return the mean over seeds of a loss, with its interval, by dictionary and size."""
        found: dict[tuple[str, int], list[float]] = {}
        for loss in self.losses:
            found.setdefault((loss.dictionary, loss.size), []).append(getattr(loss, column))
        return {key: student_mean(each) for key, each in found.items()}

    def mean_curve(self, dictionary: str) -> dict[int, Interval]:
        """Return the mean over seeds of a transformer's loss, with its interval, by step."""
        found: dict[int, list[float]] = {}
        for point in self.points:
            if point.dictionary == dictionary:
                found.setdefault(point.step, []).append(point.loss)
        return {step: student_mean(each) for step, each in found.items()}

    def left_plateau(self, dictionary: str) -> int | None:
        """Return the first measured step at which a transformer beats single characters.

        That is, by a tenth of what there is to gain, in the mean over seeds; None: not so far.
        """
        rate, unigram = self.source.entropy_rate, self.source.bound(0)
        line = unigram - _LEFT * (unigram - rate)
        curve = self.mean_curve(dictionary)
        return next((step for step, loss in curve.items() if loss.value < line), None)

    def at_equal_characters(self) -> tuple[int, dict[str, float]]:
        """Return the most characters that all transformers saw, and their mean losses by then.

        Between measured steps losses are interpolated.
        """
        import numpy as np

        runs: dict[tuple[str, int], list[CurvePoint]] = {}
        for point in self.points:
            runs.setdefault((point.dictionary, point.seed), []).append(point)
        most = min((run[-1].characters for run in runs.values()), default=0)
        losses: dict[str, list[float]] = {}
        for (dictionary, _), run in runs.items():
            seen, found = [p.characters for p in run], [p.loss for p in run]
            losses.setdefault(dictionary, []).append(float(np.interp(most, seen, found)))
        return most, {name: sum(each) / len(each) for name, each in losses.items()}

    def as_json(self) -> dict[str, Any]:
        """Everything that was found, in nats per character."""
        source = self.source
        useful = useful_size(source.entropy_rate, source.bound(0), source.least_chance)
        most, equal = self.at_equal_characters()
        names = list(dict.fromkeys(point.dictionary for point in self.points))
        return {
            "source": source.name,
            "order": source.order,
            "symbols": source.size,
            "entropy_rate": source.entropy_rate,
            "unigram_bound": source.bound(0),
            "bounds": {str(seen): bound for seen, bound in self.bounds().items()},
            "held_out_loss_of_source": list(self.own),
            "plan": asdict(self.plan),
            "losses": [_finite(asdict(loss)) for loss in self.losses],
            "means": self._means(),
            "theorem": {
                "statement": THEOREM,
                "useful_from": useful if isfinite(useful) else None,
            },
            "transformers": [
                {
                    "dictionary": name,
                    "left_plateau": self.left_plateau(name),
                    "at_equal_characters": equal[name],
                    "curve": [asdict(p) for p in self.points if p.dictionary == name],
                }
                for name in names
            ],
            "equal_characters": most,
        }

    def _means(self) -> list[dict[str, Any]]:
        """Return the losses over all seeds, as JSON; None for intervals of one seed."""
        single, longer = self.mean_losses("unigram"), self.mean_losses("ngram")
        return [
            {
                "dictionary": name,
                "size": size,
                "unigram": _finite(single[name, size]._asdict()),
                "ngram": _finite(longer[name, size]._asdict()),
            }
            for name, size in single
        ]

    def __rich__(self) -> "RenderableType":
        from tokkit.studies.markov.showing import show

        return show(self)


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """Replace what JSON has no number for by None."""
    return {
        key: None if isinstance(value, float) and not isfinite(value) else value
        for key, value in row.items()
    }
