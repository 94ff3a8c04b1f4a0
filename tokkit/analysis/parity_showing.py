"""How parity studies look to people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from tokkit.analysis.showing import table

if TYPE_CHECKING:
    from tokkit.analysis.parity import Parity

_MOST_LANGUAGES = 40
_ENDS = 15
_WIDE = 2
"""So many tokenizers leave room for three digits, and ..."""
_NARROW = 4
"""... so many for intervals."""


def parity_parts(found: "Parity") -> list[Any]:
    """Return the tables of a parity study one below the other."""
    parts = [_premiums(found), _summaries(found), *_groups(found)]
    if found.prices:
        parts.append(_costs(found))
    return [*parts, _notes(found)]


class _Cells:
    """Writes values with their intervals, as wide as so many tokenizers leave room for."""

    def __init__(self, tokenizers: int) -> None:
        self.digits = 3 if tokenizers <= _WIDE else 2
        self.says_how_sure = tokenizers <= _NARROW

    def __call__(self, row: Any, name: str, *, digits: int = 0) -> str:
        """Write how far an interval goes to the farther side: ``"1.579 ±0.020"``."""
        value, low, high = (row[name + end] for end in ("", "_low", "_high"))
        digits = max(self.digits, digits)
        if pd.isna(low) or not self.says_how_sure:
            return f"{value:.{digits}f}"
        return f"{value:.{digits}f} ±{max(value - low, high - value):.{digits}f}"


def _table(title: str, first: str, *columns: str) -> Any:
    """Begin a table in which nothing is cut off: intervals go below, where there is no room."""
    shown = table(title, first, *columns)
    for place, column in enumerate(shown.columns):
        column.no_wrap = place == 0
    return shown


def _premiums(found: "Parity") -> Any:
    names, cell = list(found.counts), _Cells(len(found.counts))
    what = "joined" if found.layout == "joined" else f"{found.sizes.documents:,} documents"
    title = f"premium: tokens by tokens of {found.pivot} (ratio of sums, {what})"
    shown = _table(title, "language", "script", *names)
    shown.columns[1].justify = "left"
    of = {
        str(name): rows.set_index("language")
        for name, rows in found.languages.groupby("tokenizer")
    }
    order = of[names[0]].sort_values("premium", ascending=False, kind="stable").index
    for language in _ends(list(order)):
        if language is None:
            shown.add_row("…", "", *("" for _ in names))
            continue
        rows = [of[name].loc[language] for name in names]
        cells = [cell(row, "premium") + (" ?" if row["flagged"] else "") for row in rows]
        shown.add_row(language, rows[0]["script"], *cells)
    return shown


def _ends(languages: list[str]) -> list[str | None]:
    """Leave out the middle of a long list."""
    if len(languages) <= _MOST_LANGUAGES:
        return list(languages)
    return [*languages[:_ENDS], None, *languages[-_ENDS:]]


def _summaries(found: "Parity") -> Any:
    rows, cell = [row for _, row in found.summaries.iterrows()], _Cells(len(found.counts))
    shown = _table("all languages together", "", *found.counts)

    shown.add_row("languages", *(f"{row['languages']}" for row in rows))
    if any(row["flagged"] for row in rows):
        shown.add_row("left out (?)", *(f"{row['flagged']}" for row in rows))
    for end in ("highest", "lowest"):
        ends = (f"{row[f'{end}_language']} {row[f'{end}_premium']:.3f}" for row in rows)
        shown.add_row(f"{end} premium", *ends)
    for name, column in (
        ("highest/lowest", "highest_by_lowest"),
        ("median premium", "median_premium"),
        ("mean premium", "mean_premium"),
    ):
        shown.add_row(name, *(f"{row[column]:.3f}" for row in rows))
    shown.add_row(f"words in {found.window:,}", *_words_held(found))
    for name, column in (
        ("Gini per line", "gini_tokens_per_line"),
        ("… above first", "gini_tokens_per_line_above_first"),
        ("Gini per byte", "gini_tokens_per_byte"),
    ):
        if "above" not in name or len(rows) > 1:
            shown.add_row(name, *(cell(row, column, digits=3) for row in rows))
    return shown


def _words_held(found: "Parity") -> Iterator[str]:
    """Write how much fits in a window, in the cheapest and the dearest language."""
    rows = found.languages[~found.languages["flagged"]]
    for name in found.counts:
        words = rows.loc[rows["tokenizer"] == name, "pivot_words_per_window"]
        yield f"{words.max():,.0f} to {words.min():,.0f}"


def _groups(found: "Parity") -> list[Any]:
    """Show groups, where there are several of a kind."""
    tables: list[Any] = []
    if found.by_group.empty:  # all languages are flagged
        return tables
    for by, rows in found.by_group.groupby("by", sort=False):
        if rows["group"].nunique() < 2:
            continue
        names, cell = list(found.counts), _Cells(len(found.counts))
        shown = _table(f"mean premium by {by}", str(by), "languages", *names)
        for group, own in rows.groupby("group", sort=False):
            of = {row["tokenizer"]: row for _, row in own.iterrows()}
            count = max(own["languages"])
            cells = (cell(of[name], "mean_premium") if name in of else "" for name in names)
            shown.add_row(str(group), f"{count}", *cells)
        tables.append(shown)
    return tables


def _costs(found: "Parity") -> Any:
    pairs = list(found.costs.groupby(["model", "tokenizer"], sort=False))
    titles = [f"{model} ({name})" for (model, name), _ in pairs]
    shown = _table(
        f"dollars for prompts that say what a million words of {found.pivot} do",
        "language",
        *titles,
    )
    columns = [
        rows.set_index("language")["dollars_per_million_pivot_words"] for _, rows in pairs
    ]
    order = columns[0].sort_values(ascending=False, kind="stable").index
    for language in _ends(list(order)):
        if language is None:
            shown.add_row("…", *("" for _ in columns))
            continue
        cells = (column.loc[language] for column in columns)
        shown.add_row(language, *("unknown" if pd.isna(c) else f"${c:,.2f}" for c in cells))
    return shown


def _notes(found: "Parity") -> Any:
    from rich.text import Text

    from tokkit.analysis.parity import DEFINITIONS, LAYOUTS

    notes = [f"{found.layout}: {LAYOUTS[found.layout]}"]
    notes.append(
        f"words in {found.window:,}: words of {found.pivot} that say what so many tokens of a "
        "language do, from the cheapest language to the dearest"
    )
    if found.layout == "lines" and _Cells(len(found.counts)).says_how_sure:
        notes.append(f"±: {DEFINITIONS['interval']}; of both sides the longer one")
    if found.incomplete:
        notes.append(f"{found.incomplete:,} documents are not in all languages: left out")
    if found.languages["flagged"].any():
        notes.append(f"?: {DEFINITIONS['flagged']}")
    return Text("\n".join(notes), style="dim")
