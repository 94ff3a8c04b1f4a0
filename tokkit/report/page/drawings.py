"""Pictures of a result folder inside a page: SVG as elements, PNG as data.

A drawing may have been made of hostile texts, or by somebody else: only elements that draw,
and attributes that say how, are taken over.
"""

import base64
import re
from collections.abc import Iterator
from xml.etree import ElementTree

from tokkit.report.page.markup import Markup, element, join

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_ELEMENTS = """
svg g path rect circle ellipse line polyline polygon text tspan title desc defs clipPath
linearGradient radialGradient stop
"""
_ATTRIBUTES = """
id d x y x1 x2 y1 y2 dx dy cx cy r rx ry width height points viewBox transform offset
preserveAspectRatio clip-path clip-rule fill fill-opacity fill-rule stroke stroke-width
stroke-opacity stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin
stroke-miterlimit opacity font-family font-size font-weight font-style text-anchor
dominant-baseline gradientUnits gradientTransform clipPathUnits stop-color stop-opacity
letter-spacing visibility display role aria-label aria-hidden aria-roledescription
"""
_DRAWN = frozenset(_ELEMENTS.split())
_KEPT = frozenset(_ATTRIBUTES.split())
_LOCAL = re.compile(r"url\(\s*['\"]?#([\w.-]+)['\"]?\s*\)")


def inline_svg(content: bytes, *, label: str, prefix: str) -> Markup | None:
    """Turn an SVG file into elements of a page.

    Args:
        content: The file.
        label: What it shows, for people who do not see it.
        prefix: What is put before its ids: those of two drawings must not be the same.

    Returns:
        None if it cannot be read.
    """
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError:
        return None
    if root.tag != f"{_NAMESPACE}svg":
        return None
    width, height = root.get("width", ""), root.get("height", "")
    if "viewBox" not in root.attrib and width and height:
        root.set("viewBox", f"0 0 {width} {height}")
    root.set("role", "img")
    root.set("aria-label", label)
    try:
        return _copy(root, prefix)
    except RecursionError:  # made to be deep
        return None


def _copy(node: ElementTree.Element, prefix: str) -> Markup:
    inside = join(node.text, *_children(node, prefix))
    return element(node.tag.removeprefix(_NAMESPACE), inside, **dict(_attributes(node, prefix)))


def _children(node: ElementTree.Element, prefix: str) -> Iterator[str | None]:
    for child in node:
        name = child.tag if isinstance(child.tag, str) else ""
        if name.startswith(_NAMESPACE) and name.removeprefix(_NAMESPACE) in _DRAWN:
            yield _copy(child, prefix)
        yield child.tail


def _attributes(node: ElementTree.Element, prefix: str) -> Iterator[tuple[str, str]]:
    """Give what is allowed; what is named by an id is found inside the drawing alone."""
    styles = (each.partition(":") for each in node.get("style", "").split(";"))
    declared = {name.strip(): value.strip() for name, _, value in styles}
    for name, value in (node.attrib | declared).items():
        if name not in _KEPT:
            continue
        local = _LOCAL.sub(lambda found: f"url(#{prefix}{found[1]})", value)
        if name == "id":
            yield name, prefix + value
        elif "url(" not in value.lower() or _LOCAL.fullmatch(value.strip()):
            yield name, local


def picture(content: bytes, media_type: str, *, label: str) -> Markup:
    """Put a picture into a page as data; nothing in it can run or be loaded."""
    data = base64.b64encode(content).decode()
    return element("img", src=f"data:{media_type};base64,{data}", alt=label)
