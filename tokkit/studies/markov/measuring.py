"""The study: what is lost per character on text of known entropy, by how it is cut.

With the entropy rate known exactly, it is plain how far from perfect a model is; and where
single characters say nothing about what comes next, it is plain what tokens add.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from tokkit.kernels._jit import Bytes
from tokkit.progress import Progress, silent
from tokkit.studies.markov.dictionaries import Dictionaries, Dictionary, Name
from tokkit.studies.markov.losses import ngram_loss, theorem_bound, window_characters
from tokkit.studies.markov.plan import Plan, Transformer
from tokkit.studies.markov.result import CurvePoint, Loss, Result
from tokkit.studies.markov.source import Source

if TYPE_CHECKING:
    from tokkit.studies.markov.training import Point

NEARLY_ALL, HALF = 0.01, 0.5
"""Shares of the windows that may cover fewer characters than is reported."""


def study(
    source: Source, plan: Plan, *, workspace: Path | None = None, progress: Progress = silent
) -> Result:
    """Draw texts from a source, cut them in several ways, and measure what models lose.

    Args:
        source: What text is drawn from.
        plan: What to measure.
        workspace: Where models are kept while they are trained; a study that was killed goes
            on from there. None: nowhere.
        progress: Told ``("counting", cuttings done, cuttings)``, then ``("training", steps
            done, steps of all models)``.

    Returns:
        Every loss.

    Raises:
        UsageError: If the plan does not fit the source, or there is no such device.
        CorpusError: If there is too little text to train on.
        MissingExtraError: If a transformer is to be trained and torch is not installed.
        JobError: If a loss is not a number any more.
    """
    plan.check(source)
    train = _trainer(plan.transformer)
    cuttings = _cuttings(plan, source.size)
    losses: list[Loss] = []
    own: list[float] = []
    total = len(cuttings) * plan.seeds
    progress("counting", 0, total)
    for seed in plan.all_seeds:
        texts = _texts(source, plan, seed)
        own.append(source.loss(texts[1]))
        known = Dictionaries(texts[0], source.letters, max(size for _, size in cuttings))
        for name, size in cuttings:
            losses.append(_measure(known.get(name, size), texts, source, plan, seed))
            progress("counting", len(losses), total)
    points = list(_train(source, plan, train, workspace, progress)) if train else []
    return Result(source, plan, losses, points, own)


def _cuttings(plan: Plan, letters: int) -> list[tuple[Name, int]]:
    """List the dictionaries of all sizes; characters have one size."""
    pairs = product(plan.dictionaries, plan.sizes)
    cuttings = [(name, letters if name == "characters" else size) for name, size in pairs]
    return list(dict.fromkeys(cuttings))


def _texts(source: Source, plan: Plan, seed: int) -> tuple[Bytes, Bytes]:
    """Draw what is learned from and what is held out."""
    return source.draw(plan.training, 2 * seed), source.draw(plan.held_out, 2 * seed + 1)


def _measure(
    dictionary: Dictionary, texts: tuple[Bytes, Bytes], source: Source, plan: Plan, seed: int
) -> Loss:
    """Measure one dictionary on one pair of texts."""
    train, test = (dictionary.encode(text) for text in texts)
    tokens = len(dictionary.tokens)
    lengths = dictionary.lengths[test]

    def loss(order: int) -> float:
        return ngram_loss(train, test, tokens, plan.held_out, order)

    def covered(share: float) -> float:
        return window_characters(lengths, plan.window, share)

    bound = theorem_bound(source.entropy_rate, source.least_chance, tokens)
    return Loss(
        dictionary.name,
        dictionary.size,
        seed,
        tokens,
        unigram=loss(1),
        ngram=loss(plan.ngram),
        characters_per_token=plan.held_out / test.size,
        window_nearly_all=covered(NEARLY_ALL),
        window_half=covered(HALF),
        theorem_bound=bound if dictionary.name == "lzw" else None,
    )


def _trainer(small: Transformer) -> Callable[..., list["Point"]] | None:
    """Return what trains a model; None if none is wanted. Nothing is counted before."""
    if not small.steps:
        return None
    from tokkit.lm.device import find_device
    from tokkit.studies.markov.training import train_on  # torch may not be there

    return partial(train_on, plan=small, device=find_device(small.device))


def _train(
    source: Source,
    plan: Plan,
    train: Callable[..., list["Point"]],
    workspace: Path | None,
    progress: Progress,
) -> Iterator[CurvePoint]:
    """Train all models, one after the other."""
    small = plan.transformer
    total = small.steps * len(small.dictionaries) * plan.seeds
    done = 0

    def took(steps: int) -> None:
        nonlocal done
        done += steps
        progress("training", done, total)

    for seed in plan.all_seeds:
        texts = _texts(source, plan, seed)
        known = Dictionaries(texts[0], source.letters, small.size)
        for name in small.dictionaries:
            dictionary = known.get(name, small.size)
            folder = workspace and workspace / f"{name}-{seed}"
            for point in train(dictionary, texts, seed=seed, folder=folder, took=took):
                yield CurvePoint(name, dictionary.size, seed, **asdict(point))
