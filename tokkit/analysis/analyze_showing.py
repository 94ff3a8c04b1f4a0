"""How an analysis looks to people."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tokkit.analysis.measures import NSL
from tokkit.analysis.showing import table

if TYPE_CHECKING:
    import pandas as pd

    from tokkit.analysis.analyze import Analysis

_TEXT: Mapping[str, str] = {
    "bytes\n/token": "bytes_per_token",
    "mean of\ndocuments": "bytes_per_token_macro",
    "characters\n/token": "characters_per_token",
    "tokens\n/word": "fertility",
    "length\nby base": NSL,
}
_WORDS: Mapping[str, str] = {
    "types of\none token": "strr_alone",
    "… with\nspace": "strr_spaced",
    "words\nsplit": "word_split_rate_alone",
    "… with \nspace": "word_split_rate_spaced",
}
_VOCAB: Mapping[str, str] = {
    "used": "vocabulary_utilisation",
    "Rényi 2.5\nby vocab.": "renyi_2.5_efficiency_vocabulary",
    "…\nby observed": "renyi_2.5_efficiency_observed",
    "Shannon\nby vocab.": "shannon_efficiency_vocabulary",
    "middle\nranks": "percentile_frequency",
}
_SLICES: Mapping[str, str] = {
    "digits\n/token": "digits_per_token",
    "code bytes\n/token": "code_bytes_per_token",
    "white\nspace": "white_space_rate",
    "part of\ncharacters": "fragment_rate",
    "unknown": "unknown_rate",
}
_MOST_GROUPS = 40
_NAME = 24
_WIDE = 0.0995
_MOST_INTERVALS = 3
"""So many tokenizers leave room for intervals beside the names of groups."""
_PERCENT = ("strr", "rate", "utilisation")


def analysis_parts(found: "Analysis") -> list[Any]:
    """Return the parts of an analysis one below the other."""
    from rich.text import Text

    whole = found.results[found.results["group_by"] == "all"]
    title = f"{found.documents:,} documents, {found.size:,} bytes"
    parts = [
        _table(found, whole, f"compression: {title}", _TEXT),
        _table(found, whole, "words, each by itself", _WORDS),
        _table(found, whole, "vocabulary", _VOCAB),
        _table(found, whole, "numbers, code, bytes", _SLICES),
    ]
    for field, rows in found.results.groupby("group_by", sort=False):
        if field != "all":
            parts.append(_groups(found, str(field), rows))
    return [*parts, Text("\n".join(_notes(found)), style="dim")]


def _table(
    found: "Analysis", rows: "pd.DataFrame", title: str, columns: Mapping[str, str]
) -> Any:
    present = set(rows["metric"])
    columns = {name: metric for name, metric in columns.items() if metric in present}
    shown = table(title, "", *columns)
    _keep_names(shown, found.names)
    by_name = rows.set_index(["tokenizer", "metric"])
    for name in found.names:
        shown.add_row(name, *(_cell(by_name.loc[(name, each)]) for each in columns.values()))
    return shown


def _groups(found: "Analysis", field: str, rows: "pd.DataFrame") -> Any:
    """Show the bytes per token of each group."""
    shown = table(f"bytes per token by {field}", field, "documents", *found.names)
    chosen = rows[rows["metric"] == "bytes_per_token"]
    _keep_names(shown, map(shorten, chosen["group"].astype(str)))
    says_how_sure = len(found.names) <= _MOST_INTERVALS
    documents = rows[rows["metric"] == "tokens_per_document"].groupby("group")["n"].first()
    for number, (group, own) in enumerate(chosen.groupby("group", sort=False)):
        if number == _MOST_GROUPS:
            more = chosen["group"].nunique() - _MOST_GROUPS
            shown.add_row(f"… {more:,} more", *("" for _ in range(len(found.names) + 1)))
            break
        of = own.set_index("tokenizer")
        shown.add_row(
            shorten(str(group)),
            f"{documents[group]:,}",
            *(_cell(of.loc[name], says_how_sure=says_how_sure) for name in found.names),
        )
    return shown


def shorten(name: str) -> str:
    """Keep the end of a long name, which tells files apart."""
    return name if len(name) <= _NAME else f"…{name[1 - _NAME :]}"


def _keep_names(shown: Any, names: Iterable[str]) -> None:
    """Let the first column be as wide as its names, if they are not very long.

    Nothing else is cut off either: intervals go below, where there is no room.
    """
    for column in shown.columns[1:]:
        column.no_wrap = False
    longest = max(map(len, (str(shown.columns[0].header), *names)))
    shown.columns[0].overflow = "fold"
    shown.columns[0].width = min(longest, _NAME)


def _cell(row: Any, *, says_how_sure: bool = True) -> str:
    """Write a value with the longer half of its interval: ``4.321 ±0.012``."""
    value, low, high = row["value"], row["low"], row["high"]
    if value != value:
        return "–"
    percent = any(part in row_name(row) for part in _PERCENT)
    half_shown = says_how_sure and low == low
    half = max(high - value, value - low) if half_shown else 0.0
    scale, digits, sign = (100, 1, "%") if percent else (1, 3 if half < _WIDE else 2, "")
    shown = f"{value * scale:.{digits}f}{sign}"
    return f"{shown} ±{half * scale:.{digits}f}" if half_shown else shown


def row_name(row: Any) -> str:
    """Return the measure of a row which is indexed by it, or has it."""
    return str(row["metric"]) if "metric" in row else str(row.name[1])


def _notes(found: "Analysis") -> list[str]:
    notes = [
        f"±: the longer side of the 95 % interval, {found.drawn} drawn anew, the same for all "
        "tokenizers; of entropies and of what counts distinct words or tokens, parts of the "
        "text left out in turn",
        f"length by base: tokens by tokens of {found.base}; words are parted by white space",
        "every measure with its definition, and differences: --json or -o DIR",
    ]
    if found.words[1]:
        notes.insert(
            1,
            f"{found.words[1]:,} words that came after {found.words[0]:,} distinct ones are "
            "left out of what is measured of words by themselves",
        )
    return notes
