"""How much shorter batches of several languages get with every merge."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokkit.dynamic.boundaries import Boundary
from tokkit.dynamic.curve import Curve, add_curves, draw_curve
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True)
class Curves:
    """A curve for each group of texts, such as a language.

    Attributes:
        groups: The curves by name, and `ALL` of them together where there are several.
    """

    groups: Mapping[str, Curve]

    def frame(self) -> "pd.DataFrame":
        """Return one row per group and number of merges."""
        import pandas as pd

        frames = [each.frame().assign(group=name) for name, each in self.groups.items()]
        columns = ["group", "merges", "tokens", "reduction"]
        return pd.concat(frames, ignore_index=True)[columns]

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {"groups": {name: each.as_json() for name, each in self.groups.items()}}

    def __rich__(self) -> Any:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        first = next(iter(self.groups.values()))
        table = Table(
            title=f"Merges in a batch until it is so much shorter, within {first.boundary}",
            title_justify="left",
            box=SIMPLE_HEAD,
            pad_edge=False,
        )
        table.add_column("texts", no_wrap=True, overflow="ellipsis", max_width=16)
        for title in ("tokens", *(f"-{share:.0%}" for share in _SHARES), "all merged"):
            table.add_column(title, justify="right", no_wrap=True)
        for name, curve in self.groups.items():
            found = [curve.merges_for(share) for share in _SHARES]
            least = 1 - curve.lengths[-1] / curve.lengths[0]
            table.add_row(
                name,
                f"{curve.lengths[0]:,}",
                *("-" if merges is None else f"{merges:,}" for merges in found),
                f"-{least:.1%}",
            )
        return table


def draw_curves(
    tokenizer: Tokenizer,
    groups: Mapping[str, Sequence[bytes]],
    *,
    batch_size: int = 32,
    merges: int | None = None,
    boundary: Boundary = "pretokens",
    progress: Callable[[str, int, int], None] | None = None,
) -> Curves:
    """Merge groups of texts batch by batch; a batch is of one group.

    Args:
        tokenizer: The tokenizer.
        groups: The texts of each.
        batch_size: How many of them are a batch.
        merges: How many merges at most in each; None: as many as there are.
        boundary: What merges stay within.
        progress: Told ``("merging", documents so far, documents)``.

    Raises:
        CorpusError: If the documents of a group have no tokens.
    """
    total, before = sum(map(len, groups.values())), 0
    found = {}
    for name, texts in groups.items():

        def told(stage: str, done: int, _: int, before: int = before) -> None:
            if progress:
                progress(stage, before + done, total)

        found[name] = draw_curve(
            tokenizer,
            texts,
            batch_size=batch_size,
            merges=merges,
            boundary=boundary,
            progress=told,
        )
        before += len(texts)
    if len(found) > 1:
        found[ALL] = add_curves(list(found.values()))
    return Curves(found)
