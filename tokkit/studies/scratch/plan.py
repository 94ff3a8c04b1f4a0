"""What a study trains: a task, its tokenizations, and the model that is the same for all."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from tokkit.corpus import open_corpus
from tokkit.errors import UsageError
from tokkit.formats import load
from tokkit.learn import ALGORITHMS
from tokkit.learn.options import Job, Options
from tokkit.learn.training import choose_pattern
from tokkit.lm.train_model import Architecture
from tokkit.lm.train_run import Schedule
from tokkit.studies.scratch.addition import Addition
from tokkit.studies.scratch.asking import Asking
from tokkit.studies.scratch.counting import Counting, parse_letters
from tokkit.studies.scratch.groups import Grouping
from tokkit.studies.scratch.text import Foretelling, Texts, divide
from tokkit.studies.scratch.trial import Trial
from tokkit.tokenizer import Tokenizer

Task = Literal["addition", "counting", "text"]
_SMALL = Architecture(family="gpt2", hidden_size=128, layers=2, heads=4, context=128, tied=True)
_WARM_UP = 200
_END = "<|endoftext|>"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to train.

    Attributes:
        task: What the models learn.
        tokenizations: How it is written. ``addition``: ``single``, ``l2rK``, ``r2lK``: the
            digits of a token, counted from the left or the right; ``counting``: ``lettersK``:
            the letters of a token; ``text``: ``bytes``, the name of an algorithm of
            `tokkit.learn` with the size of a vocabulary, such as ``bpe512``, or a tokenizer's
            path or Hub id.
        seeds: How many models of each, whose seeds count from 0.
        steps: How many steps each is trained.
        every: After how many steps it is measured and saved.
        batch: How many problems, or windows of text, a step takes.
        rate: The highest learning rate; it rises in the first 200 steps, then stays.
        sizes: The fewest and the most digits of an operand, or letters of a string; not for
            text.
        held_out: How many problems are held out; not for text.
        architecture: The model; its context is used for text only, problems need no more than
            they have.
    """

    task: Task = "addition"
    tokenizations: tuple[str, ...] = ("single", "l2r2", "r2l2")
    seeds: int = 3
    steps: int = 1500
    every: int = 50
    batch: int = 256
    rate: float = 1e-3
    sizes: tuple[int, int] = (2, 4)
    held_out: int = 1000
    architecture: Architecture = field(default=_SMALL)

    def __post_init__(self) -> None:
        """Refuse a study of nothing.

        Raises:
            UsageError: If there is nothing to train, or a tokenization comes twice.
        """
        if min(self.seeds, self.steps, self.every, self.batch) < 1 or self.held_out < 1:
            raise UsageError("seeds, steps and all other numbers of a study start at 1")
        if len(set(self.tokenizations)) < max(len(self.tokenizations), 1):
            raise UsageError(
                f"{','.join(self.tokenizations)!r}: name one tokenization or more, each once"
            )

    def schedule(self, seed: int) -> Schedule:
        """Return how the model of a seed is trained.

        The rate of a step does not depend on how many there are, so that a long study begins
        like a short one.
        """
        return Schedule(
            steps=self.steps,
            batch=self.batch,
            rate=self.rate,
            shape="constant",
            warm_up=_WARM_UP / self.steps,
            betas=(0.9, 0.98),
            weight_decay=0.01,
            seed=seed,
            save_every=self.every,
        )


PLANS: Mapping[Task, Plan] = {
    "addition": Plan(),
    "counting": Plan(
        task="counting", tokenizations=("letters1", "letters2", "letters4"), sizes=(10, 20)
    ),
    "text": Plan(task="text", tokenizations=("bytes", "bpe512", "unigram512"), batch=16),
}
"""What is trained if nothing else is asked for."""


def open_trials(plan: Plan, documents: Sequence[bytes] = ()) -> list[Trial]:
    """Make everything that is trained, a trial for each tokenization.

    Args:
        plan: What to train.
        documents: What to learn text from.

    Raises:
        UsageError: If there is no such tokenization.
        CorpusError: If text is wanted, and there is not enough.
        FormatError: If there is no such tokenizer.
    """
    if plan.task == "text":
        texts = divide(documents, plan.architecture.context)
        return [_text(name, texts, plan) for name in plan.tokenizations]
    make = _ASKING[plan.task]
    return [make(name, plan) for name in plan.tokenizations]


def _addition(name: str, plan: Plan) -> Trial:
    return Asking(name, Addition(Grouping.parse(name), plan.sizes, plan.held_out))


def _counting(name: str, plan: Plan) -> Trial:
    return Asking(name, Counting(parse_letters(name), plan.sizes, plan.held_out))


def _text(name: str, texts: Texts, plan: Plan) -> Trial:
    return Foretelling(name, _tokenizer(name, texts.learnt), texts, plan.architecture.context)


_ASKING: Mapping[str, Callable[[str, Plan], Trial]] = {
    "addition": _addition,
    "counting": _counting,
}


def _tokenizer(name: str, documents: Sequence[bytes]) -> Tokenizer:
    """Learn a tokenizer from what models learn from, or load one."""
    found = re.fullmatch(
        rf"({'|'.join(ALGORITHMS)})(\d+)", "bpe257" if name == "bytes" else name
    )
    if not found:
        return load(name)
    algorithm, size = found[1], int(found[2])
    options = Options(
        vocab_size=size, pattern=choose_pattern(None, "keep", algorithm, None), specials=(_END,)
    )
    with TemporaryDirectory(prefix="tokkit-") as folder:
        path = Path(folder) / "texts.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for document in documents:
                text = document.decode("utf-8", "replace")
                file.write(json.dumps({"text": text}) + "\n")
        return ALGORITHMS[algorithm](open_corpus([path]), options, Job())[0]
