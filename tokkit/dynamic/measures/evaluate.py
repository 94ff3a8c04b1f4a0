"""What dynamic tokenization does to a model: bits per byte, and what it expects next."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from tokkit.dynamic.boundaries import Boundary
from tokkit.dynamic.measures.evaluation import Evaluation
from tokkit.dynamic.measures.journal import Journal
from tokkit.dynamic.measures.level import Level
from tokkit.dynamic.measures.measuring import measure_batch
from tokkit.dynamic.measures.summing import Group, summarize
from tokkit.dynamic.models.rows import TokenRows
from tokkit.errors import CorpusError, UsageError
from tokkit.lm.hf import HFModel
from tokkit.lm.score import SIZE, fitting_segments
from tokkit.progress import Progress, silent
from tokkit.transplant.running.drawing import Drawn, draw

REDUCTIONS = (0.0, 0.1, 0.2, 0.3, 0.4)
LIMIT = 100_000
"""How many bytes of each group are measured on, if nothing else is asked for."""


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        levels: How far to merge; no merging is measured too.
        boundary: What merges stay within.
        batch_size: How many texts share their merges.
        limit: About how many bytes of each group to measure on.
        seed: Of the choice of texts and of the intervals.

    Raises:
        UsageError: If a number is out of range.
    """

    levels: Sequence[Level] = tuple(map(Level, REDUCTIONS))
    boundary: Boundary = "pretokens"
    batch_size: int = 32
    limit: int = LIMIT
    seed: int = 0

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.limit < 1:
            raise UsageError(
                f"batches of {self.batch_size} texts, {self.limit} bytes: both start at 1"
            )
        for level in self.levels:
            if not 0 <= level.reduction < 1 or (level.merges or 0) < 0:
                raise UsageError(f"a level of {level}: reductions are shares from 0 to 1")

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return asdict(self)

    @property
    def all_levels(self) -> list[Level]:
        """The levels, after no merging, each once."""
        kind = next((Level(merges=0) for each in self.levels if each.merges is not None), None)
        return list(dict.fromkeys([kind or Level(), *self.levels]))


def evaluate(
    model: HFModel,
    maker: TokenRows,
    groups: Mapping[str, Sequence[bytes]],
    plan: Plan | None = None,
    *,
    journal: Journal | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Measure what merging costs a model.

    Documents are cut into texts of a kilobyte, or less where the context is short, of which a
    hash of the seed chooses some. Every `batch_size` of them that follow each other share their
    merges. Each is measured in two ways, after the model's start:

    * as a whole, over the model's vocabulary and the batch's new tokens: what one segmentation
      costs, which bounds what the text costs from above. What the new tokens tell of the batch
      they were made from is not counted;
    * the second half of its tokens as they are, after the first half, merged: what is lost if a
      prompt is shortened.

    Args:
        model: The model.
        maker: Makes the rows of new tokens.
        groups: Documents by the name of their group, such as their language.
        plan: What to measure; None: the defaults.
        journal: Where finished batches are noted, and those of an earlier run found.
        progress: Told ``("measuring", texts done, texts)``.

    Raises:
        CorpusError: If a group has no text.
        ModelError: If the context holds no text, or a logit is not a number.
    """
    plan = plan or Plan()
    levels = plan.all_levels
    drawn = _draw(model, groups, plan)
    total, done = sum(map(len, drawn.values())), 0
    found: dict[str, Group] = {}
    progress("measuring", 0, total)
    for name, each in drawn.items():
        batches = []
        for number in range(ceil(len(each) / plan.batch_size)):
            texts = each.segments[number * plan.batch_size :][: plan.batch_size]
            known = None if journal is None else journal.find(name, number)
            if known is None:
                known = measure_batch(model, maker, texts, levels, plan.boundary)
                if journal is not None:
                    journal.note(name, number, known)
            batches.append(known)
            done += len(texts)
            progress("measuring", done, total)
        found[name] = Group(batches, each.owners)
    rows = summarize(found, levels, plan.seed)
    return Evaluation(model.name, maker.name, plan.boundary, plan.batch_size, rows)


def _draw(
    model: HFModel, groups: Mapping[str, Sequence[bytes]], plan: Plan
) -> dict[str, Drawn]:
    """Choose texts of each group, all of a size that the model has the context for."""
    size = SIZE
    while True:
        drawn = {
            name: _with_tokens(model, draw(texts, plan.limit, seed=plan.seed, size=size))
            for name, texts in groups.items()
        }
        empty = next((name for name, each in drawn.items() if not len(each)), None)
        if empty is not None or not drawn:
            raise CorpusError(f"{empty or 'nothing'}: there is no text to evaluate on")
        texts = [text for each in drawn.values() for text in each.segments]
        if fitting_segments(texts, [model], size) == texts:
            return drawn
        size //= 2


def _with_tokens(model: HFModel, drawn: Drawn) -> Drawn:
    """Leave out texts without tokens: a tokenizer may drop white space."""
    ids = model.tokenizer.encode_batch(drawn.segments, parse_specials=False)
    kept = [place for place, own in enumerate(ids) if len(own)]
    return Drawn([drawn.segments[place] for place in kept], drawn.owners[kept])
