"""One self-contained page of result folders: no part of it is loaded from anywhere.

Its security policy lets only its own script and style in, by their digests.
"""

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from tokkit import __version__
from tokkit.analysis.view import View
from tokkit.report.page.dots import draw_dots
from tokkit.report.page.drawings import inline_svg, picture
from tokkit.report.page.findings import show_findings, show_provenance, spell_value, words
from tokkit.report.page.folders import Folder
from tokkit.report.page.kinds import Dots
from tokkit.report.page.markup import Markup, element, script_data, with_spaces
from tokkit.report.page.tables import Table

_STYLES = ("tables.css", "tokens.css", "page.css")
_SCRIPTS = ("table.js", "tokens.js", "page.js")
_FIRST_ROWS = 25
"""Rows that are there before, or without, the script."""


@dataclass(frozen=True)
class CutText:
    """A text of the live view.

    Attributes:
        name: What it is called.
        view: Its tokens, by tokenizer.
        note: What has to be said about it, such as that it is only the start.
    """

    name: str
    view: View
    note: str = ""


def render_page(
    folders: Sequence[Folder], texts: Sequence[CutText] = (), *, title: str = ""
) -> str:
    """Write a page.

    Args:
        folders: The studies, in the order in which they are shown.
        texts: What the live view shows, if anything.
        title: Of the page; empty: of the first study.

    Returns:
        The HTML document. The same arguments give the same text.
    """
    title = title or _name(folders)
    sections = [_study(f"study-{place}", folder) for place, folder in enumerate(folders)]
    contents = [(f"study-{place}", _title(folder)) for place, folder in enumerate(folders)]
    if texts:
        sections.insert(0, _live(texts))
        contents.insert(0, ("live", "Texts, token by token"))
    links = [element("li", element("a", name, href=f"#{key}")) for key, name in contents]
    body = element(
        "body",
        element("a", "Skip to the content", href="#content", class_="skip"),
        element(
            "header",
            element("h1", title),
            element("button", "Dark", type="button", id="theme", hidden=True),
            element("nav", element("ul", *links), aria_label="Contents") if links[1:] else None,
        ),
        element("main", *sections, id="content", tabindex="-1"),
        element("footer", f"Written by tokkit {__version__}"),
        element("script", Markup(_asset(_SCRIPTS))),
    )
    page = element("html", _head(title), body, lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def write_page(path: Path, page: str) -> None:
    """Write a page; it is there as a whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(page.encode())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _head(title: str) -> Markup:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Markup(_asset(_STYLES))),
    )


def _policy() -> str:
    """Allow the page's own script and style, and pictures that are in it."""
    digests = [
        base64.b64encode(hashlib.sha256(_asset(names).encode()).digest()).decode()
        for names in (_SCRIPTS, _STYLES)
    ]
    return (
        f"default-src 'none'; script-src 'sha256-{digests[0]}'; "
        f"style-src 'sha256-{digests[1]}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def _asset(names: tuple[str, ...]) -> str:
    """Read files that lie beside this one."""
    folder = files("tokkit.report.page")
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def _title(folder: Folder) -> str:
    """Name a study: ``"Audit of a vocabulary: o200k_base"``."""
    named = folder.summary.get("tokenizers") or []
    shown = ", ".join(map(str, named)) if isinstance(named, dict | list) else ""
    kind = folder.kind.title
    if kind == "Study":
        kind = f"Study: {folder.summary['study']}"
    return f"{kind}: {shown or folder.name}" if len(shown) < 100 else kind


def _name(folders: Sequence[Folder]) -> str:
    """Name a page of several studies, or of one, or of none."""
    if len(folders) > 1:
        return f"Results of {len(folders)} studies"
    return _title(folders[0]) if folders else "Texts, token by token"


def _chart(dots: Dots, chart: Markup) -> Markup:
    said = f"{dots.title}; the numbers are in the table {words(dots.table)}."
    return element("figure", chart, element("figcaption", said[0].upper() + said[1:]))


def _study(key: str, folder: Folder) -> Markup:
    charts = [
        _chart(dots, chart)
        for table in folder.tables
        for dots in folder.kind.dots
        if (chart := draw_dots(table, dots)) is not None
    ]
    pictures = [
        _picture(f"{key}-{place}-", name, content)
        for place, (name, content) in enumerate(folder.figures.items())
    ]
    tables = [
        _table(f"{key}-table-{place}", folder, table)
        for place, table in enumerate(folder.tables)
    ]
    return element(
        "section",
        element("h2", _title(folder), id=f"{key}-title"),
        element("p", folder.kind.about, class_="about"),
        show_provenance(folder),
        show_findings(folder),
        *charts,
        *pictures,
        *tables,
        id=key,
        aria_labelledby=f"{key}-title",
    )


def _picture(prefix: str, name: str, content: bytes) -> Markup:
    if name.endswith(".svg"):
        inside = inline_svg(content, label=name, prefix=prefix) or picture(
            content, "image/svg+xml", label=name
        )
    else:
        inside = picture(content, "image/png", label=name)
    return element("figure", inside, element("figcaption", name), class_="paper")


def _table(key: str, folder: Folder, table: Table) -> Markup:
    numeric = table.numeric()
    cells = [
        element("th", name, scope="col", class_="number" if number else None)
        for name, number in zip(table.columns, numeric, strict=True)
    ]
    rows = [
        element(
            "tr",
            *(
                element("td", with_spaces(cell), class_="number" if number else None)
                for cell, number in zip(row, numeric, strict=True)
            ),
        )
        for row in table.rows[:_FIRST_ROWS]
    ]
    shown = element(
        "table", element("thead", element("tr", *cells)), element("tbody", *rows), id=key
    )
    name = words(table.name)
    kept = None
    if len(table.rows) < table.total:
        kept = element(
            "p",
            f"This page has {len(table.rows):,} of {table.total:,} rows: {table.picked}. "
            f"All of them are in the folder {folder.name}.",
            class_="note",
        )
    if not table.rows:
        shown = element("p", "None.", class_="note")
    return element(
        "div",
        element("h3", name, " ", element("small", f"{spell_value(table.total)} rows")),
        kept,
        element("div", shown, class_="scroll", tabindex="0", role="region", aria_label=name),
        script_data(f"{key}-data", {"name": f"{folder.name}-{table.name}", **table.as_json()}),
        class_="table",
    )


def _live(texts: Sequence[CutText]) -> Markup:
    data = [{"name": each.name, "note": each.note, **each.view.as_json()} for each in texts]
    return element(
        "section",
        element("h2", "Texts, token by token", id="live-title"),
        element("noscript", element("p", "This view needs scripts.", class_="note")),
        script_data("live-data", data),
        id="live",
        aria_labelledby="live-title",
    )
