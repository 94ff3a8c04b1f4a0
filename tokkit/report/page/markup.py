"""HTML put together so that a text is never markup: whatever is no `Markup` is escaped."""

import html
import json
import re
from typing import Any

from tokkit.visible import ESCAPES

_NO_END = frozenset({"br", "input", "img", "meta", "link", "col"})
_PLAIN_SPACES = frozenset(" \n")


class Markup(str):
    """A text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *content: object, **attributes: object) -> Markup:
    """Write an element: ``element("a", "x<y", href="#1", class_="b")``.

    Args:
        name: Its name.
        content: What is in it, one after the other; None is left out.
        attributes: Its attributes. ``class_`` is ``class``, ``aria_label`` is ``aria-label``;
            True is an attribute without value, None and False are none.
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        words.append(attribute if value is True else f'{attribute}="{escape(value)}"')
    start = Markup(f"<{' '.join(words)}>")
    return start if name in _NO_END else join(start, *content, Markup(f"</{name}>"))


def join(*parts: object) -> Markup:
    """Write one thing after the other; what is no `Markup` is escaped."""
    return Markup("".join(escape(part) for part in parts if part is not None))


def escape(part: object) -> Markup:
    """Write a text as HTML, with every character that cannot be seen spelled out."""
    return part if isinstance(part, Markup) else Markup(html.escape(visible(str(part))))


def visible(text: str) -> str:
    r"""Spell what cannot be seen, or turns the direction of a line: U+202E is ``"\u202e"``.

    `table.js` does the same. Line feeds and ordinary spaces stay.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character in _PLAIN_SPACES or character.isprintable()
        else ESCAPES.get(character) or character.encode("unicode_escape").decode()
        for character in text
    )


def with_spaces(text: str) -> Markup:
    """Write a text in which a space, written ``␠``, is a space that can be seen."""
    return Markup(escape(text).replace("␠", '<span class="space"> </span>'))


def script_data(name: str, value: Any) -> Markup:
    """Write JSON for a script to read; no text in it can end the element.

    All that is not ASCII is escaped, and so are ``<``, ``>`` and ``&``.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    safe = re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text)
    return element("script", Markup(safe), type="application/json", id=name)
