"""What a summary says, as figures to read; how it came about, as a list."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tokkit.report.page.folders import Folder, is_records
from tokkit.report.page.markup import Markup, element, join, with_spaces

_MOST_ITEMS = 24
"""Of a longer list only so many are shown."""
_CARD = 64
"""A text with more letters than this is no card."""
_NAME = re.compile(r"[\w ›.-]+")


def show_findings(folder: Folder) -> Markup:
    """Write the figures of a study, the most important ones first, then its definitions."""
    found = _pair_intervals(folder.findings)
    plain = {name: value for name, value in found.items() if _is_plain(value)}
    order = [name for name in folder.kind.first if name in plain]
    order += [name for name in plain if name not in order]
    groups = [
        _group(name, value)
        for name, value in found.items()
        if isinstance(value, Mapping) and not _is_plain(value) and name != "definitions"
    ]
    definitions = found.get("definitions")
    return join(
        _figures({name: plain[name] for name in order}),
        element("div", *groups, class_="groups") if any(groups) else None,
        _definitions(definitions) if isinstance(definitions, Mapping) else None,
    )


def show_provenance(folder: Folder) -> Markup:
    """Write where a study comes from: what was run, on which files, with which tokenizers."""
    summary = folder.summary
    lines = [("folder", folder.name), ("tokkit", summary.get("tokkit"))]
    if isinstance(summary.get("command"), list) and summary["command"]:
        words = shlex.join(map(str, summary["command"]))
        lines.append(("command", element("code", words)))
    lines.append(("model", summary.get("model")))
    lines += [(f"seed of {name}", seed) for name, seed in _pairs(summary.get("seeds"))]
    lines += [
        (f"tokenizer {name}", _digest(it)) for name, it in _pairs(summary.get("tokenizers"))
    ]
    for each in summary.get("inputs") or []:
        if isinstance(each, Mapping):
            size = f" {spell_value(each.get('bytes'))} bytes, SHA-256 "
            said = join(each.get("path"), size, _digest(each.get("sha256")))
            lines.append(("input", said))
    shown = [
        join(element("dt", name), element("dd", value))
        for name, value in lines
        if value is not None
    ]
    return element(
        "details",
        element("summary", "Where this comes from"),
        element("dl", *shown, class_="provenance"),
    )


def spell_value(value: Any) -> str:
    """Write a value for people: 1234567 is ``"1,234,567"``, 0.38848 is ``"0.3885"``."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
        case {"value": middle, "low": low, "high": high}:
            return f"{spell_value(middle)} ({spell_value(low)} to {spell_value(high)})"
        case list():
            more = f" … ({len(value):,} in all)" if len(value) > _MOST_ITEMS else ""
            return ", ".join(map(spell_value, value[:_MOST_ITEMS])) + more
    return str(value)


def words(name: str) -> str:
    """Write the name of a figure or column as words; a token, such as ``<|im_end|>``, stays."""
    return name.replace("_", " ") if _NAME.fullmatch(name) else name.replace("\n", "\\n")


def _pair_intervals(found: Mapping[str, Any]) -> dict[str, Any]:
    """Put ``x``, ``x_low`` and ``x_high`` together, at every depth."""
    paired: dict[str, Any] = {}
    for name, value in found.items():
        base = name.removesuffix("_low").removesuffix("_high")
        if base != name and all(f"{base}{end}" in found for end in ("", "_low", "_high")):
            continue
        ends = found.get(f"{name}_low"), found.get(f"{name}_high")
        if None not in ends:
            paired[name] = {"value": value, "low": ends[0], "high": ends[1]}
        elif isinstance(value, Mapping):
            paired[name] = _pair_intervals(value)
        else:
            paired[name] = value
    return paired


def _is_plain(value: Any) -> bool:
    """Whether a value is one figure: a number, a text, an interval, or a list of those."""
    if isinstance(value, Mapping):
        return value.keys() == {"value", "low", "high"}
    if isinstance(value, list):
        return bool(value) and all(not isinstance(each, list | Mapping) for each in value)
    return value is not None


def _figures(plain: Mapping[str, Any]) -> Markup:
    """Write short values as cards, then long ones as lines, with each text of a list on one."""
    said = {name: _texts(value) for name, value in plain.items()}
    cards = [
        element("div", element("dt", words(name)), element("dd", with_spaces(texts[0])))
        for name, texts in said.items()
        if not _is_long(texts)
    ]
    lines = [
        join(element("dt", words(name)), *(element("dd", with_spaces(text)) for text in texts))
        for name, texts in said.items()
        if _is_long(texts)
    ]
    return join(
        element("dl", *cards, class_="figures") if cards else None,
        element("dl", *lines, class_="definitions") if lines else None,
    )


def _texts(value: Any) -> list[str]:
    """Spell a value; of a list with a long text in it, each by itself."""
    if isinstance(value, list) and any(_is_long([str(each)]) for each in value):
        more = [f"… ({len(value):,} in all)"] if len(value) > _MOST_ITEMS else []
        return [*map(spell_value, value[:_MOST_ITEMS]), *more]
    return [spell_value(value)]


def _is_long(texts: Sequence[str]) -> bool:
    return len(texts) > 1 or len(texts[0]) > _CARD


def _group(name: str, value: Mapping[str, Any]) -> Markup | None:
    """Write figures that belong together as a small table, groups within them indented."""
    rows = [
        element(
            "tr", element("th", words(label), scope="row"), element("td", with_spaces(said))
        )
        for label, said in _lines(value)
    ]
    if not rows:
        return None
    return element("table", element("caption", words(name)), element("tbody", *rows))


def _lines(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, each in value.items():
        label = f"{before}{name}"
        if isinstance(each, Mapping) and not _is_plain(each):
            yield from _lines(each, f"{label} › ")
        elif not is_records(each) and each not in (None, []):
            yield label, spell_value(each)


def _definitions(definitions: Mapping[str, Any]) -> Markup:
    pairs = [
        join(element("dt", words(name)), element("dd", str(said)))
        for name, said in definitions.items()
    ]
    return element(
        "details",
        element("summary", "Definitions"),
        element("dl", *pairs, class_="definitions"),
        open=True,
    )


def _pairs(value: Any) -> Sequence[tuple[str, Any]]:
    """Return the items of a mapping; of a list, each with nothing to say about it."""
    if isinstance(value, Mapping):
        return list(value.items())
    return [(str(each), None) for each in value] if isinstance(value, list) else []


def _digest(value: Any) -> Markup | None:
    return None if value is None else element("code", str(value))
