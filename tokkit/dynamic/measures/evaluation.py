"""What was found about running a model on dynamically tokenized text."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from tokkit.dynamic.boundaries import Boundary
from tokkit.dynamic.measures.level import Level
from tokkit.stats import Interval

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType
    from rich.table import Table

ALL = "all"


@dataclass(frozen=True)
class Row:
    """What was found of one group of texts at one level of merging.

    Attributes:
        group: Such as a language; `ALL` for everything.
        level: How far batches were to be merged.
        documents: How many documents the texts are from.
        texts: How many texts: segments of documents.
        bytes: Their size.
        merges: Merges in a batch, on average.
        new_tokens: New tokens of a batch, on average.
        fallbacks: The share of them whose rows were not made as asked.
        tokens: Tokens of all texts.
        reduction: By which share these are fewer.
        bits_per_byte: Of whole texts, in tokens of the batches.
        ratio: That by the one without merges, with the interval that resampling the documents
            gives.
        prefix_reduction: By which share first halves are shorter.
        half_bits_per_byte: Of second halves, in tokens of the model, after first halves.
        half_ratio: That by the one without merges.
        divergence: Kullback-Leibler divergence of what the model expects after a merged first
            half from what it expects after an unmerged one, in bits: the mean over the tokens
            of second halves.
        same: How often the likeliest token is the same.
        first_divergence: The divergence at the first token of a second half alone.
        first_same: How often the likeliest first token is the same.
    """

    group: str
    level: Level
    documents: int
    texts: int
    bytes: int
    merges: float
    new_tokens: float
    fallbacks: float
    tokens: int
    reduction: float
    bits_per_byte: float
    ratio: Interval
    prefix_reduction: float
    half_bits_per_byte: float
    half_ratio: Interval
    divergence: Interval
    same: Interval
    first_divergence: Interval
    first_same: Interval

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON; None for what is not known."""
        found: dict[str, Any] = {}
        for name, value in vars(self).items():
            if isinstance(value, Level):
                found |= {"asked_reduction": None, "asked_merges": value.merges}
                if value.merges is None:
                    found["asked_reduction"] = value.reduction
            elif isinstance(value, Interval):
                found[name] = value.value
                found[f"{name}_low"], found[f"{name}_high"] = (
                    each if isfinite(each) else None for each in value[1:]
                )
            else:
                found[name] = value
        return found


@dataclass(frozen=True)
class Evaluation:
    """A model on dynamically tokenized text.

    Attributes:
        model: Its name.
        embeddings: How rows of new tokens were made.
        boundary: What merges stayed within.
        batch_size: Texts that shared their merges.
        rows: For each group, and `ALL` where there are several, one per level; the first level
            of each is no merging.
    """

    model: str
    embeddings: str
    boundary: Boundary
    batch_size: int
    rows: Sequence[Row]

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        told = {name: value for name, value in vars(self).items() if name != "rows"}
        return {**told, "rows": [row.as_json() for row in self.rows]}

    def frame(self) -> "pandas.DataFrame":
        """Return one line per group and level, with the columns of its JSON."""
        import pandas

        return pandas.DataFrame([row.as_json() for row in self.rows])

    def __rich__(self) -> "RenderableType":
        from rich.console import Group

        return Group(self._wholes(), self._halves())

    def _wholes(self) -> "Table":
        """Show whole texts in new tokens."""
        table = _table(
            f"{self.model}, {self.embeddings}: whole texts in tokens of their batch",
            ("asked", "merges", "tokens", "shorter", "bits/byte", "ratio [95 %]"),
        )
        for row, name in self._named():
            table.add_row(
                name,
                str(row.level),
                f"{row.merges:,.0f}",
                f"{row.tokens:,}",
                f"{row.reduction:.1%}",
                f"{row.bits_per_byte:.3f}",
                str(row.ratio),
            )
        return table

    def _halves(self) -> "Table":
        """Show second halves after merged first halves."""
        table = _table(
            "Second halves in the model's own tokens after merged first halves",
            ("shorter", "bits/byte", "ratio [95 %]", "KL bits", "first", "same"),
        )
        for row, name in self._named():
            table.add_row(
                name,
                f"{row.prefix_reduction:.1%}",
                f"{row.half_bits_per_byte:.3f}",
                str(row.half_ratio),
                f"{row.divergence.value:.3f}",
                f"{row.first_divergence.value:.3f}",
                f"{row.same.value:.1%}",
            )
        return table

    def _named(self) -> list[tuple[Row, str]]:
        """Return rows with the group's name at the first of each."""
        before = [None, *(row.group for row in self.rows)]
        return [
            (row, row.group if row.group != last else "")
            for row, last in zip(self.rows, before, strict=False)
        ]


def _table(title: str, columns: Sequence[str]) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("texts", no_wrap=True, overflow="ellipsis", max_width=10)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table
