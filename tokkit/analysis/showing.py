"""How comparisons look to people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tokkit.analysis.agreement import Difference
from tokkit.visible import spell_bytes

if TYPE_CHECKING:
    from tokkit.analysis.compare import Comparison


def comparison_parts(found: "Comparison", count: int) -> list[Any]:
    """Return the parts of a comparison one below the other, with so many differences."""
    from rich.text import Text

    agreement = found.agreement
    parts = [_vocabularies(found), _cuts(found)]
    if agreement.skipped:
        parts.append(
            Text(
                f"{agreement.skipped:,} documents are rewritten before they are cut: their "
                "tokens are counted, their cuts are not compared"
            )
        )
    parts.append(
        _differences("cut differently most often", found, agreement.most_frequent(count))
    )
    costly = agreement.most_costly(count)
    if costly and costly != agreement.most_frequent(count):
        parts.append(_differences("what makes most tokens more or less", found, costly))
    return parts


def table(title: str, *columns: str) -> Any:
    """Begin a table; columns after the first hold figures."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=bool(number))
    return table


def _vocabularies(found: "Comparison") -> Any:
    vocab = found.vocab
    shown = table("vocabularies, as bytes", "", *found.names, "both")
    shown.add_row("tokens", *(f"{size:,}" for size in vocab.sizes), f"{vocab.shared:,}")
    shown.add_row(
        "shared", *(f"{share:.1%}" for share in vocab.coverage), f"{vocab.jaccard:.5f}"
    )
    shown.add_row("special tokens", *(f"{each:,}" for each in vocab.specials))
    shown.add_row("with the same id", "", "", f"{vocab.same_id:,}")
    shown.columns[0].footer = "shared: of each; of both together (Jaccard)"
    shown.show_footer = True
    return shown


def _cuts(found: "Comparison") -> Any:
    counted = found.agreement
    n_bytes, *tokens = found.totals
    shown = table(
        f"cuts of {len(counted.lengths):,} documents, {n_bytes:,} bytes",
        "",
        *found.names,
        "both",
    )
    shown.add_row("tokens", *(f"{each:,}" for each in tokens), f"ratio {found.cost}")
    shown.add_row("bytes per token", *(f"{n_bytes / max(each, 1):.3f}" for each in tokens), "")
    if counted.documents:
        for name, counts in (
            ("boundaries", counted.boundaries),
            ("tokens alike", counted.tokens),
        ):
            first, second, both = counts.tolist()
            shown.add_row(
                name, f"{first:,}", f"{second:,}", f"{both:,}  F1 {counted.f1(counts):.4f}"
            )
        macro = counted.f1_sum / counted.documents
        shown.add_row("F1, mean of documents", "", "", f"{macro:.4f}")
        share = counted.identical / counted.documents
        shown.add_row("documents cut alike", "", "", f"{counted.identical:,} ({share:.1%})")
    shown.add_row("bags of tokens (Jaccard)", "", "", f"{found.jaccard:.4f}")
    return shown


def _differences(
    title: str, found: "Comparison", differences: Sequence[tuple[Difference, int]]
) -> Any:
    from rich.text import Text

    shown = table(title, "times", "tokens", *found.names)
    for column in shown.columns[2:]:
        column.justify, column.no_wrap, column.overflow = "left", False, "fold"
    shown.columns[0].justify = "right"
    for difference, seen in differences:
        first, second = difference.pieces()
        more = seen * (len(second) - len(first))
        cuts = (Text("│".join(map(spell_bytes, each))) for each in (first, second))
        shown.add_row(f"{seen:,}", f"{more:+,}" if more else "0", *cuts)
    return shown
