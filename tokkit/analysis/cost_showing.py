"""What prompts cost, for people."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tokkit.analysis.showing import table

if TYPE_CHECKING:
    from tokkit.analysis.cost import Cost

_MOST_FILES = 40


def cost_parts(found: "Cost") -> list[Any]:
    """Return the tables of a cost one below the other."""
    priced = any(model for model, _, _ in found.models)
    columns = ["prompts", "tokens", "of which chat", "longest"]
    if priced:
        columns.append("dollars")
    parts = []
    files = list(found.files)
    pairs = [(model, name) for model, _, names in found.models for name in names]
    totals = found.totals.to_dict("records")
    for number, (model, name) in enumerate(pairs):
        own = slice(number * len(files), (number + 1) * len(files))
        rows = found.by_file.iloc[own].head(_MOST_FILES).to_dict("records")
        shown = table(f"{model} ({name})" if model else name, "file", *columns)
        for row in rows:
            shown.add_row(_short(row["file"], files), *_cells(row, priced))
        if len(files) > len(rows):
            shown.add_row(f"… {len(files) - len(rows):,} more")
        if len(files) > 1:
            shown.add_section()
            shown.add_row("total", *_cells(totals[number], priced))
        parts.append(shown)
    return [*parts, *_notes(found)]


def _short(file: str, files: Sequence[str]) -> str:
    """Leave out folders, unless that makes two files one."""
    name = Path(file).name
    return name if [Path(each).name for each in files].count(name) == 1 else file


def _cells(row: Any, priced: bool) -> list[str]:
    names = ("prompts", "prompt_tokens", "overhead_tokens", "longest_prompt")
    cells = [f"{row[name]:,}" for name in names]
    if priced:
        unknown = row["dollars"] is None or pd.isna(row["dollars"])
        cells.append("unknown" if unknown else f"${row['dollars']:,.4f}")
    return cells


def _notes(found: "Cost") -> list[Any]:
    from rich.text import Text

    notes = []
    for model, price, _ in found.models:
        if price is not None:
            read = f", read {price.read}" if price.read else ""
            share = f", × {price.batch:g} as a batch" if found.batch else ""
            rates = f"${price.input:g} and ${price.output:g} per million tokens of prompts"
            notes.append(f"{model}: {rates} and answers{share}{read}")
        elif model:
            notes.append(f"{model}: no table has its price (--prices)")
    if found.answer_tokens:
        notes.append(f"answers: {found.answer_tokens:,} tokens for each prompt")
    usual = found.totals[(found.totals["overhead"] == "usual") & (found.totals["messages"] > 0)]
    if len(usual):
        notes.append(
            "chat: tokens around messages are a guess, as of gpt-4 (--model says whose)"
        )
    if left_out := int(found.totals["uncounted_parts"].max()):
        notes.append(f"not counted: images, calls and descriptions of tools ({left_out:,})")
    return [Text("\n".join(notes), style="dim")] if notes else []
