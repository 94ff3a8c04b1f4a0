"""What a transplant does to bits per byte, on the same bytes before and after."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import CorpusError
from tokkit.lm.hf import HFModel
from tokkit.lm.score import fitting_segments, score
from tokkit.stats import Interval, ratio_interval
from tokkit.transplant.context import Progress, silent
from tokkit.transplant.running.drawing import Drawn, draw
from tokkit.transplant.running.stretches import Stretches, divide

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType

ALL = "all"
KNOWN = "only known rows"
NEW = "with new rows"
LIMIT = 200_000
"""How many bytes of each slice are measured on, if nothing else is asked for."""


@dataclass(frozen=True)
class Slice:
    """What was found about some of the text.

    Attributes:
        name: A name of the caller's, `ALL`, `KNOWN` or `NEW`.
        documents: How many documents it is from; see `tokkit.transplant.running.drawing`.
        bytes: Its size.
        before: Bits per byte of the source model.
        after: Bits per byte of the transplanted model.
        ratio: `after` by `before`, with the interval that resampling the documents gives.
        bytes_per_token_before: How much text a token of the source tokenizer holds.
        bytes_per_token_after: The same of the target tokenizer.
    """

    name: str
    documents: int
    bytes: int
    before: float
    after: float
    ratio: Interval
    bytes_per_token_before: float
    bytes_per_token_after: float

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON; None for what is not known."""
        ends = {"low": self.ratio.low, "high": self.ratio.high}
        return {
            "slice": self.name,
            "documents": self.documents,
            "bytes": self.bytes,
            "bits_per_byte_before": self.before,
            "bits_per_byte_after": self.after,
            "ratio": self.ratio.value,
            **{key: value if isfinite(value) else None for key, value in ends.items()},
            "bytes_per_token_before": self.bytes_per_token_before,
            "bytes_per_token_after": self.bytes_per_token_after,
        }


@dataclass(frozen=True)
class Evaluation:
    """Bits per byte before and after a transplant.

    Attributes:
        before: The source model.
        after: The transplanted model.
        slices: One per slice of the caller's, all of them together, and the stretches of text
            whose tokens of the target have only known rows, or new ones too.
        altered: Segments that a tokenizer rewrites, such as by a space before texts: what
            that costs is counted.
    """

    before: str
    after: str
    slices: Sequence[Slice]
    altered: int

    @property
    def ratio(self) -> Interval:
        """Bits per byte after, by those before, on all text."""
        return next(each.ratio for each in self.slices if each.name == ALL)

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "before": self.before,
            "after": self.after,
            "altered_segments": self.altered,
            "slices": [each.as_json() for each in self.slices],
        }

    def frame(self) -> "pandas.DataFrame":
        """Return one line per slice, with the columns of its JSON."""
        import pandas

        return pandas.DataFrame([each.as_json() for each in self.slices])

    def __rich__(self) -> "RenderableType":
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        title = "Bits per byte, before and after (less is better)"
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("slice", no_wrap=True, overflow="ellipsis", max_width=15)
        for name in ("kB", "before", "after", "ratio [95 %]", "bytes/token"):
            table.add_column(name, justify="right", no_wrap=True)
        for each in self.slices:
            table.add_row(
                each.name,
                f"{each.bytes / 1000:,.0f}",
                f"{each.before:.3f}",
                f"{each.after:.3f}",
                str(each.ratio),
                f"{each.bytes_per_token_before:.2f} → {each.bytes_per_token_after:.2f}",
            )
        return table


def evaluate(
    before: HFModel | str | Path,
    after: HFModel | str | Path,
    slices: Mapping[str, Iterable[bytes]],
    known: Iterable[int],
    *,
    limit: int = LIMIT,
    seed: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Measure bits per byte before and after a transplant, on the same bytes.

    Both models get the same segments, each by itself after its model's start, so that they
    have the same bytes to look back on.

    Args:
        before: The source model, or its folder.
        after: The transplanted one.
        slices: Documents by the name of the slice, such as a file each.
        known: The target ids whose rows are no guesses.
        limit: About how many bytes of each slice to measure on.
        seed: Of the choice of segments and of the intervals.
        progress: Told how many segments are scored.

    Raises:
        CorpusError: If there is no text.
        ModelError: If a model cannot be loaded or run.
    """
    source, target = _load(before), _load(after)
    drawn = {name: draw(texts, limit, seed=seed) for name, texts in slices.items()}
    texts = [text for each in drawn.values() for text in each.segments]
    if not texts:
        raise CorpusError("there is no text to evaluate on: give a document")
    parts = fitting_segments(texts, [source, target])
    scores = (
        score(source, parts, progress=progress),
        score(target, parts, progress=progress),
    )
    is_new = np.ones(len(target.tokenizer), dtype=bool)
    is_new[list(known)] = False
    found = divide(scores, (source.tokenizer, target.tokenizer), is_new)
    own_slice, own_document = (each[found.segments] for each in _homes(drawn, parts))
    masks = {name: own_slice == number for number, name in enumerate(drawn)}
    masks |= {ALL: own_slice >= 0, KNOWN: ~found.has_new, NEW: found.has_new}
    rows = [
        _measure(name, found, mask, own_document, seed)
        for name, mask in masks.items()
        if mask.any()
    ]
    altered = max(each.altered for each in scores)
    return Evaluation(source.name, target.name, rows, altered)


def _load(model: HFModel | str | Path) -> HFModel:
    return model if isinstance(model, HFModel) else HFModel.load(model)


def _homes(
    drawn: Mapping[str, Drawn], parts: Sequence[bytes]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of the slice and of the document of each part of what was drawn."""
    sizes = [len(text) for each in drawn.values() for text in each.segments]
    # A text may have become several parts, which are the same bytes in the same order.
    homes = np.searchsorted(np.cumsum(sizes), np.cumsum([len(part) for part in parts]))
    numbers = [np.full(len(each), number) for number, each in enumerate(drawn.values())]
    counts = [int(each.owners.max(initial=-1)) + 1 for each in drawn.values()]
    shifts = np.cumsum([0, *counts])
    documents = [
        each.owners + shift for each, shift in zip(drawn.values(), shifts, strict=False)
    ]
    return np.concatenate(numbers)[homes], np.concatenate(documents)[homes]


def _measure(
    name: str,
    found: Stretches,
    mask: NDArray[np.bool_],
    documents: NDArray[np.int64],
    seed: int,
) -> Slice:
    """Add up the stretches of one slice."""
    _, owners = np.unique(documents[mask], return_inverse=True)
    size = int(found.sizes[mask].sum())
    nats = found.nats[:, mask]
    before, after = (np.bincount(owners, own) for own in nats)
    tokens = found.tokens[:, mask].sum(1)
    return Slice(
        name,
        before.size,
        size,
        float(before.sum()) / log(2) / size,
        float(after.sum()) / log(2) / size,
        ratio_interval(after, before, seed=seed),
        size / int(tokens[0]),
        size / int(tokens[1]),
    )
