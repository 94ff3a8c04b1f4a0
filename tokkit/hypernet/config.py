"""What a hypernetwork is, and how one is trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tokkit.errors import UsageError

PresetName = Literal["tiny", "small", "paper"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """The shape of a hypernetwork.

    Attributes:
        width: Of its layers; 0: as wide as the model's embeddings.
        layers: Blocks of attention and feed-forward that read the pieces of a token.
        heads: Heads of attention; 0: one for each 64 of the width.
        surface: How many pieces of a token are read; of longer ones the first and the last.
        residual: Whether it predicts what to add to a row composed of the pieces' rows, so that
            a new one is as good as the best heuristic; without, the row itself (as ZeTT does).

    Raises:
        UsageError: If a size is not positive.
    """

    width: int = 0
    layers: int = 3
    heads: int = 0
    surface: int = 7
    residual: bool = True

    def __post_init__(self) -> None:
        if self.layers < 1 or self.surface < 1 or self.width < 0 or self.heads < 0:
            raise UsageError(
                f"{self.layers} layers of width {self.width} that read {self.surface} pieces: "
                "give 1 or more of each"
            )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train a hypernetwork.

    Attributes:
        steps: Steps with the language model.
        warm_up_steps: Steps before them, without it, that only learn the source's own rows.
        warm_up_tokens: Source tokens in each of these.
        vocab_size: Tokens of a sampled vocabulary, bytes and white space included.
        noise: The median, over the steps, of the deviation of the noise that probabilities of
            tokens get before the best are kept.
        noise_spread: The deviation, over the steps, of its logarithm. Published is 4, with
            which a quarter of the vocabularies spells text mostly in bytes.
        across_words: In which share of the steps tokens may span words.
        block: Bytes of text whose substrings a step adds to the queue.
        queue: Blocks in the queue.
        batch: Texts in a batch, those of all processes together.
        length: Tokens of a text.
        accumulate: Batches, of one vocabulary, in a step.
        copy_known: Whether tokens that the source has keep its rows, as when transplanting;
            without, their rows are predicted too (as ZeTT does).
        lexical_weight: What the distance to the source's own rows counts for.
        lexical_tokens: Most tokens of a step whose rows are compared; 0: all that there are.
        rate: The highest learning rate with the language model; it rises linearly and falls
            to a tenth like a cosine.
        warm_up_rate: The same before.
        rising: In which share of the steps the rate rises.
        weight_decay: Of matrices.
        clip: The longest gradient that is taken as it is.
        precision: What products are computed in; weights stay float32.
        checkpointing: Whether the hypernetwork is run again for gradients, to save memory.
        save_every: After how many steps there is a checkpoint.
        judge_every: After how many steps held-out text is measured; 0: only at the end.
        seed: Of everything random.

    Raises:
        UsageError: If a number is out of range.
    """

    steps: int
    warm_up_steps: int
    warm_up_tokens: int
    vocab_size: int
    noise: float = 1e-5
    noise_spread: float = 1.0
    across_words: float
    block: int
    queue: int
    batch: int
    length: int
    accumulate: int = 1
    copy_known: bool = True
    lexical_weight: float = 0.5
    lexical_tokens: int = 512
    rate: float
    warm_up_rate: float
    rising: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    precision: Precision = "bfloat16"
    checkpointing: bool = False
    save_every: int = 100
    judge_every: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "length", "accumulate", "queue", "block", "save_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} cannot be {getattr(self, name)}: give 1 or more")
        if self.vocab_size <= 512:
            raise UsageError(
                f"a vocabulary of {self.vocab_size} tokens has no room for more than bytes and "
                "spaces: sample more than 512"
            )
        if not 0 <= self.across_words <= 1:
            raise UsageError(f"across_words cannot be {self.across_words}: give 0 to 1")


@dataclass(frozen=True)
class Preset:
    """A shape and a way to train it that fit together."""

    config: Config
    recipe: Recipe


PRESETS: Mapping[PresetName, Preset] = {
    "tiny": Preset(
        Config(layers=2, surface=7),
        Recipe(
            steps=1_400,
            warm_up_steps=0,
            warm_up_tokens=1_024,
            vocab_size=8_192,
            across_words=0.3,
            block=262_144,
            queue=8,
            batch=32,
            length=96,
            rate=2e-3,
            warm_up_rate=2e-3,
        ),
    ),
    "small": Preset(
        Config(layers=3, surface=7),
        Recipe(
            steps=10_000,
            warm_up_steps=0,
            warm_up_tokens=4_096,
            vocab_size=16_384,
            across_words=0.3,
            block=1_048_576,
            queue=16,
            batch=32,
            length=128,
            lexical_tokens=2_048,
            rate=3e-4,
            warm_up_rate=3e-4,
            save_every=500,
            judge_every=500,
        ),
    ),
    # arXiv 2405.07883, as its code has it: 10,000 + 190,000 steps of 128 texts of 128 tokens.
    "paper": Preset(
        Config(layers=3, surface=7, residual=False),
        Recipe(
            steps=190_000,
            warm_up_steps=10_000,
            warm_up_tokens=16_384,
            vocab_size=32_768,
            noise_spread=4.0,
            across_words=0.0,
            block=4_194_304,
            queue=16,
            batch=128,
            length=128,
            copy_known=False,
            lexical_tokens=0,
            rate=6e-5,
            warm_up_rate=3e-4,
            clip=0.1,
            checkpointing=True,
            save_every=1_000,
            judge_every=5_000,
        ),
    ),
}
"""``tiny``: an hour on two cores for a small model; ``small``: one GPU; ``paper``: ZeTT's."""
