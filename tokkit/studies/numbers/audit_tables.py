"""An audit of numbers as tables: what is asked in rows, tokenizers in columns."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tokkit.studies.numbers.audit_contexts import FORMATS
from tokkit.studies.numbers.audit_coverage import FORMS
from tokkit.studies.numbers.audit_cuts import show_cut, spell_short

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tokkit.studies.numbers.audit_contexts import Example
    from tokkit.studies.numbers.audit_result import NumberAudit, TokenizerAudit, Width

_EXAMPLE = "1234567"
_WIDE = 4
"""Patterns that are shown of one width."""


def show(audit: "NumberAudit") -> "RenderableType":
    """Show everything that people read."""
    from rich.console import Group

    return Group(
        _table(audit, "how numbers are cut", _summary),
        _table(audit, "cuts by width: the most frequent, and tokens per number", _widths),
        _table(audit, "other ways to write numbers", _formats),
        _table(audit, "numbers cut as when they stand alone", _contexts),
        _table(audit, "tokens of digits alone / of a space and digits", _digit_tokens),
        _table(audit, "integers in one token, alone / after a space", _integers),
        _table(audit, "problems of three such integers, alone / after a space", _problems),
    )


def _table(
    audit: "NumberAudit", title: str, rows_of: "Callable[[TokenizerAudit], Mapping[str, str]]"
) -> Any:
    """Put what each tokenizer says side by side."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    columns = [rows_of(each) for each in audit.tokenizers]
    table.add_column("", no_wrap=True)
    for each in audit.tokenizers:
        table.add_column(Text(each.name), overflow="fold")
    for name in dict.fromkeys(name for column in columns for name in column):
        table.add_row(name, *(Text(column.get(name, "")) for column in columns))
    return table


def _summary(audit: "TokenizerAudit") -> dict[str, str]:
    schemes = [audit.scheme_of(form) for form in FORMS]
    same = sum(row.same for row in audit.contexts.values())
    tried = sum(row.n for row in audit.contexts.values())
    return {
        "rule": " / ".join(dict.fromkeys(schemes)),
        _EXAMPLE: show_cut(_EXAMPLE, audit.examples[_EXAMPLE]),
        "digits of the longest token": str(max(audit.digit_tokens["alone"], default=0)),
        "cut alike in contexts": f"{same / tried:.1%}",
        "vocabulary": f"{audit.vocab_size:,}",
    }


def _widths(audit: "TokenizerAudit") -> dict[str, str]:
    rows = (row for row in audit.widths if row.form == "alone")
    return {
        f"{row.width:>2} (n={row.n:,}{'' if row.exhaustive else ' drawn'})": _cuts(row)
        for row in rows
    }


def _cuts(row: "Width") -> str:
    """The most frequent cuts of a width, their shares, and the mean number of tokens."""
    if row.mean_tokens is None:
        return spell_short(())
    if len(row.patterns) == 1:
        return f"{spell_short(*row.patterns)}  ({row.mean_tokens:.0f})"
    shown = list(row.patterns.items())[: _WIDE if row.width <= _WIDE else 1]
    parts = [f"{spell_short(cut)} {count / row.n:.0%}" for cut, count in shown]
    if len(row.patterns) > len(shown):
        parts.append("…")
    return f"{', '.join(parts)}  ({row.mean_tokens:.2f})"


def _formats(audit: "TokenizerAudit") -> dict[str, str]:
    return {name: _spelled(audit.formats[name]) for name in FORMATS}


def _spelled(example: "Example") -> str:
    """Show tokens, or say how many there are where they are halves of characters."""
    if any("\\x" in token for token in example.tokens):
        return f"{len(example.tokens)} tokens, not all whole characters"
    return "|".join(example.tokens)


def _contexts(audit: "TokenizerAudit") -> dict[str, str]:
    return {
        f"{name} {row.context!r} (n={row.n})": f"{row.same / row.n:.1%}"
        + (f" (not {row.example})" if row.example else "")
        for name, row in audit.contexts.items()
    }


def _digit_tokens(audit: "TokenizerAudit") -> dict[str, str]:
    forms = [audit.digit_tokens[form] for form in FORMS]
    rows = {
        f"{digits} {'digit' if digits == 1 else 'digits'}": _beside(
            *(counts.get(digits, 0) for counts in forms)
        )
        for digits in sorted({digits for counts in forms for digits in counts})
    }
    return {**rows, "all": _beside(*(sum(counts.values()) for counts in forms))}


def _integers(audit: "TokenizerAudit") -> dict[str, str]:
    found = {(row.form, row.width): row.tokens for row in audit.integers}
    rows = {row.width: row.of for row in audit.integers if row.width <= _WIDE}
    return {
        f"{0 if width == 1 else 10 ** (width - 1)} to {10**width - 1} (n={of:,})": _beside(
            *(found[form, width] for form in FORMS)
        )
        for width, of in rows.items()
    }


def _problems(audit: "TokenizerAudit") -> dict[str, str]:
    found = {(row.form, row.operation, row.width): row for row in audit.problems}
    names = {(row.operation, row.width): row.of for row in audit.problems if row.width > 1}
    return {
        f"a {operation} b, up to {10**width - 1} (n={of:,})": " / ".join(
            f"{found[form, operation, width].tokens / of:.1%}" for form in FORMS
        )
        for (operation, width), of in names.items()
    }


def _beside(alone: int, after_a_space: int) -> str:
    return f"{alone:,} / {after_a_space:,}"
