"""Several tokenizers, each with a short name."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokkit.errors import UsageError
from tokkit.formats import FORMATS, load
from tokkit.tokenizer import Tokenizer

_SILENT = ("tiktoken", "files")
"""Formats whose files do not say how text is cut."""
_USUAL = frozenset(("tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt"))
"""Names of files that say less than the name of their folder."""


def load_named(given: Sequence[str], pattern: str | None) -> dict[str, Tokenizer]:
    """Load tokenizers, under names.

    Args:
        given: Paths or Hub ids, or ``NAME=`` before one.
        pattern: How files cut text that do not say so; no matter to others.

    Returns:
        The tokenizers by the name given, or else the end of their path; by all of it where
        that is not theirs alone.

    Raises:
        UsageError: If two have the same name.
        FormatError: If one cannot be loaded.
    """
    pairs = [_parse(each) for each in given]
    short = [name or _shorten(path) for name, path in pairs]
    loaded: dict[str, Tokenizer] = {}
    for (name, path), end in zip(pairs, short, strict=True):
        key = name or (end if short.count(end) == 1 else path)
        if key in loaded:
            raise UsageError(
                f"two tokenizers are called {key!r}: name them, as in other={path}"
            )
        loaded[key] = load(path, pattern=pattern if _needs_pattern(path) else None)
    return loaded


def _parse(given: str) -> tuple[str, str]:
    """Return the name, empty if there is none, and the path."""
    name, equals, path = given.partition("=")
    if not equals or Path(given).exists() or "/" in name:
        return "", given
    return name, path


def _shorten(path: str) -> str:
    """The end of a path: ``models/llama2/tokenizer.model`` is ``llama2``."""
    place = Path(path)
    if place.name in _USUAL and place.parent.name:
        return place.parent.name
    return place.stem if place.suffix in (".tiktoken", ".json", ".model") else place.name


def _needs_pattern(path: str) -> bool:
    place = Path(path)
    forms: Iterable[str] = FORMATS if place.exists() else ()
    kind = next((name for name in forms if FORMATS[name].function("matches")(place)), "")
    return kind in _SILENT
