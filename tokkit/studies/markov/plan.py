"""What a study of Markov sources measures, and on how much text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tokkit.errors import UsageError
from tokkit.studies.markov.dictionaries import NAMES, Name
from tokkit.studies.markov.source import Source

_BEGINNING = 25
SIZES = (4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """A small transformer, trained on tokens.

    The rate rises to its highest in the first fiftieth of the steps, then falls to a fifth of
    it. The defaults follow the smallest models of arXiv 2402.04161 and 2404.08335, which are
    of the kind of GPT-2: one layer, one head, learned positions.

    Attributes:
        steps: How many steps; 0: nothing is trained.
        dictionaries: On which tokens; a model for each.
        size: How many tokens those dictionaries have that can have any number.
        hidden_size: Width.
        layers: Blocks of attention and feed-forward.
        heads: Heads of attention.
        context: How many tokens the model sees.
        batch: Windows of `context` tokens a step takes.
        rate: The highest learning rate.
        device: Where to compute: ``auto``, ``cpu``, ``cuda``.
    """

    steps: int = 0
    dictionaries: Sequence[Name] = ("characters", "bpe")
    size: int = 20
    hidden_size: int = 16
    layers: int = 1
    heads: int = 1
    context: int = 256
    batch: int = 16
    rate: float = 2e-3
    device: str = "auto"

    def is_measured(self, step: int) -> bool:
        """Tell whether it is measured after so many steps: more often in the beginning."""
        if step < _BEGINNING:
            return step % 5 == 0 or step == self.steps
        every = _BEGINNING * max(self.steps // 1000, 1)
        return step % every == 0 or step == self.steps


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to measure.

    Attributes:
        dictionaries: What text is cut into.
        sizes: How many tokens they have, letters included.
        ngram: The longest n-gram of tokens that is counted, besides single tokens.
        window: Of how many tokens it is measured what they cover.
        training: How many characters dictionaries and models are learned from.
        held_out: How many characters losses are measured on.
        seeds: How many texts are drawn, each with a model of its own.
        seed: Of the first text; each draws two seeds of `Source.draw`, ``2 s`` and ``2 s + 1``.
        transformer: What is trained.
    """

    dictionaries: Sequence[Name] = NAMES
    sizes: Sequence[int] = SIZES
    ngram: int = 2
    window: int = 8
    training: int = 1_000_000
    held_out: int = 200_000
    seeds: int = 1
    seed: int = 0
    transformer: Transformer = field(default_factory=Transformer)

    def check(self, source: Source) -> None:
        """Refuse what cannot be measured before any work is done.

        Raises:
            UsageError: If a number is too small, there is nothing to measure, or the source has
                no one entropy rate.
        """
        _ = source.stationary
        if not self.dictionaries or not self.sizes:
            raise UsageError("name at least one dictionary and one size")
        if min(self.ngram, self.window, self.seeds, self.training) < 1 or self.held_out < 100:
            raise UsageError("all numbers of a study start at 1, held-out characters at 100")
        sizes = [*self.sizes, self.transformer.size] if self.transformer.steps else self.sizes
        if min(sizes) < source.size:
            raise UsageError(
                f"{min(sizes)} tokens cannot stand for {source.size} characters: ask for sizes "
                f"from {source.size}"
            )
        if max(sizes) >= self.training:
            raise UsageError(
                f"{self.training} characters cannot fill a dictionary of {max(sizes)} tokens: "
                "ask for more characters, or smaller sizes"
            )

    @property
    def all_seeds(self) -> range:
        """The seed of every text."""
        return range(self.seed, self.seed + self.seeds)
